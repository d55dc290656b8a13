from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.dynamic import build_wheel, run_tests
from grader.dynamic.suite import patient
from grader.model import Cause, Checkout, Environment, Limits, TestRun
from grader.sandbox import Sandbox

Project = Callable[..., Checkout]
Run = Callable[..., TestRun]
TEST = "tests/test_double.py"


@pytest.fixture
def run(project: Project, sandbox: Sandbox, limits: Limits, pinned: Environment) -> Run:
    def ran(changes: dict[str, str | None] | None = None) -> TestRun:
        checkout = project(changes)
        _, site = build_wheel(checkout, sandbox, limits, pinned)
        assert site is not None
        return run_tests(checkout, site, sandbox, limits, "tinyport")

    return ran


def test_good_tests_are_green(run: Run) -> None:
    found = run()
    assert (found.ran, found.passed, found.green) == (1, 1, True)
    assert found.message == "1 tests pass."


def test_good_tests_find_sabotage(run: Run) -> None:
    assert not run().canary_green


def test_coverage_is_of_the_package(run: Run) -> None:
    assert run().coverage == pytest.approx(0.75)


def test_source_folder_is_sabotaged_too(run: Run) -> None:
    path = "import sys\n\nsys.path.insert(0, 'src')\n"
    found = run({"tests/conftest.py": path})
    assert (found.green, found.canary_green) == (True, False)


def test_failing_tests_are_named(run: Run) -> None:
    found = run({TEST: "def test_no():\n    assert 1 == 2\n"})
    assert not found.green
    assert found.message == "1 of 1 tests fail, the first in tests/test_double.py::test_no."


def test_tests_of_nothing_stay_green(run: Run) -> None:
    found = run({TEST: "def test_yes():\n    assert 1 == 1\n"})
    assert (found.green, found.canary_green) == (True, True)


def test_no_tests_are_not_green(run: Run) -> None:
    found = run({TEST: "x = 1\n"})
    assert (found.green, found.ran, found.message) == (False, 0, "pytest found no test.")


def test_broken_collection_is_not_green(run: Run) -> None:
    found = run({TEST: "import nowhere\n"})
    assert (found.green, found.failed) == (False, 1)


ENDS = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
DROPS = "def pytest_collection_modifyitems(items):\n    items.clear()\n\n\n"
LEAVES = "import os\n\ndef pytest_runtest_setup(item):\n    os._exit(0)\n"


@pytest.mark.parametrize(
    "forgery",
    [
        "import os; os._exit(0)",
        "import atexit, os; atexit.register(os._exit, 0)",
        ENDS,
        f"{DROPS}{ENDS}",
        LEAVES,
    ],
)
def test_forged_greens_stay_green(forgery: str, run: Run) -> None:
    found = run({"tests/conftest.py": forgery, TEST: "def test_no():\n    assert 1 == 2\n"})
    assert found.canary_green or not found.green


def test_forged_notes_decide_nothing(run: Run) -> None:
    notes = '{"passed": 1e99, "failed": -5, "first": 3, "coverage": 7}'
    forging = f"import os\nopen('drydock-tests.json', 'w').write('{notes}')\nos._exit(1)\n"
    found = run({"tests/conftest.py": forging})
    assert (found.green, found.passed, found.failed, found.coverage) == (False, 0, 0, None)


def test_endless_tests_time_out(run: Run, limits: Limits) -> None:
    found = run({TEST: "def test_long():\n    import time; time.sleep(100)\n"})
    assert (found.cause, found.green) == (Cause.TIMEOUT, False)
    assert f"{patient(limits).wall_seconds:g} s" in found.message
