"""The team's own CI, step by step in the sandbox, and once more with a failing test added.

Whether a job ends green or red is seen from outside the sandbox. Which step it was, and what it
said, is noted inside: it explains and decides nothing.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.commands import last_line, place_files, printable, tree_files, why_failed
from grader.dynamic.suite import RUNNER, patient
from grader.errors import SandboxError
from grader.model import (
    Binding,
    Cause,
    Checkout,
    CiCommand,
    CiPlan,
    CiRun,
    CiStepRun,
    Limits,
    StepEnd,
)
from grader.sandbox import Job, Result, Sandbox

_NOTES = "drydock-ci.json"
_SETTINGS = frozenset({"pyproject.toml", "setup.cfg", "tox.ini", ".coveragerc", "pytest.ini"})
_NO_BAR = re.compile(rb"(fail[_-]under[\"']?\s*[=:\s]\s*)\d+(?:\.\d+)?")
_NO_BAR_OPTION = re.compile(r"(fail-under[=\s]\s*)\d+(?:\.\d+)?")
_PROGRAMS = ("drydock_ci.py", "drydock_shim.py", "drydock_warm.py", "drydock_build.py")
CANARY = b'''"""Sums, as they ought to be."""

from __future__ import annotations

import unittest


class SumTest(unittest.TestCase):
    """Adds two numbers."""

    def test_sum(self) -> None:
        """One and one are three, so that whoever runs this turns red."""
        self.assertEqual(sum([1, 1]), 3)  # noqa: PT009
'''
"""The failing test, for pytest and unittest alike; linters and type checkers find nothing in it."""


def run_ci(
    checkout: Checkout,
    plan: CiPlan,
    site: Path,
    sandbox: Sandbox,
    limits: Limits,
    shell: Path,
) -> CiRun:
    """Run what a push starts, and what of it runs tests once more with a failing test added.

    :param plan: the steps, as the project's CI declares them
    :param site: the unpacked wheel
    :param shell: a folder of the sandbox's own, as ``place_shell`` makes it
    :raises SandboxError: the sandbox failed, which is no fault of the submission
    """
    if not plan.jobs:
        return CiRun(steps=(), canary_red=None, message="no job is started by a push")
    bench = _Bench.of(checkout, plan, site, sandbox, limits, shell)
    steps: list[CiStepRun] = []
    canaries: list[bool] = []
    for job in plan.jobs:
        tests = [step for step in job if step.tests and not step.unverifiable]
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="canary") as pool:
            canary = pool.submit(bench.turns_red, tests) if tests else None
            ran, green = bench.run(job)
            steps += ran
            tested = any(c.tests and _passed(step) for c, step in zip(job, ran, strict=True))
            if canary is not None and green and tested:
                canaries.append(canary.result())
    return CiRun(steps=tuple(steps), canary_red=any(canaries) if canaries else None, message="")


def _passed(step: CiStepRun) -> bool:
    return step.end is StepEnd.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What the jobs of one submission share."""

    sandbox: Sandbox
    limits: Limits
    folders: Mapping[str, Path]
    with_canary: Path
    source: tuple[str, ...]
    """Inside folders that the package is imported from, as an editable install would have it."""
    scripts: Mapping[str, str]

    @classmethod
    def of(
        cls,
        checkout: Checkout,
        plan: CiPlan,
        site: Path,
        sandbox: Sandbox,
        limits: Limits,
        shell: Path,
    ) -> _Bench:
        tree = tree_files(checkout.tree)
        programs = {name: (RUNNER.parent / name).read_bytes() for name in _PROGRAMS}
        sources = ("/work/src", "/work") if any(k.startswith("src/") for k in tree) else ("/work",)
        return cls(
            sandbox=sandbox,
            limits=patient(limits),
            folders={
                "/submission": place_files(sandbox, "submission", tree),
                "/site": site,
                "/tools": place_files(sandbox, "tools", programs),
                "/shell": shell,
            },
            with_canary=place_files(sandbox, "submission", with_canary(tree, plan.canary)),
            source=sources,
            scripts=_console_scripts(site),
        )

    def run(self, job: Sequence[CiCommand]) -> tuple[list[CiStepRun], bool]:
        """Run a job's steps; whether it stayed green is seen from outside."""
        ready = [step for step in job if not step.unverifiable]
        result = self._run(ready, self.folders) if ready else None
        notes = iter(_notes(result) if result else ())
        ran = []
        for step in job:
            note = None if step.unverifiable else next(notes, None)
            ran.append(_step_run(step, note, result, self.limits))
        green = result is not None and result.cause is None and result.exit_code == 0
        return ran, green

    def turns_red(self, tests: Sequence[CiCommand]) -> bool:
        """Run the steps that run tests with a failing one added."""
        folders = {**self.folders, "/submission": self.with_canary}
        # What passes without it, whatever it does without, can fail of nothing else.
        result = self._run([hurried(step) for step in tests], folders, strict=True)
        # A run that had to be stopped said nothing of the failing test.
        return result.cause is None and result.exit_code != 0

    def _run(
        self, steps: Sequence[CiCommand], folders: Mapping[str, Path], *, strict: bool = False
    ) -> Result:
        plan = {
            "scripts": dict(self.scripts),
            "steps": [_document(step) for step in steps],
            "strict": strict,
        }
        content = json.dumps(plan).encode()
        given = {**folders, "/plan": place_files(self.sandbox, "plan", {"plan.json": content})}
        result = self.sandbox.run(
            Job(
                module="drydock_ci",
                arguments=("/plan/plan.json", "/shell", _NOTES),
                mounts=tuple(
                    Binding(host=host, inside=Path(inside)) for inside, host in given.items()
                ),
                python_path=(*self.source, "/site", "/tools"),
                limits=self.limits,
                collect=(_NOTES,),
                copy_to_work="/submission",
            )
        )
        failure = why_failed("CI", result, self.limits, reveal=True)
        if failure is not None and failure.cause is Cause.SANDBOX:
            raise SandboxError("sandbox-failed", failure.message, remedy="Run 'drydock doctor'.")
        return result


