"""What every form of a report says in the same words: the headline, the gains, the figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grader.model import (
    CaseResult,
    ColumnParity,
    Finding,
    Outcome,
    Report,
    Scope,
    Score,
    Scores,
    Verdict,
    Where,
)

DASH = "\N{EN DASH}"
"""Stands where there is no figure."""

UNSAFE = "Run without a sandbox: do not trust this report."
"""What is said first of a report whose sandbox is ``none``."""

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, overrides of the reading direction, and what XML cannot hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The verdict in a few words."""

    outcome: Outcome
    title: str
    """One word: Accepted, Rejected or Ungraded."""
    points: str
    """The total of the possible points, in words."""
    sentence: str
    """What the outcome means."""
    beside: str
    """What stands beside the total: the gates that halved it, and the weakest family."""
    unsafe: bool
    """Whether submitted code ran without a sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """Something to mend, and what it would earn."""

    name: str
    """A check's code or a group's name."""
    kind: str
    """``standards`` or ``accuracy``."""
    points: int
    """Points that mending it wholly adds."""
    decisive: bool
    """Whether it alone keeps the submission from being accepted."""
    message: str
    fix: str
    where: Where | None


def headline(report: Report) -> Headline:
    """Return the verdict in a few words."""
    sentences = {
        Outcome.ACCEPTED: "The port stands in for the legacy model.",
        Outcome.REJECTED: "The port does not stand in for the legacy model yet.",
        Outcome.UNGRADED: "Our side could not finish this grading. No points are lost by it.",
        Outcome.PARTIAL: "Only what was asked for was looked at, so there is no total.",
    }
    scores = report.scores
    return Headline(
        outcome=scores.outcome,
        title=scores.outcome.value.capitalize(),
        points=of_points(scores.total, scores.possible),
        sentence=sentences[scores.outcome],
        beside=_beside(scores),
        unsafe=report.sandbox == "none",
    )


def recheck(name: str) -> str:
    """Return the command that looks at one check, family or group alone."""
    return f"drydock grade . --only {clean_line(name)}"


def _beside(scores: Scores) -> str:
    parts = []
    if scores.gated and scores.total is not None:
        parts.append(f"Halved by {', '.join(scores.gated)}.")
    if scores.weakest:
        weak = scores.families[scores.weakest]
        share = percent(fraction(weak.earned, weak.possible))
        parts.append(f"Weakest family: {label(scores.weakest)}, {share}.")
    return " ".join(parts)


def gains(report: Report) -> tuple[Gain, ...]:
    """Return what to mend first: what decides the outcome, then by points to gain."""
    found = [*_finding_gains(report), *_group_gains(report)]
    return tuple(sorted(found, key=lambda gain: (not gain.decisive, -gain.points, gain.name)))


def scope_notice(report: Report) -> str:
    """Say what was graded where that is less than all; empty for a full grading."""
    if report.scope is Scope.PUBLIC:
        return "Graded on the public cases alone. Hidden cases decide at the event."
    return ""


def weakest(scores: Mapping[str, Score]) -> str | None:
    """Return the criterion with the lowest share of its points; None where none lost any."""
    short = {
        name: score.earned / score.possible
        for name, score in scores.items()
        if score.earned is not None and 0 <= score.earned < score.possible
    }
    return min(short, key=lambda name: (short[name], name), default=None)


def total_of(scores: Iterable[Score]) -> tuple[int | None, int]:
    """Add up points as (earned, possible); earned is None as soon as one is not scored."""
    known = list(scores)
    earned = [score.earned for score in known if score.earned is not None]
    complete = bool(known) and len(earned) == len(known)
    return (sum(earned) if complete else None), sum(score.possible for score in known)


def of_points(earned: int | None, possible: int) -> str:
    """Write points for people; what was not scored is never shown as 0."""
    return f"{'not scored' if earned is None else earned} of {possible}"


def fraction(earned: int | None, possible: int) -> float | None:
    """Return the share of points earned, 0..1; None where there is none to speak of."""
    return None if earned is None or not possible else earned / possible


def percent(share: float | None) -> str:
    """Write a share of 0..1 as a percentage with at most one decimal.

    100 is shown only for 1 and 0 only for 0, however close a share may be.
    """
    if share is None or not math.isfinite(share):
        return DASH
    if share <= 0 or share >= 1:
        return f"{share * 100:.0f} %"
    return f"{min(max(round(share * 100, 1), 0.1), 99.9):g} %"


def score_of_100(score: float) -> str:
    """Write a parity score of 0..100 with at most one decimal; 100 only for 100, 0 only for 0."""
    return percent(score / 100).removesuffix(" %")


def figure(value: float | None) -> str:
    """Write a difference with three significant digits; a dash where there is none."""
    return DASH if value is None or not math.isfinite(value) else f"{value:.3g}"


def decade_label(index: int, count: int) -> str:
    """Name a bar of ``ColumnParity.decades``: multiples of the tolerance, missing last."""
    if index == 0:
        return "within tolerance"
    if index == count - 1:
        return "missing"
    if index == count - 2:
        return f"over {_power(index - 1)} \N{MULTIPLICATION SIGN}"
    return f"up to {_power(index)} \N{MULTIPLICATION SIGN}"


def label(name: str) -> str:
    """Write an identifier for people: ``model-card`` becomes ``Model card``."""
    words = clean_line(name).replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def case_order(report: Report) -> tuple[CaseResult, ...]:
    """Return the cases with those that failed first, else as they were run."""
    return tuple(sorted(report.cases, key=lambda case: case.verdict is Verdict.PASS))


def worst_columns(report: Report) -> tuple[ColumnParity, ...]:
    """Return the compared columns by case, the furthest off first within each."""
    return tuple(sorted(report.columns, key=lambda column: (column.case, column.score)))


def at(where: Where | None) -> str:
    """Write a place as ``path:line``; empty where there is none."""
    if where is None:
        return ""
    path = clean_line(where.path)
    return path if where.line is None else f"{path}:{where.line}"


def waiver(finding: Finding) -> str:
    """Say what waiver was granted or asked for; empty where there is none."""
    if not finding.waiver:
        return ""
    granted = finding.verdict is Verdict.WAIVED
    return f"Waiver {'granted' if granted else 'asked for'}: {clean_line(finding.waiver)}"


def clean(text: str) -> str:
    """Return text without what could steer a terminal, a browser or an XML reader."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def clean_line(text: str) -> str:
    """Return cleaned text on one line."""
    return " ".join(clean(text).split())


