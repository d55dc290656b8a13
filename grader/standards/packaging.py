"""Packaging: a wheel that installs anywhere, from metadata that tells the truth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from grader.model import Check, WheelBuild, Where
from grader.standards.evidence import Evidence
from grader.standards.linters import Lint
from grader.standards.project import Project, strings, table
from grader.standards.rubric import Judgement, rule, seen_rule, yes_or_no
from grader.standards.scales import Scale
from grader.standards.wording import count, listing, words

MANIFEST = "pyproject.toml"

RUN_ONLY = words(
    "uvicorn gunicorn hypercorn pyarrow openpyxl fastparquet joblib python-multipart httpx pyyaml "
    "skops tabulate threadpoolctl numpy scipy"
)
"""Distributions that are used without being imported, or pinned because others need them."""

_FIELDS = ("description", "readme", "requires-python", "dependencies", "authors")
_LOCKS = (
    r"(^|/)(uv|poetry|pdm|pixi)\.lock$|(^|/)pipfile\.lock$|(^|/)pylock(\.[\w-]+)?\.toml$"
    r"|(^|/)conda-lock\.ya?ml$"
)


@seen_rule(
    Check(
        code="PACK001",
        family="packaging",
        title="The wheel builds and holds the package",
        why="What is graded, tested and deployed is the wheel. A project that does not build one "
        "cannot be installed by anybody else.",
        fix="Declare a build back end in [build-system], tell it where the package lies, and try "
        "`python -m build --wheel`.",
        example='[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["src/tariff"]',
        source="PEP 517; PEP 427",
        weight=3,
        requires="wheel",
    ),
    lambda observed: observed.wheel,
)
def wheel_builds(evidence: Evidence, wheel: WheelBuild) -> Judgement:
    """Look into the wheel that was built in the sandbox."""
    package = evidence.project.contract.package
    if not wheel.built:
        message = f"The wheel does not build: {wheel.message or 'no reason was given'}."
        return Judgement(share=0.0, message=message, where=Where(path=MANIFEST))
    return yes_or_no(
        f"{package}/__init__.py" in wheel.files,
        f"The wheel builds and holds {package}.",
        f"The wheel builds, but holds no {package}/__init__.py.",
        where=Where(path=MANIFEST),
        fix=f"Tell the build back end that the package is {package}.",
    )


@rule(
    Check(
        code="PACK002",
        family="packaging",
        title="The metadata is valid and complete",
        why="Installers, registries and scanners read pyproject.toml. What is missing or wrong "
        "there is missing or wrong everywhere.",
        fix="Add a [build-system] and, under [project], name, version, description, readme, "
        "requires-python, dependencies and authors.",
        example='[project]\nname = "tariff"\nversion = "0.2.0"\ndescription = "Health tariff"\n'
        'readme = "README.md"\nrequires-python = ">=3.11"\ndependencies = ["pandas>=2.2"]\n'
        'authors = [{ name = "Pricing" }]',
        source="PEP 621; PyPA specification, Declaring project metadata; validate-pyproject",
        weight=2,
    ),
    tools=("validate-pyproject",),
)
def valid_metadata(evidence: Evidence) -> Judgement:
    """Validate the metadata by its schema, and count the fields that a reader needs."""
    project = evidence.project
    if project.pyproject_error:
        message = f"{project.pyproject_error}."
        return Judgement(share=0.0, message=message[0].upper() + message[1:])
    if evidence.linters.metadata:
        message = f"{MANIFEST} is not valid: {evidence.linters.metadata[0].message}."
        return Judgement(share=0.2, message=message, where=Where(path=MANIFEST))
    missing = list(_missing_fields(project))
    where = Where(path=MANIFEST) if missing else None
    message = f"It lacks {listing(missing, 8)}." if missing else "It is valid and complete."
    return Judgement(share=1 - len(missing) / 8, message=message, where=where)


def _missing_fields(project: Project) -> Iterator[str]:
    metadata = project.metadata
    dynamic = strings(metadata.get("dynamic"))
    poetry = project.tool("poetry")
    stated = metadata or poetry
    if "build-system" not in project.pyproject:
        yield "build-system"
    for field in ("name", "version"):
        if field not in stated and field not in dynamic:
            yield field
    # Poetry's own table states the Python version among the dependencies.
    spared = {"requires-python"} if not metadata and poetry else set()
    for field in _FIELDS:
        there = field in stated or field in dynamic or field in spared
        if not (there or (field == "authors" and "maintainers" in stated)):
            yield field


_UNDECLARED = Scale(
    measure="dependencies that are not declared; of those that others declare half, of unused "
    "ones a quarter",
    none=4,
    full=0,
    reason="A missing one breaks the port, an unused one only costs.",
)


@rule(
    Check(
        code="PACK003",
        family="packaging",
        title="Declared dependencies are those imported",
        why="A dependency that is imported but not declared works by accident, until another "
        "package stops needing it. One that is declared but unused is only attack surface.",
        fix="Declare under [project] dependencies what the package imports, and nothing else.",
        example='dependencies = ["numpy>=2", "pandas>=2.2", "scikit-learn>=1.5"]',
        source="deptry DEP001 (missing), DEP002 (unused), DEP003 (transitive)",
        weight=2,
    ),
    tools=("deptry",),
    needs_source=True,
    scales=(_UNDECLARED,),
)
def dependencies_match(evidence: Evidence) -> Judgement:
    """Weigh deptry's findings: missing 1, transitive a half, unused a quarter, of four."""
    if not evidence.project.metadata:
        return Judgement(share=0.0, message=f"{MANIFEST} declares no dependencies in [project].")
    found = {
        code: sorted({lint.message for lint in _of(evidence, code) if not _run_only(lint)})
        for code in ("DEP001", "DEP002", "DEP003")
    }
    cost = len(found["DEP001"]) + len(found["DEP003"]) / 2 + len(found["DEP002"]) / 4
    words = {"DEP001": "not declared", "DEP003": "declared by others only", "DEP002": "not used"}
    told = [f"{words[code]}: {listing(names)}" for code, names in found.items() if names]
    first = next((lint for lint in evidence.linters.dependencies if not _run_only(lint)), None)
    if not told or first is None:
        return Judgement(share=1.0, message="Every import is declared, and all declared is used.")
    used = first.code != "DEP002"
    where = Where(path=first.path, line=first.line) if used else Where(path=MANIFEST)
    return Judgement(
        share=_UNDECLARED.share(cost), message=f"{'; '.join(told)}.".capitalize(), where=where
    )


