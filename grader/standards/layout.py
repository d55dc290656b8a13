"""Layout: where a stranger finds things."""

from __future__ import annotations

import re

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import is_test
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing

FLAT_SHARE = 0.7
"""Credit for a package that lies at the root."""


@rule(
    Check(
        code="LAYT001",
        family="layout",
        title="The package lies in src/",
        why="With the package at the root, tests import the files that happen to lie there, not "
        "what the wheel installs; what is left out of the wheel is then noticed in production.",
        fix="Move the package to src/<package>/, with an __init__.py.",
        example="src/tariff/__init__.py\nsrc/tariff/pipeline.py\ntests/test_pipeline.py\n"
        "pyproject.toml",
        source="PyPA Packaging User Guide, src layout vs flat layout",
        weight=2,
    )
)
def package_in_src(evidence: Evidence) -> Judgement:
    """Look for the package that the challenge names; at the root it earns most of the credit."""
    project = evidence.project
    package = project.contract.package
    if project.root.startswith("src/"):
        return Judgement(share=1.0, message=f"The package lies in {project.root}.")
    if project.root:
        message = f"The package lies at the root, in {package}/."
        return Judgement(share=FLAT_SHARE, message=message, where=Where(path=project.root))
    message = f"There is no src/{package}/__init__.py."
    return Judgement(share=0.0, message=message, fix=f"Put the code into src/{package}/.")


_ASIDE = Scale(
    measure="share of the test files that lie in a folder of tests",
    none=0.0,
    full=1.0,
    reason="Each test file beside the code is shipped with it.",
)


@rule(
    Check(
        code="LAYT002",
        family="layout",
        title="Tests lie in a folder of their own",
        why="Tests inside the package are shipped with it, and are found by nobody who looks for "
        "them where they usually are.",
        fix="Put the tests into tests/ beside src/.",
        example="tests/test_features.py\ntests/test_parity.py",
        source="pytest, Good Integration Practices: tests outside application code",
        weight=1,
    ),
    scales=(_ASIDE,),
)
def tests_apart(evidence: Evidence) -> Judgement:
    """Count the test files that lie outside the source."""
    project = evidence.project
    tests = [m.path for m in project.tests if re.search(r"(^|/)test_|_test\.py$", m.path)]
    inside = [p for p in tests if p.startswith("src/") or not re.match(r"tests?/|testing/", p)]
    if not tests:
        return Judgement(share=0.0, message="There are no test files.")
    where = Where(path=inside[0]) if inside else None
    message = f"{len(tests) - len(inside)} of {count(len(tests), 'test file')} lie in tests/."
    return Judgement(share=_ASIDE.share(1 - len(inside) / len(tests)), message=message, where=where)


_LOOSE = Scale(
    measure="scripts at the root",
    none=2,
    full=0,
    reason="One may be a leftover; two are a second way to run the model.",
)


@rule(
    Check(
        code="LAYT003",
        family="layout",
        title="No loose scripts at the root",
        why="A script beside the package is a second way to run the model: untested, not in the "
        "wheel, and soon different from the first.",
        fix="Move its code into the package and offer it as a command; keep helpers in scripts/.",
        example="git mv train_final.py src/tariff/training.py",
        source="Cookiecutter Data Science, directory structure; The Hitchhiker's Guide to Python, "
        "Structuring Your Project",
        weight=1,
    ),
    scales=(_LOOSE,),
)
def no_loose_scripts(evidence: Evidence) -> Judgement:
    """Look for Python files at the root other than those that tools expect there."""
    expected = r"(setup|noxfile|conftest|tasks|fabfile|manage|conf|gunicorn\.conf)\.py"
    loose = [
        path
        for path in evidence.project.files
        if re.fullmatch(r"[^/]+\.(py|ipynb)", path)
        and not re.fullmatch(expected, path)
        and not is_test(path)
    ]
    message = f"At the root: {listing(loose)}." if loose else "No script lies at the root."
    where = Where(path=loose[0]) if loose else None
    return Judgement(share=_LOOSE.share(len(loose)), message=message, where=where)


_UNREADABLE = Scale(
    measure="files that can't be read",
    none=2,
    full=0,
    reason="A file that does not parse has never run.",
)


@rule(
    Check(
        code="LAYT004",
        family="layout",
        title="Every source file can be read",
        why="A file that Python cannot parse is dead weight at best. One of hundreds of kilobytes, "
        "or nested beyond what a person follows, is data or generated code, not source.",
        fix="Repair the syntax, save the file as UTF-8, or split it; keep data out of source.",
        example="python -m compileall -q src",
        source="PEP 3120 (UTF-8 as default source encoding); ruff, invalid-syntax",
        weight=2,
    ),
    scales=(_UNREADABLE,),
)
def readable_files(evidence: Evidence) -> Judgement:
    """Ask of every source and test file that it could be parsed."""
    modules = [*evidence.project.source, *evidence.project.tests]
    bad = [module for module in modules if module.error]
    if not modules:
        return Judgement(share=0.0, message="There is no Python file.")
    if not bad:
        return Judgement(share=1.0, message=f"All {len(modules)} Python files can be read.")
    first = bad[0]
    return Judgement(
        share=_UNREADABLE.share(len(bad)),
        message=f"{count(len(bad), 'file')} can't be read; the first, {first.path}: {first.error}.",
        where=Where(path=first.path, line=first.error_line),
    )
