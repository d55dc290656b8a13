"""Tests: that they are there, ask something, pass, and fail when the code is broken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.model import Check, Mutant, MutantEnd, MutantRun, TestRun, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project, strings, table
from grader.standards.python import Function, Module, call_name, dotted
from grader.standards.rubric import Judgement, rule, seen_rule, yes_or_no
from grader.standards.scales import Scale
from grader.standards.wording import count, listing

_TOLERANCE = re.compile(
    r"approx\(|assert_allclose|assert_frame_equal|assert_series_equal|isclose|allclose|\b[ar]tol\b"
    r"|assert_(array_)?almost_equal|tolerance|within|assertAlmostEqual"
)
_RECORDED = re.compile(r"parity|legacy|golden|expected|reference|recorded|baseline", re.IGNORECASE)


@seen_rule(
    Check(
        code="TEST001",
        family="tests",
        title="The tests pass",
        why="A port whose own tests fail is not finished, by its own account.",
        fix="Run the tests as CI would, from a clean checkout, and mend what fails.",
        example="python -m pytest",
        source="Google, The ML Test Score, Infrastructure tests; pytest exit codes",
        weight=3,
        requires="tests",
    ),
    lambda observed: observed.tests,
)
def tests_pass(_: Evidence, tests: TestRun) -> Judgement:
    """Ask pytest's exit status, and that any test ran at all."""
    if tests.ran <= 0:
        return Judgement(share=0.0, message=f"No test ran. {tests.message}".strip())
    message = f"{tests.passed} of {count(tests.ran, 'test')} pass."
    if tests.green:
        return Judgement(share=1.0, message=message)
    return Judgement(share=0.0, message=tests.message or message)


@seen_rule(
    Check(
        code="TEST002",
        family="tests",
        title="The tests fail when the package is broken",
        why="Tests that stay green while the package cannot even be imported test nothing. They "
        "are worse than none: they say that all is well.",
        fix="Let the tests import the package, call it, and assert on what it returns.",
        example="from tariff.features import cap\n\ndef test_cap_cuts_off() -> None:\n"
        "    assert cap([12_000.0], 10_000.0) == [10_000.0]",
        source="Just et al. 2014, Are Mutants a Valid Substitute for Real Faults in Software "
        "Testing?; canary testing",
        weight=3,
        requires="tests",
    ),
    lambda observed: observed.tests,
)
def tests_notice(_: Evidence, tests: TestRun) -> Judgement:
    """Ask how the same tests did with the package sabotaged."""
    if tests.ran <= 0:
        return Judgement(share=0.0, message="No test ran, so none can notice anything.")
    return yes_or_no(
        not tests.canary_green,
        "With the package sabotaged, the tests fail, as they should.",
        "With the package sabotaged, the tests are still green.",
    )


_ASSERTING = Scale(
    measure="share of tests that assert something",
    none=0.0,
    full=0.95,
    reason="One test in twenty may show no more than that nothing crashes.",
)


@rule(
    Check(
        code="TEST003",
        family="tests",
        title="Each test asserts something about the code",
        why="A test without an assertion on a result only shows that nothing crashed. `assert "
        "True` does not even show that.",
        fix="Assert on a value that the code returned, or on the error that it raises.",
        example="assert band(17) == 'child'\n\nwith pytest.raises(InputError, match='age'):\n"
        "    read(rows_without_age)",
        source="Meszaros 2007, xUnit Test Patterns, Assertion-free test; ruff PT, B015",
        weight=3,
    ),
    scales=(_ASSERTING,),
)
def tests_assert(evidence: Evidence) -> Judgement:
    """Count the tests with an assertion that could come out either way."""
    tests = list(_tests(evidence.project))
    if not tests:
        return Judgement(share=0.0, message="There are no tests.")
    helpers = _asserting_helpers(evidence.project)
    bare = [(module.path, f.node) for module, f in tests if not asserts(f.node, helpers)]
    where = Where(path=bare[0][0], line=bare[0][1].lineno) if bare else None
    return Judgement(
        share=_ASSERTING.share(1 - len(bare) / len(tests)),
        message=f"{len(tests) - len(bare)} of {count(len(tests), 'test')} assert something.",
        where=where,
        fix=f"Assert on a result in {listing((node.name for _, node in bare), 5)}.",
    )


def _tests(project: Project) -> Iterator[tuple[Module, Function]]:
    for module in project.tests:
        for function in module.functions:
            if function.node.name.startswith("test"):
                yield module, function