def _finding_gains(report: Report) -> Iterable[Gain]:
    for finding in report.findings:
        score = report.scores.checks.get(finding.code)
        points = _missing(score)
        decisive = _decisive(finding, report)
        if finding.verdict is Verdict.FAIL and (points or decisive):
            yield Gain(
                name=finding.code,
                kind="standards",
                points=points,
                decisive=decisive,
                message=finding.message,
                fix=finding.fix,
                where=finding.where,
            )


def _group_gains(report: Report) -> Iterable[Gain]:
    for name, score in report.scores.groups.items():
        short = [case for case in report.cases if case.group == name and case.share < 1]
        if _missing(score):
            worst = min(short, key=lambda case: case.share, default=None)
            yield Gain(
                name=name,
                kind="accuracy",
                points=_missing(score),
                decisive=any(reason.startswith(f"{name} ") for reason in report.scores.reasons),
                message=f"{worst.case}: {worst.message}" if worst else "Some points are missing.",
                fix="",
                where=None,
            )


def _missing(score: Score | None) -> int:
    return 0 if score is None or score.earned is None else score.possible - score.earned


def _decisive(finding: Finding, report: Report) -> bool:
    named = re.compile(rf"\b{re.escape(finding.code)}\b")
    return any(named.search(reason) for reason in report.scores.reasons)


def _power(exponent: int) -> str:
    return f"{10**exponent:,}" if exponent <= 4 else f"10^{exponent}"  # noqa: PLR2004 - digits
