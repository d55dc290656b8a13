from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import scoring
from grader.model import (
    CaseResult,
    Challenge,
    Check,
    Contract,
    Finding,
    Group,
    GroupKind,
    Level,
    Limits,
    Outcome,
    Standard,
    Verdict,
    Waiver,
)

CHECKS = tuple(
    Check(
        code=code,
        family=family,
        title="t",
        why="w",
        fix="f",
        example="e",
        source="s",
        weight=weight,
    )
    for code, family, weight in (("AAA001", "a", 1), ("AAA002", "a", 2), ("BBB001", "b", 1))
)
CHALLENGE = Challenge(
    slug="tiny",
    title="Tiny",
    summary="",
    version="1",
    owner="",
    language="r",
    level=Level.INTRODUCTORY,
    tags=(),
    kits=(),
    root=Path(),
    digest="0",
    contract=Contract(package="tiny", python="3.11"),
    outputs=(),
    groups=(
        Group(name="parity", kind=GroupKind.PARITY, points=500, minimum=0.9),
        Group(name="api", kind=GroupKind.API, points=100, all_or_nothing=True),
    ),
    standards=(
        Standard(family="a", points=300, gate=("AAA001",)),
        Standard(family="b", points=100),
    ),
    limits=Limits(),
    passing_points=800,
    cases=(),
)


def finding(code: str, share: float = 1.0, verdict: Verdict | None = None) -> Finding:
    family = code[0].lower()
    found = verdict or (Verdict.PASS if share == 1 else Verdict.FAIL)
    return Finding(code=code, family=family, verdict=found, share=share, message=f"of {code}")


def case(group: str, share: float = 1.0, verdict: Verdict | None = None) -> CaseResult:
    found = verdict or (Verdict.PASS if share == 1 else Verdict.FAIL)
    return CaseResult(case=f"{group}/one", group=group, verdict=found, share=share, message="m")


GOOD = (finding("AAA001"), finding("AAA002"), finding("BBB001"))
RIGHT = (case("parity"), case("api"))


def test_all_right_is_accepted() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, GOOD, RIGHT)
    assert (scores.outcome, scores.total, scores.reasons) == (Outcome.ACCEPTED, 1000, ())


def test_failed_gate_halves_total() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, (finding("AAA001", 0.9), *GOOD[1:]), RIGHT)
    assert scores.outcome is Outcome.REJECTED
    assert (scores.total, scores.gated) == (495, ("AAA001",))
    assert scores.families["a"].earned == 290
    assert scores.reasons == (
        "Gate AAA001 failed: of AAA001",
        "495 of 1000 points, halved by a gate; 800 pass.",
    )


def test_two_gates_halve_once() -> None:
    gates = (replace(CHALLENGE.standards[0], gate=("AAA001", "AAA002")), CHALLENGE.standards[1])
    findings = (finding("AAA001", 0.0), finding("AAA002", 0.0), finding("BBB001"))
    scores = scoring.score(replace(CHALLENGE, standards=gates), CHECKS, findings, RIGHT)
    assert (scores.total, scores.gated) == (350, ("AAA001", "AAA002"))


def test_neutral_gate_is_no_failure() -> None:
    unseen = finding("AAA001", 0.0, Verdict.NEUTRAL)
    scores = scoring.score(CHALLENGE, CHECKS, (unseen, *GOOD[1:]), RIGHT)
    assert (scores.outcome, scores.total) == (Outcome.ACCEPTED, 1000)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_neutral_earns_what_family_earns(share: float) -> None:
    findings = (finding("AAA001", 0.0, Verdict.NEUTRAL), finding("AAA002", share), GOOD[2])
    scores = scoring.score(CHALLENGE, CHECKS, findings, RIGHT)
    assert scores.families["a"].earned == 300 * share


def test_family_all_neutral_earns_nothing() -> None:
    findings = tuple(finding(code, 0.0, Verdict.NEUTRAL) for code in ("AAA001", "AAA002"))
    scores = scoring.score(CHALLENGE, CHECKS, (*findings, GOOD[2]), RIGHT)
    assert scores.families["a"].earned == 0


def test_weakest_family_has_lowest_share() -> None:
    findings = (finding("AAA001"), finding("AAA002", 0.5), finding("BBB001", 0.9))
    assert scoring.score(CHALLENGE, CHECKS, findings, RIGHT).weakest == "a"


def test_nothing_lost_has_no_weakest() -> None:
    assert scoring.score(CHALLENGE, CHECKS, GOOD, RIGHT).weakest is None


def test_partial_has_no_total() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, GOOD[:1], (), partial=True)
    assert (scores.outcome, scores.total) == (Outcome.PARTIAL, None)
    assert (scores.checks["AAA001"].possible, scores.families["a"].earned) == (100, None)


def test_partial_tells_failed_gate() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, (finding("AAA001", 0.0),), (), partial=True)
    assert scores.reasons == ("Gate AAA001 failed: of AAA001",)


