from __future__ import annotations

from dataclasses import replace

import pytest

from grader.accuracy.measure import not_run
from grader.accuracy.plan import cases_like, make_plan
from grader.errors import ChallengeError
from grader.model import Challenge, Scope, Verdict


def like(pattern: str, challenge: Challenge, scope: Scope) -> list[str]:
    return [case.name for case in cases_like(pattern, challenge, scope)]


def test_full_scope_takes_the_glob(challenge: Challenge) -> None:
    assert like("hidden/*", challenge, Scope.FULL) == ["hidden/main", "hidden/traps"]


def test_public_cases_stand_in(challenge: Challenge) -> None:
    assert like("hidden/main", challenge, Scope.PUBLIC) == ["public/main"]


def test_all_public_cases_stand_in(challenge: Challenge) -> None:
    assert like("hidden/traps", challenge, Scope.PUBLIC) == ["public/main", "public/more"]


def test_full_scope_shows_public_cases(challenge: Challenge) -> None:
    shown = make_plan(challenge, Scope.FULL).shown
    assert [case.name for case in shown] == ["public/main", "public/more"]


def test_public_scope_scores_no_hidden(challenge: Challenge) -> None:
    plan = make_plan(challenge, Scope.PUBLIC)
    assert not any(case.hidden for case in (*plan.scored, *plan.shown, plan.base))


def test_base_is_a_parity_case(challenge: Challenge) -> None:
    assert make_plan(challenge, Scope.FULL).base.name == "hidden/main"


def test_export_has_no_full_grading(challenge: Challenge) -> None:
    export = replace(challenge, cases=challenge.cases[2:])
    with pytest.raises(ChallengeError, match="--public"):
        make_plan(export, Scope.FULL)


def test_several_tables_are_refused(challenge: Challenge) -> None:
    with pytest.raises(ChallengeError, match="declares 2 output tables"):
        make_plan(replace(challenge, outputs=challenge.outputs * 2), Scope.FULL)


def test_not_run_fails_every_case(challenge: Challenge) -> None:
    cases = not_run(challenge, Scope.FULL, "the wheel does not build").cases
    assert {case.verdict for case in cases} == {Verdict.FAIL}
    assert len(cases) == 2 + 9 + 7 + 1


def test_not_run_says_why(challenge: Challenge) -> None:
    case = not_run(challenge, Scope.PUBLIC, "the wheel does not build").cases[0]
    assert case.message == "Not run: the wheel does not build."
