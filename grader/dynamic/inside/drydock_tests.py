"""Runs the tests of the project in the working folder, and notes what was seen of them.

Arguments: the package, the file for the notes, and ``coverage`` or ``plain``. The process ends with
pytest's own exit code.
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


def main() -> int:
    """Run the tests and return pytest's exit code."""
    package, notes_file, kind = sys.argv[1:4]
    watch = _watch(package) if kind == "coverage" else None
    import pytest  # noqa: PLC0415 - after coverage has started, so that plugins are seen

    notes = Notes()
    code = int(pytest.main(_arguments(kind), plugins=[notes]))
    share = _stop(watch) if watch is not None else None
    failed = sorted(name for name, end in notes.ends.items() if end == "failed")
    found = {
        "passed": sum(end == "passed" for end in notes.ends.values()),
        "failed": len(failed),
        "first": failed[0] if failed else "",
        "coverage": share,
    }
    Path(notes_file).write_text(json.dumps(found), encoding="utf-8")
    return code


def _arguments(kind: str) -> list[str]:
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


if __name__ == "__main__":
    sys.exit(main())