def _asserting_helpers(project: Project) -> frozenset[str]:
    """Give the names of functions in the tests that assert, and so do it for their callers."""
    return frozenset(
        function.node.name
        for module in project.tests
        for function in module.functions
        if not function.node.name.startswith("test") and asserts(function.node, frozenset())
    )


def asserts(function: ast.AST, helpers: frozenset[str]) -> bool:
    """Whether a function holds an assertion that depends on something.

    :param helpers: names of functions that assert on behalf of their callers
    """
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not _settled(node.test):
            return True
        if isinstance(node, ast.Call):
            name = call_name(node)
            known = name in helpers or name in {"raises", "warns", "check_estimator", "fail"}
            if known or re.match(r"assert(_\w+|[A-Z]\w*)$", name):
                return any(not _settled(item) for item in [*node.args, node.func]) or known
    return False


def _settled(test: ast.expr) -> bool:
    """Whether an expression comes out the same whatever the code does: nothing in it is called."""
    names = [n for n in ast.walk(test) if isinstance(n, ast.Name | ast.Call | ast.Attribute)]
    if not names:
        return True
    same = (
        isinstance(test, ast.Compare)
        and len(test.comparators) == 1
        and ast.dump(test.left) == ast.dump(test.comparators[0])
    )
    always = isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or)
    return same or (
        always
        and isinstance(test, ast.BoolOp)
        and any(isinstance(v, ast.Constant) and v.value for v in test.values)
    )


_PROPORTION = Scale(
    measure="asserting tests for each public function",
    none=0.0,
    full=0.5,
    reason="One test may try two functions that belong together; fewer leave some untried.",
)


@rule(
    Check(
        code="TEST004",
        family="tests",
        title="There are tests in proportion to the code",
        why="Three tests for forty functions leave most of the port to luck.",
        fix="Add tests until there is about one for every two public functions.",
        example="tests/test_features.py: one test per rule of the legacy program",
        source="Google, The ML Test Score, Data tests and Model tests",
        weight=2,
    ),
    needs_source=True,
    scales=(_PROPORTION,),
)
def enough_tests(evidence: Evidence) -> Judgement:
    """Compare asserting tests with public functions, one to two."""
    helpers = _asserting_helpers(evidence.project)
    tests = sum(asserts(f.node, helpers) for _, f in _tests(evidence.project))
    public = sum(f.public for module in evidence.project.source for f in module.functions)
    message = f"{count(tests, 'asserting test')} for {count(public, 'public function')}."
    return Judgement(share=_PROPORTION.share(tests / max(4, public)), message=message)


_TESTED = Scale(
    measure="share of modules with functions that tests import",
    none=0.0,
    full=0.8,
    reason="What only starts the program may be left to its own try-out.",
)


@rule(
    Check(
        code="TEST005",
        family="tests",
        title="Every module is tested",
        why="The module that no test imports is the one that nobody noticed breaking.",
        fix="Add a test file for each module that defines functions.",
        example="src/tariff/scoring.py → tests/test_scoring.py",
        source="pytest, Good Integration Practices; Google, The ML Test Score, Infra 1-7",
        weight=2,
    ),
    needs_source=True,
    scales=(_TESTED,),
)
def every_module_tested(evidence: Evidence) -> Judgement:
    """Find the modules with functions that tests import; four fifths are enough."""
    project = evidence.project
    targets = [m for m in project.source if m.functions and not m.path.endswith("__main__.py")]
    if not targets:
        return Judgement(share=0.0, message="No module defines a function.")
    names = _passed_on(
        {name for module in project.tests for name, _ in module.imported_names}, project
    )
    texts = "\n".join(module.text for module in project.tests)
    missed = [m for m in targets if not _imported(m.name, names, texts)]
    share = 1 - len(missed) / len(targets)
    message = f"Tests import {len(targets) - len(missed)} of {len(targets)} modules."
    where = Where(path=missed[0].path) if missed else None
    fix = f"Test {listing((m.name for m in missed), 5)}."
    return Judgement(share=_TESTED.share(share), message=message, where=where, fix=fix)


def _passed_on(names: set[str], project: Project) -> set[str]:
    """Add what packages that are imported pass on: names that their ``__init__`` imports."""
    inits = {m.name: m for m in project.source if m.path.endswith("__init__.py")}
    found, waiting = set(names), list(names)
    while waiting:
        name = waiting.pop()
        init = inits.get(name) or inits.get(name.rpartition(".")[0])
        more = {item for item, _ in init.imported_names} - found if init else set()
        found |= more
        waiting += more
    return found


