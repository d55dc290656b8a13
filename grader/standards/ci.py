"""Continuous integration: what a machine checks at every push, and whether it can say no."""

from __future__ import annotations

import re

from grader.model import Check, CiRun, StepEnd, Where
from grader.standards.evidence import Evidence
from grader.standards.rubric import Judgement, not_verifiable, rule, seen_rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing
from grader.standards.workflows import TESTING, CiStep, Workflow

_LINT = re.compile(
    r"\b(ruff|flake8|pylint|black|pre-commit|prek|hatch fmt|(make|just) \S*lint\w*)\b"
)
_TYPES = re.compile(
    r"\b(mypy|pyright|basedpyright|ty check|pyrefly|pytype|pre-commit|make \S*types?)\b"
)
_BUILD = re.compile(
    r"docker (buildx )?build|podman build|build-push-action|kaniko|buildah|python3? -m build"
    r"|\b(uv|hatch|poetry|pdm|flit) build|pip wheel|make (build|wheel|image)"
)
_SEVERITY = {"High": 0.4, "Medium": 0.2, "Low": 0.1}


def _steps(evidence: Evidence) -> list[tuple[Workflow, CiStep]]:
    """Give the steps that are run at a push."""
    workflows = (workflow for workflow in evidence.project.workflows if workflow.on_push)
    return [(w, step) for w in workflows for step in w.steps if step.enabled]


_REQUIREMENTS = re.compile(r"(?:-r|--requirements?|-c|--constraint)[ =]([\w./-]+)")


def _absent(evidence: Evidence) -> list[tuple[Workflow, CiStep, str]]:
    """Give the files that steps install from and that are not there: CI ends at the first."""
    return [
        (workflow, step, name)
        for workflow, step in _steps(evidence)
        for name in _REQUIREMENTS.findall(step.command)
        if not evidence.project.holds(name) and "/" not in name.strip("./")
    ]


def _runnable(evidence: Evidence) -> list[tuple[Workflow, CiStep]]:
    """Give the steps that CI gets to."""
    broken = {workflow.path: step.line for workflow, step, _ in reversed(_absent(evidence))}
    return [(w, s) for w, s in _steps(evidence) if s.line < broken.get(w.path, s.line + 1)]


def _all_steps(evidence: Evidence) -> list[tuple[Workflow, CiStep]]:
    return [(w, step) for w in evidence.project.workflows for step in w.steps]


@rule(
    Check(
        code="CICD001",
        family="ci",
        title="CI runs the tests at every push, and can fail",
        why="A check that runs only by hand, or that ends green whatever the tests say, protects "
        "nobody.",
        fix="Add a workflow that starts on push or merge request and runs the tests as a step of "
        "its own, without `|| true`, continue-on-error or a condition that is never true.",
        example="on: [push, pull_request]\njobs:\n  test:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: actions/checkout@<commit>\n      - run: pip install -e .[dev]\n"
        "      - run: python -m pytest",
        source="OpenSSF Scorecard, CI-Tests; Fowler 2006, Continuous Integration",
        weight=3,
    )
)
def ci_runs_tests(evidence: Evidence) -> Judgement:
    """Look for a step that runs the tests, is started by a push, and whose failure counts."""
    if not evidence.project.workflows:
        return Judgement(share=0.0, message="There is no CI workflow.")
    testing = [(w, step) for w, step in _all_steps(evidence) if TESTING.search(step.command)]
    if not testing:
        first = evidence.project.workflows[0]
        told = f": {first.error}" if first.error else ""
        message = f"No CI step runs the tests{told}."
        return Judgement(share=0.0, message=message, where=Where(path=first.path))
    absent = _absent(evidence)
    if absent:
        workflow, step, name = absent[0]
        where = Where(path=workflow.path, line=step.line)
        message = f"CI ends where it installs from {name}, which does not exist."
        return Judgement(share=0.0, message=message, where=where)
    good = [(w, s) for w, s in testing if w.on_push and s.enabled and s.can_fail]
    if good:
        message = f"{good[0][0].path} runs the tests at a push, and can fail."
        return Judgement(share=1.0, message=message)
    workflow, step = testing[0]
    faults = {
        "no push starts it": not workflow.on_push,
        "it is switched off": not step.enabled,
        "its failure is swallowed": not step.can_fail,
    }
    told = listing(fault for fault, there in faults.items() if there)
    where = Where(path=workflow.path, line=step.line)
    return Judgement(share=0.2, message=f"A CI step runs the tests, but {told}.", where=where)