def test_waiver_of_path_is_not_of_check() -> None:
    granted = Waiver(code="AAA002", reason="r", granted_by="g", path="src/a.py")
    found = scoring.apply_waivers(CHALLENGE, (finding("AAA002", 0.2),), [granted])
    assert found[0].verdict is Verdict.FAIL


def test_missed_minimum_rejects_and_says_why() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, GOOD, (case("parity", 0.8999), case("api")))
    assert scores.outcome is Outcome.REJECTED
    assert scores.reasons[0].startswith("parity earned 89.9 % of its points and 90 % are needed")


def test_low_total_rejects() -> None:
    cases = (case("parity", 0.95), case("api", 0.5))
    findings = (finding("AAA001"), finding("AAA002", 0.0), finding("BBB001", 0.0))
    scores = scoring.score(CHALLENGE, CHECKS, findings, cases)
    assert scores.total == 575
    assert scores.reasons == ("575 of 1000 points; 800 pass.",)


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.SKIPPED])
def test_our_failure_is_ungraded(verdict: Verdict) -> None:
    findings = (finding("AAA001", 0.0, verdict), *GOOD[1:])
    scores = scoring.score(CHALLENGE, CHECKS, findings, RIGHT)
    assert (scores.outcome, scores.total) == (Outcome.UNGRADED, None)
    assert scores.families["a"].earned is None
    assert scores.families["b"].earned == 100


def test_our_failing_case_is_ungraded() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, GOOD, (case("parity", 0, Verdict.ERROR), RIGHT[1]))
    assert scores.groups["parity"].earned is None
    assert scores.reasons == ("parity/one: m",)


def test_nothing_measured_is_ungraded() -> None:
    assert scoring.score(CHALLENGE, CHECKS, GOOD, ()).outcome is Outcome.UNGRADED


def test_all_or_nothing_earns_nothing() -> None:
    scores = scoring.score(CHALLENGE, CHECKS, GOOD, (case("parity"), case("api", 0.99)))
    assert scores.groups["api"].earned == 0


def test_waiver_earns_and_stays_visible() -> None:
    waivers = [Waiver(code="AAA002", reason="legacy name", granted_by="lead")]
    findings = scoring.apply_waivers(CHALLENGE, (GOOD[0], finding("AAA002", 0.2)), waivers)
    assert (findings[1].verdict, findings[1].share) == (Verdict.WAIVED, 1.0)
    assert findings[1].waiver == "legacy name"


def test_gates_cannot_be_waived() -> None:
    waivers = [Waiver(code="AAA001", reason="please", granted_by="lead")]
    findings = scoring.apply_waivers(CHALLENGE, (finding("AAA001", 0.0),), waivers)
    assert findings[0].verdict is Verdict.FAIL


def test_waiver_leaves_passes_alone() -> None:
    waivers = [Waiver(code="AAA002", reason="unneeded", granted_by="lead")]
    assert scoring.apply_waivers(CHALLENGE, GOOD, waivers) == GOOD


def test_full_points_need_full_credit() -> None:
    findings = (finding("AAA001", 0.999_999), *GOOD[1:])
    scores = scoring.score(CHALLENGE, CHECKS, findings, RIGHT)
    assert scores.checks["AAA001"].earned == 99


WEIGHTS = st.dictionaries(
    st.text("ABC", min_size=1, max_size=4), st.integers(1, 9), min_size=1, max_size=12
)


@given(st.integers(0, 1000), WEIGHTS)
def test_apportioned_points_sum_up(points: int, weights: dict[str, int]) -> None:
    assert sum(scoring.apportion(points, weights).values()) == points


@given(st.integers(0, 1000), WEIGHTS)
def test_apportioned_points_keep_quota(points: int, weights: dict[str, int]) -> None:
    whole = sum(weights.values())
    for name, got in scoring.apportion(points, weights).items():
        assert abs(got - points * weights[name] / whole) < 1


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.floats(0, 1), st.floats(0, 1))
def test_denominators_never_move(shares: list[float], parity: float, api: float) -> None:
    findings = [replace(old, share=share) for old, share in zip(GOOD, shares, strict=True)]
    scores = scoring.score(CHALLENGE, CHECKS, findings, (case("parity", parity), case("api", api)))
    possible = [*scores.families.values(), *scores.groups.values()]
    assert sum(score.possible for score in possible) == 1000
    assert scores.total == sum(score.earned or 0 for score in possible)


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_credit_never_costs(one: float, other: float) -> None:
    low, high = sorted((one, other))
    totals = [
        scoring.score(CHALLENGE, CHECKS, GOOD, (case("parity", share), case("api"))).total or 0
        for share in (low, high)
    ]
    assert totals[0] <= totals[1]


def test_case_order_changes_nothing() -> None:
    cases = [case("parity", share) for share in (0.1, 0.2, 0.3, 0.7)]
    group = CHALLENGE.groups[0]
    assert scoring.group_share(group, cases) == scoring.group_share(group, cases[::-1])