def _imported(name: str, names: set[str], texts: str) -> bool:
    within = any(item == name or item.startswith(f"{name}.") for item in names)
    # `python -m package` in a subprocess, and "package.api:app" for a server, count as well.
    return within or bool(re.search(rf"[\"']{re.escape(name)}[\"':.]", texts))


@rule(
    Check(
        code="TEST006",
        family="tests",
        title="Parity with the legacy program is tested",
        why="The one promise of a port is that the figures come out as before. A test holds that "
        "promise at every change; a slide holds it once.",
        fix="Score a recorded input and compare with the legacy program's outputs, within a stated "
        "tolerance.",
        example="np.testing.assert_allclose(scored.premium, expected.premium, rtol=1e-6)",
        source="Feathers 2004, Working Effectively with Legacy Code, chapter 13 "
        "(characterization tests)",
        weight=2,
    )
)
def parity_is_tested(evidence: Evidence) -> Judgement:
    """Look for a test module that compares recorded outputs within a tolerance."""
    project = evidence.project
    helpers = _asserting_helpers(project)
    recorded = [module for module in project.tests if _RECORDED.search(module.text)]
    tolerant = [
        module
        for module in recorded
        if any(
            asserts(f.node, helpers) and _TOLERANCE.search(_source(module, f))
            for f in module.functions
        )
    ]
    both = [m for m in tolerant if _touches(m, project.contract.package)]
    if both:
        return Judgement(share=1.0, message=f"{both[0].path} compares within a tolerance.")
    if recorded:
        message = "Tests speak of recorded outputs, but compare none within a tolerance."
        return Judgement(share=0.4, message=message, where=Where(path=recorded[0].path))
    return Judgement(share=0.0, message="No test compares with what the legacy program gave.")


def _source(module: Module, function: Function) -> str:
    lines = module.text.splitlines()
    return "\n".join(lines[function.node.lineno - 1 : function.node.end_lineno])


def _touches(module: Module, package: str) -> bool:
    """Whether a test module imports the package, or gets at it through fixtures or a command."""
    return package in module.text or bool(re.search(r"def test\w*\([^)]+\)", module.text))


_COVERED = Scale(
    measure="share of statements that the tests run",
    none=0.0,
    full=0.8,
    reason="What is left is mostly the handling of errors; beyond that the figure pays for"
    " tests that ask nothing.",
)


@seen_rule(
    Check(
        code="TEST007",
        family="tests",
        title="The tests run most of the code",
        why="What no test runs may be broken in any way. Coverage does not show that the rest is "
        "right, and so it weighs little here.",
        fix="Look at the coverage report and test the branches it shows as missed.",
        example="python -m pytest --cov=tariff --cov-report=term-missing",
        source="coverage.py documentation; Google, Code Coverage Best Practices",
        weight=1,
        requires="tests",
    ),
    lambda observed: observed.tests,
    scales=(_COVERED,),
)
def coverage(_: Evidence, tests: TestRun) -> Judgement:
    """Grade the share of statements that ran; four fifths are enough."""
    if tests.coverage is None:
        return Judgement(share=0.0, message="The run left no figure of coverage.")
    message = f"The tests run {tests.coverage:.0%} of the package's statements."
    return Judgement(share=_COVERED.share(tests.coverage), message=message)


_OFF = Scale(
    measure="share of tests that are switched off",
    none=0.5,
    full=0.1,
    reason="A few wait for something; where half do, the suite does.",
)


@rule(
    Check(
        code="TEST008",
        family="tests",
        title="Few tests are switched off",
        why="A skipped test is a promise taken back quietly.",
        fix="Mend or delete tests that are skipped or expected to fail, and run all of them.",
        example='@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")  # is fine',
        source="pytest, How to use skip and xfail; Meszaros 2007, xUnit Test Patterns",
        weight=1,
    ),
    scales=(_OFF,),
)
def few_switched_off(evidence: Evidence) -> Judgement:
    """Count unconditional skips and expected failures, and deselection in the settings."""
    tests = list(_tests(evidence.project))
    if not tests:
        return Judgement(share=0.0, message="There are no tests.")
    off = [(m.path, line) for m in evidence.project.tests for line in _switched_off(m)]
    deselected = _deselects(evidence.project)
    if deselected:
        message = f"pytest's settings leave tests out: {deselected}."
        return Judgement(share=0.0, message=message, where=Where(path="pyproject.toml"))
    share = len(off) / len(tests)
    message = f"{len(off)} of {count(len(tests), 'test')} are switched off."
    where = Where(path=off[0][0], line=off[0][1]) if off else None
    return Judgement(share=_OFF.share(share), message=message, where=where)


