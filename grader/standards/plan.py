"""From CI as it is declared to steps that can be run without the CI server.

Jobs are taken as a push would start them, each in the first combination of its matrix. Actions that
only prepare the machine are passed over: the sandbox is prepared. What needs the server, another
machine or a container is told as not verifiable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from grader.model import CiCommand, CiPlan, Where
from grader.standards.expressions import UnknownExpressionError, fill_in, holds
from grader.standards.project import Project, strings, table
from grader.standards.wording import words
from grader.standards.workflows import TESTING, Workflow

MOST_JOBS = 4
MOST_STEPS = 40
"""Jobs and steps of each that are run; who needs more is not helped by a grader."""

_PREPARES = words(
    "actions/checkout actions/setup-python actions/setup-node actions/cache actions/cache/restore "
    "actions/cache/save actions/upload-artifact actions/download-artifact astral-sh/setup-uv "
    "snok/install-poetry pdm-project/setup-pdm pre-commit/action"
)
_GITHUB_NAMES = {
    "github.event_name": "push",
    "github.ref": "refs/heads/main",
    "github.ref_name": "main",
    "github.ref_type": "branch",
    "github.head_ref": "",
    "github.workspace": ".",
    "github.run_id": "1",
    "github.run_number": "1",
    "runner.os": "Linux",
    "runner.arch": "X64",
    "runner.temp": "/tmp",  # noqa: S108 - inside the sandbox, the job's own
}
_SHELLS = {
    "": ("-e",),
    "bash": ("--noprofile", "--norc", "-eo", "pipefail"),
    "sh": ("-e",),
}


def plan_ci(project: Project) -> CiPlan:
    """Work out what a push to this project starts."""
    jobs: list[tuple[CiCommand, ...]] = []
    for workflow in project.workflows:
        if workflow.on_push and not workflow.error:
            jobs += _jobs(workflow, project)
    kept = tuple(job[:MOST_STEPS] for job in jobs if job)[:MOST_JOBS]
    return CiPlan(jobs=kept, canary=_canary(project, kept))


def _jobs(workflow: Workflow, project: Project) -> Iterator[tuple[CiCommand, ...]]:
    if workflow.system == "other":
        where = Where(path=workflow.path)
        why = "its CI system is not known here"
        yield (CiCommand(where=where, name=workflow.path, script="", unverifiable=why),)
        return
    make = _github_job if workflow.system == "github" else _gitlab_job
    jobs = workflow.document if workflow.system == "gitlab" else workflow.document.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, Mapping) else ():
        if isinstance(job, Mapping):
            yield tuple(make(str(name), job, workflow, project))


# ------------------------------------------------------------------------------ GitHub Actions


def _github_job(
    _: str, job: Mapping[str, Any], workflow: Workflow, project: Project
) -> Iterator[CiCommand]:
    names = {**_GITHUB_NAMES, **_matrix(job, project.contract.python)}
    steps = job.get("steps")
    steps = steps if isinstance(steps, list) else []
    listed = [step for step in steps if isinstance(step, Mapping)]
    why = _foreign(job)
    try:
        if not holds(job.get("if", True), names):
            return
    except UnknownExpressionError as error:
        why = why or f"its condition `{error}` is known to the CI server alone"
    if not listed and why:
        yield _unrun(workflow, str(job.get("uses", "job")), why)
    for step in listed:
        made = _github_step(step, job, workflow, names)
        if made is not None:
            yield made if not why else replace(made, script="", unverifiable=why)


def _github_step(
    step: Mapping[str, Any], job: Mapping[str, Any], workflow: Workflow, names: Mapping[str, str]
) -> CiCommand | None:
    action, script = str(step.get("uses", "")), str(step.get("run") or "")
    label = action or script
    environment = _variables(workflow.document, job, step)
    known = {**names, **{f"env.{key}": value for key, value in environment.items()}}
    if action:
        prepares = action.split("@", maxsplit=1)[0] in _PREPARES
        return None if prepares else _unrun(workflow, action, "an action is not run here")
    try:
        if not holds(step.get("if", True), known):
            return None
        defaults = {**table(workflow.document, "defaults", "run"), **table(job, "defaults", "run")}
        settings = {**defaults, **step}
        shell = str(settings.get("shell", ""))
        if shell not in _SHELLS:
            return _unrun(workflow, label, f"its shell `{_one_line(shell)}` is not held here")
        return CiCommand(
            where=_where(workflow, label),
            name=_one_line(label),
            script=fill_in(script, known),
            shell=_SHELLS[shell],
            environment={key: fill_in(value, known) for key, value in environment.items()},
            folder=fill_in(str(settings.get("working-directory", ".")), known),
            tests=bool(TESTING.search(script)),
            may_fail=_truthy(job, known) or _truthy(step, known),
        )
    except UnknownExpressionError as error:
        return _unrun(workflow, label, f"`{error}` is known to the CI server alone")


def _matrix(job: Mapping[str, Any], python: str) -> dict[str, str]:
    """Return the names of a matrix's first combination, with the graded Python where it is one."""
    matrix = table(job, "strategy", "matrix")
    chosen: dict[str, Any] = {}
    for key, values in matrix.items():
        if _is_list(values) and values and key not in {"include", "exclude"}:
            chosen[key] = next((v for v in values if str(v) == python), values[0])
    extra = matrix.get("include")
    if not chosen and _is_list(extra) and extra and isinstance(extra[0], Mapping):
        chosen = dict(extra[0])
    return {f"matrix.{key}": str(value) for key, value in chosen.items()}