def _of(evidence: Evidence, code: str) -> Iterator[Lint]:
    return (lint for lint in evidence.linters.dependencies if lint.code == code)


def _run_only(lint: Lint) -> bool:
    return lint.code == "DEP002" and str(canonicalize_name(lint.message)) in RUN_ONLY


_LACKING = Scale(
    measure="dependencies that the environment lacks",
    none=2,
    full=0,
    reason="One is enough to fail at the first import.",
)


@rule(
    Check(
        code="PACK004",
        family="packaging",
        title="It needs nothing that the environment lacks",
        why="Submissions run in one pinned environment without a network. A dependency that it "
        "does not hold makes the port fail at its first import.",
        fix="Use what the environment holds, or ask the organisers to add the package.",
        example="drydock environment show",
        source="The Twelve-Factor App, II. Dependencies",
        weight=2,
    ),
    scales=(_LACKING,),
)
def environment_holds_all(evidence: Evidence) -> Judgement:
    """Compare required dependencies, as far as their markers apply, with the environment."""
    project = evidence.project
    required = list(_required(project))
    missing = [name for name in required if name not in evidence.environment_packages]
    if not missing:
        message = f"The environment holds all {len(required)} required dependencies."
        return Judgement(share=1.0, message=message)
    return Judgement(
        share=_LACKING.share(len(missing)),
        message=f"The environment does not hold {listing(missing, 6)}.",
        where=project.line_of(MANIFEST, re.escape(missing[0])),
        fix=f"Do without {listing(missing, 6)}, or ask the organisers to add it.",
    )


def _required(project: Project) -> Iterator[str]:
    for line in strings(project.metadata.get("dependencies")):
        try:
            requirement = Requirement(line)
            applies = requirement.marker is None or requirement.marker.evaluate()
        except (InvalidRequirement, UndefinedEnvironmentName):
            continue  # validate-pyproject tells of it
        if applies:
            yield str(canonicalize_name(requirement.name))


_PINNED = Scale(
    measure="share of the requirements that are pinned exactly",
    none=0.0,
    full=0.9,
    reason="A tool or two without a version changes no answer.",
)


