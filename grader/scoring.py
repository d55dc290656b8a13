"""Points: the only arithmetic between what was found and what a report says.

Every figure is an integer out of a fixed number of points. A denominator never moves: what was not
looked at is not scored (``None``), and a report in which our own side failed has no total at all.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from grader.model import (
    TOTAL_POINTS,
    CaseResult,
    Challenge,
    Check,
    Finding,
    Group,
    Outcome,
    Score,
    Scores,
    Verdict,
    Waiver,
)

_EPSILON = 1e-9
"""Slack for shares that are sums of floats, far below the smallest step of a point."""


def score(
    challenge: Challenge,
    checks: Collection[Check],
    findings: Sequence[Finding],
    cases: Sequence[CaseResult],
) -> Scores:
    """Add up what was found, as the challenge weighs it.

    :param checks: the checks that the findings come from, for their weights
    :param findings: one per check, waivers already applied
    :param cases: all accuracy cases; those of no scored group earn nothing
    """
    by_check = _check_scores(challenge, checks, findings)
    families = {
        standard.family: _sum(
            standard.family,
            standard.points,
            (by_check[f.code] for f in findings if f.family == standard.family),
        )
        for standard in challenge.standards
    }
    shares = {group.name: group_share(group, cases) for group in challenge.groups}
    groups = {
        group.name: Score(
            criterion=group.name,
            earned=_points(group, shares[group.name]),
            possible=group.points,
        )
        for group in challenge.groups
    }
    total = _sum("total", TOTAL_POINTS, [*families.values(), *groups.values()]).earned
    outcome, reasons = _judge(challenge, findings, cases, shares, total)
    return Scores(
        outcome=outcome,
        total=None if outcome is Outcome.UNGRADED else total,
        possible=TOTAL_POINTS,
        checks=by_check,
        families=families,
        groups=groups,
        reasons=reasons,
    )


def apply_waivers(
    challenge: Challenge, findings: Iterable[Finding], waivers: Iterable[Waiver]
) -> tuple[Finding, ...]:
    """Turn failed findings into waived ones where a leader granted it. Gates cannot be waived.

    :param waivers: those in force; whether one has expired is for the caller's clock to say
    """
    granted = {waiver.code: waiver for waiver in waivers if waiver.code not in gates(challenge)}
    return tuple(
        replace(finding, verdict=Verdict.WAIVED, share=1.0, waiver=granted[finding.code].reason)
        if finding.verdict is Verdict.FAIL and finding.code in granted
        else finding
        for finding in findings
    )


def gates(challenge: Challenge) -> frozenset[str]:
    """Return the codes whose failure rejects a submission, whatever its total."""
    return frozenset(code for standard in challenge.standards for code in standard.gate)


def apportion(points: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share out whole points in proportion to weights, so that they sum to ``points``.

    The method of largest remainders (Hamilton's); ties go to the name that sorts first.
    """
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(weights, 0)
    shares = {name: divmod(points * weight, whole) for name, weight in weights.items()}
    left = points - sum(floor for floor, _ in shares.values())
    by_remainder = sorted(shares, key=lambda name: (-shares[name][1], name))
    favoured = set(by_remainder[:left])
    return {name: floor + (name in favoured) for name, (floor, _) in shares.items()}


def group_share(group: Group, cases: Iterable[CaseResult]) -> float | None:
    """Return the mean credit of a group's cases, 0..1; None where one of them is our error."""
    own = [case for case in cases if case.group == group.name]
    if not own or any(case.verdict in {Verdict.ERROR, Verdict.SKIPPED} for case in own):
        return None
    return math.fsum(case.share for case in own) / len(own)


def _check_scores(
    challenge: Challenge, checks: Collection[Check], findings: Sequence[Finding]
) -> dict[str, Score]:
    weights = {check.code: check.weight for check in checks}
    possible: dict[str, int] = {}
    for standard in challenge.standards:
        own = {f.code: weights[f.code] for f in findings if f.family == standard.family}
        possible |= apportion(standard.points, own)
    return {
        finding.code: Score(
            criterion=finding.code,
            earned=None
            if finding.verdict in {Verdict.ERROR, Verdict.SKIPPED}
            else _floor(finding.share, possible[finding.code]),
            possible=possible[finding.code],
        )
        for finding in findings
        if finding.code in possible
    }


def _points(group: Group, share: float | None) -> int | None:
    if share is None:
        return None
    if group.all_or_nothing and share < 1 - _EPSILON:
        return 0
    return _floor(share, group.points)


def _floor(share: float, possible: int) -> int:
    """Round down: full points are for full credit alone."""
    return math.floor(share * possible + _EPSILON)


def _sum(criterion: str, possible: int, scores: Iterable[Score]) -> Score:
    earned = [item.earned for item in scores]
    known = [points for points in earned if points is not None]
    return Score(
        criterion=criterion,
        earned=sum(known) if len(known) == len(earned) else None,
        possible=possible,
    )


def _judge(
    challenge: Challenge,
    findings: Sequence[Finding],
    cases: Sequence[CaseResult],
    shares: Mapping[str, float | None],
    total: int | None,
) -> tuple[Outcome, tuple[str, ...]]:
    ours = [f"{f.code}: {f.message}" for f in findings if f.verdict is Verdict.ERROR]
    ours += [f"{case.case}: {case.message}" for case in cases if case.verdict is Verdict.ERROR]
    if ours or total is None:
        unscored = ours or ["Part of this grading was not run, so there is no total."]
        return Outcome.UNGRADED, tuple(unscored)
    reasons = [
        f"Gate {finding.code} failed: {finding.message}"
        for finding in findings
        if finding.code in gates(challenge) and finding.verdict is Verdict.FAIL
    ]
    reasons += _short_of_minimum(challenge, shares, cases)
    if total < challenge.passing_points:
        reasons.append(f"{total} of {TOTAL_POINTS} points; {challenge.passing_points} pass.")
    return (Outcome.REJECTED, tuple(reasons)) if reasons else (Outcome.ACCEPTED, ())


def _short_of_minimum(
    challenge: Challenge, shares: Mapping[str, float | None], cases: Sequence[CaseResult]
) -> list[str]:
    reasons = []
    for group in challenge.groups:
        share = shares[group.name]
        if share is None or share >= group.minimum - _EPSILON:
            continue
        worst = min((c for c in cases if c.group == group.name), key=lambda case: case.share)
        reasons.append(
            f"{group.name} earned {math.floor(share * 1000) / 10:g} % of its points and "
            f"{group.minimum * 100:g} % are needed: {worst.message}"
        )
    return reasons
