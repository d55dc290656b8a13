"""Points: the only arithmetic between what was found and what a report says.

Every figure is an integer out of a fixed number of points. A denominator never moves: what was not
looked at is not scored (``None``), and a report in which our own side failed has no total at all. A
failed gate rejects the submission and halves its total: what it guards is worth more than points.
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
    *,
    partial: bool = False,
) -> Scores:
    """Add up what was found, as the challenge weighs it.

    :param checks: all checks there are: they share the points, whether they were looked at or not
    :param findings: at most one per check, waivers already applied
    :param cases: all accuracy cases; those of no scored group earn nothing
    :param partial: whether only some checks and groups were asked for, so that there is no total
    """
    by_check = _check_scores(challenge, checks, findings)
    families = {
        standard.family: _sum(
            standard.family,
            standard.points,
            (by_check.get(check.code) for check in checks if check.family == standard.family),
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
    whole = _sum("total", TOTAL_POINTS, [*families.values(), *groups.values()]).earned
    gated = _failed_gates(challenge, findings)
    total = whole // 2 if whole is not None and gated else whole
    outcome, reasons = _judge(challenge, findings, cases, shares, total, partial=partial)
    return Scores(
        outcome=outcome,
        total=None if outcome in {Outcome.UNGRADED, Outcome.PARTIAL} else total,
        possible=TOTAL_POINTS,
        checks=by_check,
        families=families,
        groups=groups,
        reasons=reasons,
        gated=tuple(finding.code for finding in gated),
        weakest=_weakest(families),
    )


def _failed_gates(challenge: Challenge, findings: Iterable[Finding]) -> list[Finding]:
    codes = gates(challenge)
    return [f for f in findings if f.code in codes and f.verdict is Verdict.FAIL]


def _weakest(families: Mapping[str, Score]) -> str | None:
    short = {
        name: score.earned / score.possible
        for name, score in families.items()
        if score.earned is not None and score.earned < score.possible
    }
    return min(short, key=lambda name: (short[name], name), default=None)


def apply_waivers(
    challenge: Challenge, findings: Iterable[Finding], waivers: Iterable[Waiver]
) -> tuple[Finding, ...]:
    """Turn failed findings into waived ones where a leader granted the whole check.

    Gates cannot be waived. What is granted for a part of the tree is applied where it is judged.

    :param waivers: those in force; whether one has expired is for the caller's clock to say
    """
    granted = {w.code: w for w in waivers if not w.path and w.code not in gates(challenge)}
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
    possible: dict[str, int] = {}
    for standard in challenge.standards:
        own = {check.code: check.weight for check in checks if check.family == standard.family}
        possible |= apportion(standard.points, own)
    known = [finding for finding in findings if finding.code in possible]
    return {
        finding.code: Score(
            criterion=finding.code,
            earned=earned_by(finding, known, possible),
            possible=possible[finding.code],
        )
        for finding in known
    }


def earned_by(
    finding: Finding, findings: Sequence[Finding], possible: Mapping[str, int]
) -> int | None:
    """Return the points of a finding; None where it was not judged.

    :param findings: those of its family, for what can't be verified and so earns as they do
    :param possible: points by check
    """
    if finding.verdict in {Verdict.ERROR, Verdict.SKIPPED}:
        return None
    share = finding.share
    if finding.verdict is Verdict.NEUTRAL:
        share = _share_beside(finding.family, findings, possible)
    return _floor(share, possible[finding.code])


_UNSCORED = frozenset({Verdict.NEUTRAL, Verdict.ERROR, Verdict.SKIPPED})


def _share_beside(family: str, findings: Sequence[Finding], possible: Mapping[str, int]) -> float:
    """Return the share that a family earns where it could be judged, 0..1.

    What could not be verified earns the same, so that it counts neither for nor against.
    """
    judged = [f for f in findings if f.family == family and f.verdict not in _UNSCORED]
    whole = sum(possible[f.code] for f in judged)
    return math.fsum(f.share * possible[f.code] for f in judged) / whole if whole else 0.0


def _points(group: Group, share: float | None) -> int | None:
    if share is None:
        return None
    if group.all_or_nothing and share < 1 - _EPSILON:
        return 0
    return _floor(share, group.points)


def _floor(share: float, possible: int) -> int:
    """Round down: full points are for full credit alone."""
    return math.floor(share * possible + _EPSILON)


def _sum(criterion: str, possible: int, scores: Iterable[Score | None]) -> Score:
    earned = [None if item is None else item.earned for item in scores]
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
    *,
    partial: bool,
) -> tuple[Outcome, tuple[str, ...]]:
    ours = [f"{f.code}: {f.message}" for f in findings if f.verdict is Verdict.ERROR]
    ours += [f"{case.case}: {case.message}" for case in cases if case.verdict is Verdict.ERROR]
    if ours or (total is None and not partial):
        unscored = ours or ["Part of this grading was not run, so there is no total."]
        return Outcome.UNGRADED, tuple(unscored)
    gated = _failed_gates(challenge, findings)
    reasons = [f"Gate {finding.code} failed: {finding.message}" for finding in gated]
    reasons += _short_of_minimum(challenge, shares, cases)
    if partial or total is None:
        return Outcome.PARTIAL, tuple(reasons)
    if total < challenge.passing_points:
        halved = ", halved by a gate" if gated else ""
        reasons.append(
            f"{total} of {TOTAL_POINTS} points{halved}; {challenge.passing_points} pass."
        )
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
