"""Runs the tests of the project in the working folder, and notes what was seen of them.

Arguments: the package, the file for the notes, and ``coverage`` or ``plain``. The process ends with
pytest's own exit code. With ``coverage`` the notes say which test ran which line of the package.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

_FIXTURE = "fixture "
"""What the context of a shared fixture begins with; no test's name does."""

CONFIGURATIONS = ("pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")


class Notes:
    """Counts tests by how they ended. A pytest plugin."""

    def __init__(self) -> None:
        self.ends: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the worst end of each test: in its own body, or while it was set up."""
        if report.failed:
            self.ends[report.nodeid] = "failed"
        elif report.when == "call":
            self.ends.setdefault(report.nodeid, "skipped" if report.skipped else "passed")

    def pytest_collectreport(self, report: Any) -> None:
        """Keep files that cannot even be collected."""
        if report.failed:
            self.ends[report.nodeid] = "failed"


class Reach:
    """Notes which test ran which line. A pytest plugin.

    What a shared fixture runs is run for every test that asks for it, not for the first alone.
    """

    def __init__(self, watch: Any) -> None:
        self.watch = watch
        self.test = ""
        self.seen: set[str] = set()
        self.users: dict[str, set[str]] = {}

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Note what runs from here on as run by this test."""
        self.test = item.nodeid
        self.seen.add(self.test)
        self.watch.switch_context(self.test)
        for name in getattr(item, "fixturenames", ()):
            self.users.setdefault(f"{_FIXTURE}{name}", set()).add(self.test)

    def pytest_fixture_setup(self, fixturedef: Any) -> None:
        """Note what a shared fixture runs as its own."""
        if fixturedef.scope != "function":
            self.watch.switch_context(f"{_FIXTURE}{fixturedef.argname}")

    def pytest_fixture_post_finalizer(self) -> None:
        """Note what follows as run by the test again."""
        self.watch.switch_context(self.test)

    def pytest_runtest_call(self) -> None:
        """As above: the test itself runs only after all its fixtures."""
        self.watch.switch_context(self.test)

    def tests(self) -> list[str]:
        """Return every test that ran, sorted."""
        return sorted(self.seen)

    def lines(self, package: str, places: dict[str, int]) -> dict[str, Any]:
        """Return, by module and line, which tests ran it, by their place in the list."""
        data = self.watch.get_data()
        found = {}
        for file in sorted(data.measured_files()):
            parts = Path(file).parts
            if package in parts:
                name = "/".join(parts[parts.index(package) :])
                by_line = data.contexts_by_lineno(file)
                found[name] = {
                    line: sorted({places[test] for run in ran for test in self._tests_of(run)})
                    for line, ran in by_line.items()
                }
        return found

    def _tests_of(self, context: str) -> set[str]:
        if context.startswith(_FIXTURE):
            return self.users.get(context, set())
        return {context} if context else set()


def main() -> int:
    """Run the tests and return pytest's exit code."""
    package, notes_file, kind = sys.argv[1:4]
    watch = _watch(package) if kind == "coverage" else None
    import pytest  # noqa: PLC0415 - after coverage has started, so that plugins are seen

    notes = Notes()
    reach = Reach(watch)
    plugins = [notes, reach] if watch is not None else [notes]
    code = int(pytest.main(arguments(kind), plugins=plugins))
    share = _stop(watch) if watch is not None else None
    failed = sorted(name for name, end in notes.ends.items() if end == "failed")
    found = {
        "passed": sum(end == "passed" for end in notes.ends.values()),
        "failed": len(failed),
        "first": failed[0] if failed else "",
        "coverage": share,
        "reached": _reached(reach, package) if share is not None else {},
    }
    Path(notes_file).write_text(json.dumps(found), encoding="utf-8")
    return code


def arguments(kind: str) -> list[str]:
    """Return our own invocation: what the project adds by itself may need what is not here."""
    arguments = ["-q", "-p", "no:cacheprovider", "-o", "addopts="]
    # Pytest's own plugins may be imported already, which a project's filters may call an error.
    arguments += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    if kind == "plain":
        arguments.append("-x")
    text = "\n".join(_text(name) for name in CONFIGURATIONS)
    mode = re.search(r"--import-mode[=\s]+(prepend|append|importlib)\b", text)
    return [*arguments, f"--import-mode={mode[1]}"] if mode else arguments


def _text(name: str) -> str:
    file = Path(name)
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _watch(package: str) -> Any:
    if sys.version_info >= (3, 12):
        os.environ.setdefault("COVERAGE_CORE", "sysmon")
    # Imported here, because the variable above must be set before.
    coverage = importlib.import_module("coverage")

    watch = coverage.Coverage(data_file=None, config_file=False, source_pkgs=[package])
    watch.start()
    return watch


def _stop(watch: Any) -> float | None:
    """Return the share of the package's statements that ran; None where it was not imported."""
    watch.stop()
    try:
        return float(watch.report(file=io.StringIO())) / 100
    except importlib.import_module("coverage.exceptions").CoverageException:
        return None


def _reached(reach: Reach, package: str) -> dict[str, Any]:
    tests = reach.tests()
    return {
        "tests": tests,
        "lines": reach.lines(package, {test: place for place, test in enumerate(tests)}),
    }


if __name__ == "__main__":
    sys.exit(main())
