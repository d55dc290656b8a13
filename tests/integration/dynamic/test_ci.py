"""A project's own CI in the real sandbox: what passes, what turns red, what can't be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.dynamic import build_wheel, place_shell, run_ci
from grader.model import Checkout, CiCommand, CiPlan, CiRun, Environment, Limits, StepEnd, Where
from grader.sandbox import Sandbox

Project = Callable[..., Checkout]
Run = Callable[..., CiRun]
CANARY = "tests/test_0_aaaaaa.py"
BASH = ("--noprofile", "--norc", "-eo", "pipefail")


def step(script: str, **settings: Any) -> CiCommand:
    where = Where(path="ci.yml", line=1)
    plain = CiCommand(where=where, name=script, script=script, tests="test" in script)
    return replace(plain, **settings)


@pytest.fixture
def run(project: Project, sandbox: Sandbox, limits: Limits, pinned: Environment) -> Run:
    def ran(*steps: CiCommand, changes: dict[str, str | None] | None = None) -> CiRun:
        plain = {"pyproject.toml": PYPROJECT}
        checkout = project({**plain, **(changes or {})})
        _, site = build_wheel(checkout, sandbox, limits, pinned)
        assert site is not None
        plan = CiPlan(jobs=(steps,) if steps else (), canary=CANARY)
        return run_ci(checkout, plan, site, sandbox, limits, place_shell(sandbox))

    return ran


PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tiny-port"
version = "1.2.3"

[project.scripts]
tiny = "tinyport:main"

[tool.hatch.build.targets.wheel]
packages = ["src/tinyport"]

[tool.coverage.report]
fail_under = 40
"""
MAIN = "def double(x):\n    return 2 * x\n\n\ndef main():\n    print('tiny')\n"


def ends(found: CiRun) -> list[StepEnd]:
    return [item.end for item in found.steps]


@pytest.mark.parametrize(
    "script",
    [
        "pytest",
        "python -m pytest -q",
        "pip install -e .[dev]\npython -m pytest",
        "uv run pytest tests",
        "poetry run python -m pytest",
        "coverage run --source=tinyport -m pytest\ncoverage report",
        "python -m unittest discover -s tests -p 'test_*.py'",
        "cd tests && pytest .",
        "mypy src\npytest",
    ],
)
def test_tests_pass_and_turn_red(script: str, run: Run) -> None:
    unittest = (
        "import unittest\nfrom tinyport import double\n\n\nclass T(unittest.TestCase):\n"
        "    def test_double(self):\n        self.assertEqual(double(2), 4)\n"
    )
    found = run(step(script), changes={"tests/test_double.py": unittest})
    assert ends(found) == [StepEnd.PASSED], found.steps
    assert found.canary_red is True


@pytest.mark.parametrize(
    "script",
    [
        "pytest || true",
        "pytest | tail -1",
        "set +e\npytest\nexit 0",
        "pytest --co",
        "pytest tests/test_double.py",
        "pytest -k double",
        "coverage run -m pytest || true\ncoverage report",
        "if pytest; then echo green; fi",
    ],
)
def test_ci_that_cannot_fail_is_found(script: str, run: Run) -> None:
    assert run(step(script)).canary_red is False


def test_pipe_is_safe_with_pipefail(run: Run) -> None:
    assert run(step("pytest | tail -1", shell=BASH)).canary_red is True


def test_failure_that_is_let_pass_is_found(run: Run) -> None:
    assert run(step("pytest", may_fail=True)).canary_red is False


def test_failing_step_is_named(run: Run) -> None:
    found = run(step("echo before"), step("ls nowhere"), step("pytest"))
    assert ends(found) == [StepEnd.PASSED, StepEnd.FAILED, StepEnd.UNVERIFIABLE]
    assert "nowhere" in found.steps[1].message
    assert found.canary_red is None


@pytest.mark.parametrize(
    ("script", "named"),
    [
        ("mypy src", "mypy"),
        ("python -m mypy src", "mypy"),
        ("docker build .", "docker"),
        ("uvx mypy", "mypy"),
        ("make test", "make"),
        ("sudo apt-get install x", "sudo"),
    ],
)
def test_what_is_lacking_is_told(script: str, named: str, run: Run) -> None:
    found = run(step(script))
    assert ends(found) == [StepEnd.UNVERIFIABLE]
    assert f"without {named}" in found.steps[0].message
    assert found.canary_red is None


@pytest.mark.parametrize(
    "script",
    [
        "python -m pip wheel --no-deps --wheel-dir out . && ls out/*.whl",
        "python -m build --wheel && ls dist/*.whl",
        "uv build --wheel && ls dist/*.whl",
        'test "$(tiny)" = tiny',
        "ruff check src",
        'python -c "import tinyport"',
        "python scripts/say.py | grep -q said",
        'test "$CI" = true',
    ],
)
def test_usual_steps_pass(script: str, run: Run) -> None:
    changes = {"src/tinyport/__init__.py": MAIN, "scripts/say.py": "print('said')\n"}
    found = run(step(script, tests=False), changes=changes)
    assert ends(found) == [StepEnd.PASSED], found.steps


def test_variables_go_on_to_next_step(run: Run) -> None:
    first = step('echo "A=7" >> "$GITHUB_ENV"')
    found = run(first, step('[ "$A$B" = 78 ]', environment={"B": "8"}))
    assert ends(found) == [StepEnd.PASSED, StepEnd.PASSED]


def test_folder_is_entered(run: Run) -> None:
    assert ends(run(step("ls tinyport", folder="src"))) == [StepEnd.PASSED]


def test_missing_folder_fails(run: Run) -> None:
    assert ends(run(step("ls", folder="nowhere"))) == [StepEnd.FAILED]


def test_no_job_is_told(run: Run) -> None:
    found = run()
    assert (found.steps, found.canary_red) == ((), None)
    assert "no job" in found.message


def test_endless_step_is_stopped(run: Run) -> None:
    found = run(step("sleep 300"))
    assert (ends(found), found.canary_red) == ([StepEnd.FAILED], None)
    assert "was stopped" in found.steps[0].message


def test_killed_driver_is_red(run: Run) -> None:
    killing = "import os, signal\n\n\ndef test_kill():\n    os.kill(os.getppid(), signal.SIGKILL)\n"
    found = run(step("pytest"), changes={"tests/test_double.py": killing})
    assert found.canary_red is None
    assert ends(found) != [StepEnd.PASSED]


@pytest.mark.parametrize("notes", ["[]", "3", '[{"code": "0"}]', '[{"code": 0}]', "["])
def test_forged_notes_decide_nothing(notes: str, run: Run) -> None:
    forging = f"printf '%s' '{notes}' > drydock-ci.json\nkill -9 $PPID"
    found = run(step(forging, tests=False))
    assert StepEnd.PASSED not in ends(found)
