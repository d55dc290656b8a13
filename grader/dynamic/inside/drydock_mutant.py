"""Runs chosen tests on a changed package, and ends with a code that tells what failed first.

Arguments: the folder of the changed files, which are copied over the working folder; a file that
lists the tests; and the code to end with where an assertion of a test failed first. Any other
failure ends with pytest's own code.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Failed
from drydock_tests import arguments

_ASSERTIONS = (AssertionError, Failed)
"""Taken before any code of the team's runs, which could put others in their place."""
_HELPERS = ("numpy/testing/", "pandas/_testing/", "_pytest/", "unittest/", "hypothesis/")


class Chosen:
    """Runs the chosen tests alone, and looks at the first failure. A pytest plugin."""

    def __init__(self, names: list[str]) -> None:
        self.names = frozenset(names)
        self.asserted: bool | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Leave out all other tests."""
        items[:] = [item for item in items if item.nodeid in self.names]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """Look at what a test raised before anybody can put another face on it."""
        raised = call.excinfo
        report = yield
        # Of a unittest.TestCase the exception is known only now.
        raised = raised or call.excinfo
        if raised is not None and self.asserted is None:
            self.asserted = call.when == "call" and raised_by_test(item, raised)
        return report


def raised_by_test(item: Any, excinfo: Any) -> bool:
    """Whether an assertion failed, in the test's own file or in a library's helper called there."""
    if not isinstance(excinfo.value, _ASSERTIONS):
        return False
    files = [str(entry.frame.code.path) for entry in excinfo.traceback]
    if str(item.path) not in files:
        return False
    last = files[-1].replace(os.sep, "/")
    return last == str(item.path) or _is_test_helper(last)


def _is_test_helper(file: str) -> bool:
    library = any(part in file for part in _HELPERS) and "/work/" not in file
    own = "/work/" in file and "/test" in file and not file.endswith("/conftest.py")
    return library or own


def main() -> int:
    """Run the tests and return the code to end with."""
    changed, listing, asserted = sys.argv[1:4]
    shutil.copytree(changed, ".", dirs_exist_ok=True)
    names = json.loads(Path(listing).read_text(encoding="utf-8"))
    chosen = Chosen(names)
    files = sorted({name.split("::", 1)[0] for name in names})
    sys.argv[1:] = []
    code = int(pytest.main([*arguments("plain"), *files], plugins=[chosen]))
    return int(asserted) if code == int(pytest.ExitCode.TESTS_FAILED) and chosen.asserted else code


if __name__ == "__main__":
    # Nothing that the tests left behind has a say in how this ends.
    os._exit(main())
