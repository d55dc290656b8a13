"""The team's own tests: run as they are, and run once more with the package sabotaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from grader.commands import place_file, place_files, printable, tree_files, why_failed
from grader.errors import SandboxError
from grader.model import Binding, Cause, Checkout, Limits, TestRun
from grader.sandbox import Job, Result, Sandbox

SABOTAGE = b'raise ImportError("sabotaged by the canary")\n'
"""What every module of the package says in the canary run."""
PATIENCE = 3
"""How many times the processor time of one command of the port all of its tests may take."""
SLACK = 2
"""How many times that the wall time: it stops what sleeps, and depends on what else runs on
the machine, so it must never decide about what works."""
RUNNER = Path(__file__).parent / "inside" / "drydock_tests.py"
"""The program that runs tests inside."""
_NOTES = "drydock-tests.json"
_LONG_LINE_NUMBER = 8
_BINARIES = frozenset({".pyc", ".so", ".pyd"})
_NO_TESTS = 5
"""pytest's exit code where it found no test."""


def run_tests(
    checkout: Checkout, site: Path, sandbox: Sandbox, limits: Limits, package: str
) -> TestRun:
    """Run the team's tests beside a canary: the same tests with every module of the package broken.

    Tests are found as the project configures them, but under our own invocation of pytest.

    :param site: the unpacked wheel, which is what the tests import unless they say otherwise
    :param package: the import name of the team's package
    :raises SandboxError: the sandbox failed, which is no fault of the submission
    """
    limits = patient(limits)
    tree = tree_files(checkout.tree)
    tools = place_file(sandbox, "tools", RUNNER.name, RUNNER.read_bytes())
    bench = _Bench(sandbox=sandbox, limits=limits, package=package, tools=tools)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="canary") as pool:
        broken = place_files(sandbox, "site", sabotaged(site_files(site), package))
        canary = pool.submit(bench.run, sabotaged(tree, package), broken, "plain")
        tests = bench.run(tree, site, "coverage")
        return _concluded(tests, canary.result(), limits)


def patient(limits: Limits) -> Limits:
    """Return the limits of all of a team's tests, from those of one command of the port."""
    return replace(
        limits,
        wall_seconds=limits.wall_seconds * PATIENCE * SLACK,
        cpu_seconds=limits.cpu_seconds * PATIENCE,
    )


def sabotaged(files: Mapping[str, bytes], package: str) -> dict[str, bytes]:
    """Return a tree in which no module of the package can be imported; its tests are left alone."""
    broken = {}
    for name, content in files.items():
        path = PurePosixPath(name)
        if not belongs(path, package):
            broken[name] = content
        elif path.suffix == ".py":
            broken[name] = SABOTAGE
        elif path.suffix not in _BINARIES:
            broken[name] = content
    return broken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    sandbox: Sandbox
    limits: Limits
    package: str
    tools: Path

    def run(self, tree: dict[str, bytes], site: Path, kind: str) -> Result:
        folders = {
            "/submission": place_files(self.sandbox, "submission", tree),
            "/site": site,
            "/tools": self.tools,
        }
        return self.sandbox.run(
            Job(
                module=RUNNER.stem,
                arguments=(self.package, _NOTES, kind),
                mounts=tuple(
                    Binding(host=host, inside=Path(inside)) for inside, host in folders.items()
                ),
                python_path=("/site", "/tools"),
                limits=self.limits,
                collect=(_NOTES,),
                copy_to_work="/submission",
            )
        )


def site_files(folder: Path) -> dict[str, bytes]:
    """Return the contents of an unpacked wheel's files by their relative paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def belongs(path: PurePosixPath, package: str) -> bool:
    """Whether a file of a tree is the package's own: below a folder of its name, and no test."""
    folders = path.parts[:-1]
    return package in folders and not any(folder.startswith("test") for folder in folders)


def _concluded(tests: Result, canary: Result, limits: Limits) -> TestRun:
    for result in (tests, canary):
        failure = why_failed("The tests", result, limits, reveal=True)
        if failure is not None and failure.cause is Cause.SANDBOX:
            raise SandboxError("sandbox-failed", failure.message, remedy="Run 'drydock doctor'.")
    notes = _notes(tests)
    passed, failed = _count(notes, "passed"), _count(notes, "failed")
    green = tests.cause is None and tests.exit_code == 0
    return TestRun(
        ran=passed + failed,
        passed=passed,
        failed=failed,
        green=green,
        canary_green=canary.cause is None and canary.exit_code == 0,
        coverage=_coverage(notes),
        message=_message(tests, notes, passed, failed, limits),
        cause=tests.cause,
        reached=_reached(notes),
    )


def _notes(result: Result) -> Mapping[str, Any]:
    """Read what the process noted: written beside the team's code, so anything may be in it."""
    (file,) = result.files
    try:
        found = json.loads(file.content or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _count(notes: Mapping[str, Any], name: str) -> int:
    value = notes.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return min(max(value, 0), 1_000_000)


def _coverage(notes: Mapping[str, Any]) -> float | None:
    value = notes.get("coverage")
    return float(value) if isinstance(value, float) and 0 <= value <= 1 else None


def _reached(notes: Mapping[str, Any]) -> dict[str, dict[int, tuple[str, ...]]]:
    """Read which tests ran which lines; what is not of that form is left out."""
    found = notes.get("reached")
    tests = found.get("tests") if isinstance(found, dict) else None
    files = found.get("lines") if isinstance(found, dict) else None
    if not isinstance(tests, list) or not isinstance(files, dict):
        return {}
    names = {place: name for place, name in enumerate(tests) if _is_node_id(name)}
    return {
        file: {
            int(line): tuple(names[place] for place in ran if place in names)
            for line, ran in lines.items()
            if _is_reach(line, ran)
        }
        for file, lines in files.items()
        if isinstance(lines, dict)
    }


def _is_reach(line: str, ran: object) -> bool:
    numbered = line.isdecimal() and len(line) < _LONG_LINE_NUMBER
    return numbered and isinstance(ran, list) and all(type(place) is int for place in ran)


def _is_node_id(name: object) -> bool:
    return isinstance(name, str) and "::" in name and not name.startswith(("-", "/", "."))


def _message(
    tests: Result, notes: Mapping[str, Any], passed: int, failed: int, limits: Limits
) -> str:
    if tests.cause is not None:
        failure = why_failed("The test run", tests, limits, reveal=True)
        return failure.message if failure is not None else ""
    if tests.exit_code == _NO_TESTS:
        return "pytest found no test."
    if failed:
        first = printable(str(notes.get("first", "")))
        return f"{failed} of {passed + failed} tests fail, the first in {first}."
    if tests.exit_code:
        return f"pytest ended with exit code {tests.exit_code}."
    return f"{passed} tests pass."