def _switched_off(module: Module) -> Iterator[int]:
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "xfail"}:
            owner = dotted(node.value)
            if owner.endswith("mark") or owner in {"unittest", "pytest"}:
                yield node.lineno


def _deselects(project: Project) -> str:
    settings = table(project.tool("pytest"), "ini_options") or project.tool("pytest")
    options = settings.get("addopts")
    words = options.split() if isinstance(options, str) else strings(options)
    found = [word for word in words if re.match(r"--(ignore|deselect)|-[km]$|--co(llect)?", word)]
    return found[0] if found else ""


@seen_rule(
    Check(
        code="TEST009",
        family="tests",
        title="An assertion fails when the code computes something else",
        why="A suite may run every line and still look at nothing. Small changes that make the "
        "package wrong, one at a time, show whether anybody would notice. A crash is no notice: "
        "it comes by itself.",
        fix="Assert on values that the package computes: at the bounds of a band, on both sides "
        "of a threshold, for one row worked out by hand.",
        example="assert premium(age=18) == pytest.approx(123.45, abs=0.005)",
        source="DeMillo, Lipton and Sayward 1978, Hints on Test Data Selection; Just et al. 2014, "
        "Are Mutants a Valid Substitute for Real Faults in Software Testing?",
        weight=3,
        requires="mutants",
    ),
    lambda observed: observed.mutants,
)
def assertions_notice(_: Evidence, run: MutantRun) -> Judgement:
    """Ask whether any mutant was killed by an assertion, and whether a decoy was left alone."""
    if not run.mutants:
        return Judgement(share=0.0, message=run.message or "No mutant could be tried.")
    if not run.decoys_green:
        message = "The tests fail when the code's text changes and what it does doesn't."
        return Judgement(
            share=0.0, message=message, fix="Test what the code does, not how it is written."
        )
    killed = _by_assertion(run)
    return yes_or_no(
        killed,
        f"Assertions notice {len(killed)} of {count(len(run.mutants), 'mutant')}.",
        f"No assertion notices any of {count(len(run.mutants), 'mutant')}.",
        where=run.mutants[0].where,
        fix=f"Write a test that fails when, in {run.mutants[0].where.path}, "
        f"{run.mutants[0].change}.",
    )


_KILLS = Scale(
    measure="share of mutants in tested lines that an assertion notices",
    none=0.0,
    full=0.4,
    reason="Some mutants change nothing that can be seen, and some crash before an assertion is "
    "reached; suites of careful ports were seen to notice four to six of ten.",
)


@seen_rule(
    Check(
        code="TEST010",
        family="tests",
        title="The assertions notice most mutants",
        why="Each mutant that survives is a mistake that the next change may make, unseen.",
        fix="Take the survivors that the message names, and write the assertion that tells each "
        "from the original.",
        example="# `age >= 18` became `age > 18`\nassert band(18) == 'adult'",
        source="Petrović et al. 2021, Does Mutation Testing Improve Testing Practices?",
        weight=2,
        requires="mutants",
    ),
    lambda observed: observed.mutants,
    scales=(_KILLS,),
)
def assertions_notice_most(_: Evidence, run: MutantRun) -> Judgement:
    """Grade the share of mutants that an assertion noticed."""
    if not run.mutants or not run.decoys_green:
        return Judgement(share=0.0, message=run.message or "The tests can't tell a mutant.")
    killed = _by_assertion(run)
    survivors = [m for m in run.mutants if m.end is MutantEnd.SURVIVED]
    message = f"Assertions notice {len(killed)} of {count(len(run.mutants), 'mutant')}"
    told = [f"{m.where.path}:{m.where.line} ({m.change})" for m in survivors]
    message += f"; survivors: {listing(told)}." if told else "."
    return Judgement(
        share=_KILLS.share(len(killed) / len(run.mutants)),
        message=message,
        where=survivors[0].where if survivors else None,
    )


def _by_assertion(run: MutantRun) -> list[Mutant]:
    return [mutant for mutant in run.mutants if mutant.end is MutantEnd.ASSERTION]