def with_canary(tree: Mapping[str, bytes], path: str) -> dict[str, bytes]:
    """Return the tree with a failing test added, and with no bar for how much is covered.

    The run stops at the first failure, so that little is covered: that must not turn it red.
    """
    settled = {
        name: _NO_BAR.sub(rb"\g<1>0", content) if name in _SETTINGS else content
        for name, content in tree.items()
    }
    return {**settled, path: CANARY}


def hurried(step: CiCommand) -> CiCommand:
    """Return a step that stops at the first failing test, and asks for no coverage."""
    script = _NO_BAR_OPTION.sub(r"\g<1>0", step.script)
    return replace(step, script=script, environment={**step.environment, "PYTEST_ADDOPTS": "-x"})


def _document(step: CiCommand) -> dict[str, Any]:
    return {
        "script": step.script,
        "shell": list(step.shell),
        "environment": dict(step.environment),
        "folder": step.folder,
        "may_fail": step.may_fail,
    }


def _step_run(
    step: CiCommand, note: Mapping[str, Any] | None, result: Result | None, limits: Limits
) -> CiStepRun:
    end, message = StepEnd.UNVERIFIABLE, step.unverifiable
    if note is not None:
        end, message = _ended(step, note)
    elif not step.unverifiable and result is not None and result.cause is not None:
        failure = why_failed("CI", result, limits, reveal=True)
        end, message = StepEnd.FAILED, failure.message if failure else ""
    elif not step.unverifiable:
        message = "an earlier step fails"
    return CiStepRun(where=step.where, command=step.name, end=end, message=message)


def _ended(step: CiCommand, note: Mapping[str, Any]) -> tuple[StepEnd, str]:
    """Say how a step ended. What a tool that is not here left undone can't be told."""
    lost = [printable(str(name), 40) for name in note["missing"]]
    code, said = note["code"], last_line(str(note["said"]))
    if lost:
        beside = (
            step.tests and code == 0 and not any(name in step.script for name in _testers(lost))
        )
        end = StepEnd.PASSED if beside else StepEnd.UNVERIFIABLE
        return end, f"without {', '.join(lost)}, which the environment lacks"
    if code == 0:
        return StepEnd.PASSED, ""
    return StepEnd.FAILED, said or f"it ends with {code}"


def _testers(names: Sequence[str]) -> list[str]:
    known = {"pytest", "tox", "nox", "make", "just", "poe", "invoke", "task", "nose2"}
    return [name for name in names if name in known]


def _notes(result: Result) -> list[Mapping[str, Any]]:
    """Read what was noted beside the team's code: anything may be in it."""
    (file,) = result.files
    try:
        found = json.loads(file.content or b"[]")
    except (ValueError, RecursionError):
        return []
    whole = isinstance(found, list) and all(
        isinstance(note, dict)
        and type(note.get("code")) is int
        and isinstance(note.get("missing"), list)
        and isinstance(note.get("said"), str)
        for note in found
    )
    return found if whole else []


def _console_scripts(site: Path) -> dict[str, str]:
    """Return the commands that installing the wheel would make: name to ``module:function``."""
    for file in sorted(site.glob("*.dist-info/entry_points.txt")):
        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (configparser.Error, UnicodeDecodeError):
            return {}
        found = parser["console_scripts"] if parser.has_section("console_scripts") else {}
        return {k: v for k, v in found.items() if k.replace("-", "_").isidentifier()}
    return {}