@rule(
    Check(
        code="CICD002",
        family="ci",
        title="The CI definition is valid",
        why="A workflow with a mistake in its structure does not run at all, and nobody is told.",
        fix="Mend what the schema refuses.",
        example="check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml",
        source="SchemaStore, github-workflow.json and GitLab's ci.json; check-jsonschema",
        weight=1,
    ),
    tools=("CI schemas",),
)
def valid_definition(evidence: Evidence) -> Judgement:
    """Hold each definition against its published schema."""
    if not evidence.project.workflows:
        return Judgement(share=0.0, message="There is no CI workflow.")
    broken = evidence.linters.schemas
    if absent := _absent(evidence):
        message = f"It installs from {absent[0][2]}, which does not exist."
        return Judgement(share=0.0, message=message, where=Where(path=absent[0][0].path))
    if not broken:
        message = f"{count(len(evidence.project.workflows), 'definition')}, valid."
        return Judgement(share=1.0, message=message)
    message = f"{broken[0].path}: {broken[0].message}."
    where = Where(path=broken[0].path)
    return Judgement(share=0.5 - 0.25 * len(broken), message=message, where=where)


@rule(
    Check(
        code="CICD003",
        family="ci",
        title="CI lints and checks types",
        why="What a tool can find should not wait for a reviewer.",
        fix="Add steps for a linter and a type checker that can fail.",
        example="- run: ruff check .\n- run: ruff format --check .\n- run: mypy src",
        source="OpenSSF Scorecard, SAST; Google Engineering Practices",
        weight=1,
    )
)
def ci_lints(evidence: Evidence) -> Judgement:
    """Look for a linter and a type checker among the steps that can fail; each counts half."""
    commands = "\n".join(step.command for _, step in _runnable(evidence) if step.can_fail)
    missing = [
        name
        for name, pattern in (("a linter", _LINT), ("a type checker", _TYPES))
        if not pattern.search(commands)
    ]
    message = f"CI runs no {' and no '.join(m[2:] for m in missing)}." if missing else "It does."
    return Judgement(share=1 - len(missing) / 2, message=message)


@rule(
    Check(
        code="CICD004",
        family="ci",
        title="CI builds what is deployed",
        why="A wheel or an image that is first built on the day of the release fails on that day.",
        fix="Build the wheel, or the image, in CI.",
        example="- run: python -m build --wheel",
        source="Humble and Farley 2010, Continuous Delivery, chapter 5; OpenSSF Scorecard, "
        "Packaging",
        weight=1,
    )
)
def ci_builds(evidence: Evidence) -> Judgement:
    """Look for a step that builds a wheel or an image."""
    building = [step for _, step in _runnable(evidence) if _BUILD.search(step.command)]
    if building:
        return Judgement(share=1.0, message="CI builds a wheel or an image.")
    return Judgement(share=0.0, message="No CI step builds a wheel or an image.")


