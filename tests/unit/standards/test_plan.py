"""What a push starts is read from the CI definition alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from grader.model import CiCommand, CiPlan
from grader.standards.expressions import UnknownExpressionError, evaluate, fill_in, holds
from grader.standards.plan import plan_ci

CI = ".github/workflows/ci.yml"
Plan = Callable[..., CiPlan]


@pytest.fixture
def plan(changed: Callable[..., Any]) -> Plan:
    def planned(workflow: str, files: Mapping[str, str] | None = None, path: str = CI) -> CiPlan:
        changes = {CI: None, path: workflow, **(files or {})}
        return plan_ci(changed(changes).evidence().project)

    return planned


def job(steps: str, settings: str = "", on: str = "push") -> str:
    return f"on: {on}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n{settings}    steps:\n{steps}"


def only(planned: CiPlan) -> CiCommand:
    ((step,),) = planned.jobs
    return step


def test_run_becomes_command(plan: Plan) -> None:
    step = only(plan(job("      - run: python -m pytest\n")))
    assert (step.script, step.tests, step.unverifiable) == ("python -m pytest", True, "")
    assert (step.where.path, step.where.line) == (CI, 6)


def test_preparing_actions_are_passed_over(plan: Plan) -> None:
    steps = "      - uses: actions/checkout@v4\n      - uses: actions/setup-python@v5\n"
    assert plan(job(steps)).jobs == ()


def test_other_actions_are_not_verifiable(plan: Plan) -> None:
    step = only(plan(job("      - uses: docker/build-push-action@v6\n")))
    assert step.unverifiable == "an action is not run here"


@pytest.mark.parametrize("on", ["workflow_dispatch", "schedule", "{push: {tags: ['v*']}}"])
def test_only_a_push_starts_jobs(on: str, plan: Plan) -> None:
    assert plan(job("      - run: pytest\n", on=on)).jobs == ()


def test_matrix_takes_graded_python(plan: Plan) -> None:
    matrix = "    strategy:\n      matrix:\n        python: ['3.13', '3.11']\n        os: [a, b]\n"
    steps = "      - run: echo ${{ matrix.python }} ${{matrix.os}}\n"
    assert only(plan(job(steps, matrix))).script == "echo 3.11 a"


def test_variables_come_from_all_levels(plan: Plan) -> None:
    steps = "      - run: pytest\n        env: {A: '3', B: '${{ matrix.x }}'}\n"
    settings = "    env: {A: '2', C: '2'}\n    strategy: {matrix: {x: [7]}}\n"
    step = only(plan("env: {D: '1', A: '1'}\n" + job(steps, settings)))
    assert step.environment == {"A": "3", "B": "7", "C": "2", "D": "1"}


@pytest.mark.parametrize(
    ("settings", "kept"),
    [("if: false", False), ("if: github.event_name == 'push'", True), ("if: ${{ !true }}", False)],
)
def test_conditions_are_told(settings: str, kept: bool, plan: Plan) -> None:  # noqa: FBT001 - a case
    planned = plan(job(f"      - run: pytest\n        {settings}\n"))
    assert bool(planned.jobs) is kept


def test_unknown_condition_is_not_verifiable(plan: Plan) -> None:
    step = only(plan(job("      - run: pytest\n        if: hashFiles('a') != ''\n")))
    assert "CI server alone" in step.unverifiable
    assert step.tests


@pytest.mark.parametrize(
    "settings",
    ["    container: python:3.11\n", "    services: {db: {image: postgres}}\n"],
)
def test_containers_are_not_verifiable(settings: str, plan: Plan) -> None:
    assert "containers" in only(plan(job("      - run: pytest\n", settings))).unverifiable


def test_failure_may_be_let_pass(plan: Plan) -> None:
    assert only(plan(job("      - run: pytest\n        continue-on-error: true\n"))).may_fail


def test_folder_and_shell_are_kept(plan: Plan) -> None:
    defaults = "    defaults: {run: {working-directory: src, shell: bash}}\n"
    step = only(plan(job("      - run: pytest\n", defaults)))
    assert (step.folder, step.shell[-1]) == ("src", "pipefail")


def test_gitlab_runs_before_script(plan: Plan) -> None:
    text = "default:\n  before_script: [pip install -e .]\ntest:\n  script: [ruff check, pytest]\n"
    step = only(plan(text, path=".gitlab-ci.yml"))
    assert step.script == "pip install -e .\nruff check\npytest"


def test_gitlab_manual_job_is_left_out(plan: Plan) -> None:
    assert plan("a:\n  script: pytest\n  when: manual\n", path=".gitlab-ci.yml").jobs == ()


def test_other_systems_are_not_verifiable(plan: Plan) -> None:
    step = only(plan("pipeline { sh 'pytest' }", path="Jenkinsfile"))
    assert "not known" in step.unverifiable


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("pytest", "tests"),
        ("pytest tests/unit -q", "tests/unit"),
        ("python -m unittest discover -s tests", "tests"),
        ("pytest tests/test_scoring.py", "tests"),
    ],
)
def test_canary_lies_among_tests(command: str, folder: str, plan: Plan) -> None:
    files = {"tests/unit/test_a.py": "def test_a() -> None:\n    assert len('a') == 1\n"}
    path = plan(job(f"      - run: {command}\n"), files).canary
    assert path.rpartition("/")[0] == folder
    assert path.rpartition("/")[2].startswith("test_0_")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a'", "a"),
        ("matrix.x", "1"),
        ("matrix.x == 1", "true"),
        ("matrix.x != '1'", ""),
        ("secrets.TOKEN", ""),
        ("vars.A || 'b'", "b"),
        ("always() && matrix.x", "1"),
        ("!false", "true"),
    ],
)
def test_expression_has_value(expression: str, value: str) -> None:
    assert evaluate(expression, {"matrix.x": "1"}) == value


@pytest.mark.parametrize("expression", ["hashFiles('a')", "fromJSON(x)", "(a)", "", "matrix.y"])
def test_unknown_expression_is_told(expression: str) -> None:
    with pytest.raises(UnknownExpressionError):
        evaluate(expression, {})


def test_text_is_filled_in() -> None:
    assert fill_in("a ${{ matrix.x }}-${{matrix.x}}", {"matrix.x": "1"}) == "a 1-1"


def test_condition_needs_no_braces() -> None:
    assert holds("matrix.x == '1'", {"matrix.x": "1"})
