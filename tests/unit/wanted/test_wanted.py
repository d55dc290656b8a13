"""What a grading looks at follows from what was asked for, and runs no more than that."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import package, standards
from grader.errors import UsageError
from grader.model import Challenge
from grader.wanted import want

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    return package.find_challenge("r-health-tariff", [ROOT / "challenges"])


def test_nothing_named_is_everything(challenge: Challenge) -> None:
    wanted = want(challenge)
    assert wanted.codes == {check.code for check in standards.all_checks()}
    assert (wanted.groups, wanted.partial) == (challenge.groups, False)


def test_static_check_runs_nothing(challenge: Challenge) -> None:
    wanted = want(challenge, ["DOCS001"])
    assert wanted.codes == {"DOCS001"}
    assert (wanted.runs, wanted.partial) == (False, True)


def test_family_holds_its_checks(challenge: Challenge) -> None:
    wanted = want(challenge, ["documentation"])
    assert {code[:4] for code in wanted.codes} == {"DOCS"}


def test_mutants_need_the_tests(challenge: Challenge) -> None:
    wanted = want(challenge, ["TEST009"])
    assert (wanted.tests, wanted.measures) == (True, False)


def test_group_is_measured_alone(challenge: Challenge) -> None:
    wanted = want(challenge, ["parity"])
    assert ([group.name for group in wanted.groups], wanted.codes) == (["parity"], frozenset())
    assert wanted.measures
    assert not wanted.tests


def test_unknown_name_meets_nearest(challenge: Challenge) -> None:
    with pytest.raises(UsageError, match="TEST9") as caught:
        want(challenge, ["TEST9"])
    assert caught.value.slug == "unknown-criterion"
    assert "TEST009" in caught.value.remedy