@rule(
    Check(
        code="CICD005",
        family="ci",
        title="CI is safe to run",
        why="A workflow runs strangers' actions with the repository's rights. Unpinned, they can "
        "change overnight; with too many rights, they can change the repository.",
        fix="Pin actions to commits, give least permissions, and do not persist credentials.",
        example="permissions:\n  contents: read\n…\n- uses: actions/checkout@<40 hex digits>\n"
        "  with:\n    persist-credentials: false",
        source="GitHub, Security hardening for GitHub Actions; zizmor audits; OpenSSF Scorecard, "
        "Token-Permissions",
        weight=1,
    ),
    tools=("zizmor",),
)
def ci_is_safe(evidence: Evidence) -> Judgement:
    """Weigh zizmor's findings by kind and severity; other systems than GitHub's are not audited."""
    if not evidence.project.workflows:
        return Judgement(share=0.0, message="There is no CI workflow.")
    if not _runnable(evidence):
        return Judgement(share=0.0, message="No step of it is run at a push.")
    found = evidence.linters.workflows
    kinds = {(lint.code, lint.message) for lint in found}
    cost = sum(_SEVERITY.get(severity, 0.0) for _, severity in kinds)
    if not cost:
        return Judgement(share=1.0, message="The audit finds nothing.")
    first = next(lint for lint in found if _SEVERITY.get(lint.message))
    return Judgement(
        share=1 - cost,
        message=f"The audit finds {listing(sorted({code for code, _ in kinds}), 5)}.",
        where=Where(path=first.path, line=first.line),
    )


_STEPS = Scale(
    measure="share of CI's steps that pass, of those that can be run",
    none=0.0,
    full=1.0,
    reason="Each step guards something of its own, so each counts alike.",
)


@seen_rule(
    Check(
        code="CICD006",
        family="ci",
        title="CI's own steps pass",
        why="A workflow that has never been green is a wish. The steps are run as they are "
        "declared, in the sandbox, without a network; what needs one is told and counts neither "
        "way.",
        fix="Run the step's own lines in a clean checkout and mend what fails.",
        example="ruff check . && python -m pytest",
        source="Fowler 2006, Continuous Integration; OpenSSF Scorecard, CI-Tests",
        weight=2,
        requires="ci",
    ),
    lambda observed: observed.ci,
    scales=(_STEPS,),
)
def ci_steps_pass(evidence: Evidence, run: CiRun) -> Judgement:
    """Count the steps that passed among those that could be run."""
    if not evidence.project.workflows:
        return Judgement(share=0.0, message="There is no CI workflow.")
    passed = [step for step in run.steps if step.end is StepEnd.PASSED]
    failed = [step for step in run.steps if step.end is StepEnd.FAILED]
    left = [step for step in run.steps if step.end is StepEnd.UNVERIFIABLE]
    if not passed and not failed:
        why = run.message or "; ".join(sorted({step.message for step in left}))
        return not_verifiable(f"No step could be run here: {why or 'there is none'}.")
    message = f"{len(passed)} of {count(len(passed) + len(failed), 'step')} pass"
    if left:
        told = listing(f"`{step.command}` ({step.message})" for step in left)
        message += f"; not verifiable here: {told}"
    if failed:
        message += f"; `{failed[0].command}` fails: {failed[0].message}"
    where = failed[0].where if failed else None
    share = _STEPS.share(len(passed) / (len(passed) + len(failed)))
    return Judgement(share=share, message=f"{message}.", where=where)


@seen_rule(
    Check(
        code="CICD007",
        family="ci",
        title="CI turns red when a test fails",
        why="A pipeline that stays green over a failing test is worse than none: it says that all "
        "is well. So a failing test is added, and CI's own steps are run again.",
        fix="Let the step that runs the tests end with their exit status: no `|| true`, no pipe "
        "that swallows it, no selection that leaves tests out.",
        example="- run: python -m pytest",
        source="Canary testing; Humble and Farley 2010, Continuous Delivery, chapter 5",
        weight=3,
        requires="ci",
    ),
    lambda observed: observed.ci,
)
def ci_turns_red(evidence: Evidence, run: CiRun) -> Judgement:
    """Ask whether the added failing test turned CI red."""
    if not evidence.project.workflows:
        return Judgement(share=0.0, message="There is no CI workflow.")
    if run.canary_red is None:
        why = f": {run.message}" if run.message else ""
        return not_verifiable(f"No green step that runs the tests could be run here{why}.")
    if run.canary_red:
        return Judgement(share=1.0, message="With a failing test added, CI turns red.")
    return Judgement(share=0.0, message="With a failing test added, CI stays green.")