@rule(
    Check(
        code="PACK005",
        family="packaging",
        title="The environment is pinned",
        why="A premium that changes because a library was upgraded overnight cannot be explained. "
        "A lock makes the same environment come out again.",
        fix="Commit a lock file, or a requirements file with exact versions.",
        example="uv lock\n# or\npip-compile --generate-hashes -o requirements.lock pyproject.toml",
        source="pip documentation, Repeatable Installs; PEP 751; OpenSSF Scorecard, "
        "Pinned-Dependencies",
        weight=1,
    ),
    scales=(_PINNED,),
)
def pinned_environment(evidence: Evidence) -> Judgement:
    """Look for a lock; else for requirements of which nine tenths are pinned exactly."""
    project = evidence.project
    locks = project.matching(_LOCKS)
    if locks:
        return Judgement(share=1.0, message=f"{locks[0]} pins the environment.")
    files = project.matching(r"(^|/)(requirements|constraints)[\w.-]*\.(txt|lock)$")
    lines = [
        line for path in files for line in project.text(path).splitlines() if line[:1].isalnum()
    ]
    if not lines:
        return Judgement(share=0.0, message="There is no lock and no pinned requirements file.")
    pinned = sum("==" in line or " @ " in line for line in lines)
    message = f"{pinned} of {count(len(lines), 'requirement')} are pinned."
    return Judgement(
        share=_PINNED.share(pinned / len(lines)), message=message, where=Where(path=files[0])
    )


@rule(
    Check(
        code="PACK006",
        family="packaging",
        title="A command is declared",
        why="An installed command is found by its name, wherever Python lies. A path to a script "
        "breaks with the next directory layout.",
        fix="Declare a command under [project.scripts] that names a function of the package.",
        example='[project.scripts]\ntariff = "tariff.cli:main"',
        source="PyPA specification, Entry points",
        weight=1,
    )
)
def declares_command(evidence: Evidence) -> Judgement:
    """Look for a console script whose function exists."""
    project = evidence.project
    scripts: Mapping[str, Any] = {
        **table(project.metadata, "scripts"),
        **table(project.tool("poetry"), "scripts"),
    }
    if not scripts:
        return Judgement(share=0.0, message=f"{MANIFEST} declares no command.")
    broken = [name for name, target in scripts.items() if not _exists(project, target)]
    return yes_or_no(
        not broken,
        f"Declared: {listing(scripts)}.",
        f"The function of {listing(broken)} does not exist.",
        where=project.line_of(MANIFEST, r"^\[project\.scripts\]"),
    )


def _exists(project: Project, target: object) -> bool:
    module, _, attribute = str(target).partition(":")
    found = next((item for item in project.source if item.name == module.strip()), None)
    name = re.escape(attribute.split("[")[0].strip())
    pattern = rf"^(?:async\s+def|def|class)\s+{name}\b|^{name}\s*[=:]|\bimport\b[^\n]*\b{name}\b"
    return found is not None and bool(re.search(pattern, found.text, re.MULTILINE))


@seen_rule(
    Check(
        code="PACK007",
        family="packaging",
        title="The wheel holds the package alone",
        why="Tests, notebooks and data in a wheel land in everybody's site-packages, where they "
        "shadow other packages and may leak what should stay inside.",
        fix="Restrict the build to the package's folder.",
        example='[tool.hatch.build.targets.wheel]\npackages = ["src/tariff"]',
        source="PyPA, check-wheel-contents W004, W005, W009",
        weight=1,
        requires="wheel",
    ),
    lambda observed: observed.wheel,
)
def wheel_holds_package_alone(evidence: Evidence, wheel: WheelBuild) -> Judgement:
    """Look for what lies outside the package and its metadata, and for data inside."""
    package = evidence.project.contract.package
    if not wheel.built:
        return Judgement(share=0.0, message="The wheel does not build.")
    outside = [
        name
        for name in wheel.files
        if not re.match(rf"{re.escape(package)}/|[^/]+\.(dist-info|data)/", name)
    ]
    dumps = [name for name in wheel.files if re.search(r"\.(csv|parquet|xlsx?|pkl|joblib)$", name)]
    bad = sorted({*outside, *dumps})
    return yes_or_no(
        not bad,
        "The wheel holds the package and nothing else.",
        f"{count(len(bad), 'file')} do not belong in the wheel: {listing(bad)}.",
        where=Where(path=MANIFEST),
    )