def _foreign(job: Mapping[str, Any]) -> str:
    """Say why a job as a whole can't be run here; empty where it can."""
    if job.get("uses"):
        return "a workflow from elsewhere is not run here"
    if job.get("container") or job.get("services"):
        return "containers are not run here"
    runner = str(job.get("runs-on", "ubuntu"))
    return "another operating system" if re.search(r"windows|macos", runner, re.IGNORECASE) else ""


def _variables(*levels: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for level in levels:
        environment = level.get("env")
        if isinstance(environment, Mapping):
            found |= {str(key): str(value) for key, value in environment.items()}
    return found


def _truthy(settings: Mapping[str, Any], names: Mapping[str, str]) -> bool:
    return holds(settings.get("continue-on-error", False), names)


# ------------------------------------------------------------------------------ GitLab CI


def _gitlab_job(
    name: str, job: Mapping[str, Any], workflow: Workflow, _: Project
) -> Iterator[CiCommand]:
    script = _lines(job.get("script"))
    if name.startswith(".") or not script or job.get("when") in {"manual", "never", "delayed"}:
        return
    if job.get("only") == ["tags"] or job.get("extends") or job.get("rules"):
        yield _unrun(workflow, name, "when it runs is known to the CI server alone")
        return
    document = workflow.document
    before = job.get("before_script", table(document, "default").get("before_script"))
    before = document.get("before_script") if before is None else before
    variables = {**table(document, "variables"), **table(job, "variables")}
    whole = "\n".join([*_lines(before), *script])
    yield CiCommand(
        where=_where(workflow, script[0]),
        name=_one_line(script[0]),
        script=whole,
        shell=_SHELLS["bash"],
        environment={str(key): str(value) for key, value in variables.items()},
        tests=bool(TESTING.search(whole)),
        may_fail=job.get("allow_failure") not in {None, False},
    )


def _lines(value: object) -> list[str]:
    return [value] if isinstance(value, str) else strings(value)


# ------------------------------------------------------------------------------ the canary


def _canary(project: Project, jobs: Iterable[tuple[CiCommand, ...]]) -> str:
    """Choose where a failing test is added: among the tests that CI says it runs.

    It sorts before all others, so that a run that stops at the first failure is short.
    """
    digest = f"{sum(project.sizes.values()) % 16**6:06x}"
    pattern = _file_pattern(project)
    name = pattern.replace("*", f"0_{digest}", 1) if "*" in pattern else f"test_0_{digest}.py"
    commands = [step for job in jobs for step in job if step.tests]
    return str(PurePosixPath(_tests_folder(project, commands), name))


def _tests_folder(project: Project, commands: Iterable[CiCommand]) -> str:
    named = [
        PurePosixPath(step.folder, word)
        for step in commands
        for word in re.findall(r"[\w./-]+", step.script)
    ]
    for path in named:
        if {"test", "tests"} & set(path.parts) and project.holds(str(path)):
            return str(path.parent if path.suffix == ".py" else path)
    settings = table(project.tool("pytest"), "ini_options") or project.tool("pytest")
    stated = settings.get("testpaths")
    paths = stated.split() if isinstance(stated, str) else strings(stated)
    known = [path for path in [*paths, "tests", "test"] if project.holds(path)]
    own = [str(PurePosixPath(module.path).parent) for module in project.tests]
    return next(iter([*known, *own]), "tests")


def _file_pattern(project: Project) -> str:
    """Return what names of test files look like, where the project says so itself."""
    settings = table(project.tool("pytest"), "ini_options") or project.tool("pytest")
    stated = settings.get("python_files")
    patterns = stated.split() if isinstance(stated, str) else strings(stated)
    return next((p for p in patterns if re.fullmatch(r"[\w*-]+\.py", p)), "test_*.py")


# ------------------------------------------------------------------------------ small things


def _unrun(workflow: Workflow, label: str, why: str) -> CiCommand:
    tests = bool(TESTING.search(label))
    return CiCommand(
        where=_where(workflow, label),
        name=_one_line(label),
        script="",
        tests=tests,
        unverifiable=why,
    )


def _where(workflow: Workflow, label: str) -> Where:
    line = next((step.line for step in workflow.steps if step.command == label), None)
    return Where(path=workflow.path, line=line)


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{lines[0][:80]} …" if len(lines) > 1 else "".join(lines)[:80]


def _is_list(value: object) -> bool:
    return isinstance(value, list)
