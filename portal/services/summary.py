"""A report in a few lines, as a push is answered."""

from __future__ import annotations

from grader import report as reports
from grader.errors import UserError
from grader.model import Report, Score
from leaderboard.model import RecordedReport
from portal.services.submitting import Status, points

MOST = 5
"""Findings that are told at once: more are not read."""


def lines(status: Status, recorded: RecordedReport | None) -> list[str]:
    """Return what is said of a submission whose grading has ended."""
    if recorded is None:
        return [status.said]
    report = read(recorded)
    return [
        *(_line(name, score) for name, score in _parts(report)),
        f"total {points(recorded)}: {recorded.outcome}",
        *(f"! {reports.clean_line(reason)}" for reason in report.scores.reasons[:MOST]),
        *_first_to_fix(report),
    ]


def waivable(report: Report) -> tuple[str, ...]:
    """Return the codes of the checks that fail and that a leader could waive, by points to gain."""
    gates = set(report.scores.gated)
    wanted = (gain for gain in reports.gains(report) if gain.kind == "standards")
    return tuple(gain.name for gain in wanted if gain.name not in gates)


def moved(before: RecordedReport, after: Report) -> list[tuple[int, str]]:
    """Return (points gained, check or group) of what differs, the most lost first.

    Nothing where an older grader wrote the report before in another form.
    """
    try:
        then, now = _earned(read(before)), _earned(after)
    except UserError:
        return []
    both = then.keys() & now.keys()
    return sorted((now[name] - then[name], name) for name in both if now[name] != then[name])


def worth(gain: reports.Gain) -> str:
    """Say what fixing something is worth."""
    points = f"+{gain.points}" if gain.points else "no points"
    return f"{points}, decides the outcome" if gain.decisive else points


def _earned(report: Report) -> dict[str, int]:
    parts = {**report.scores.checks, **report.scores.groups}
    return {name: score.earned for name, score in parts.items() if score.earned is not None}


def read(recorded: RecordedReport) -> Report:
    """Return a report as it was recorded."""
    return reports.from_json(recorded.content)


def _parts(report: Report) -> list[tuple[str, Score]]:
    return [
        ("standards", _sum("standards", list(report.scores.families.values()))),
        *report.scores.groups.items(),
    ]


def _sum(name: str, scores: list[Score]) -> Score:
    earned = [score.earned for score in scores if score.earned is not None]
    return Score(
        criterion=name,
        earned=sum(earned) if earned else None,
        possible=sum(score.possible for score in scores),
    )


def _line(name: str, score: Score) -> str:
    return f"{name} {'-' if score.earned is None else score.earned}/{score.possible}"


def _first_to_fix(report: Report) -> list[str]:
    found = reports.gains(report)
    told = [
        f"fix {reports.clean_line(gain.name)} ({worth(gain)}): {reports.clean_line(gain.message)}"
        for gain in found[:MOST]
    ]
    more = len(found) - len(told)
    return [*told, *([f"and {more} more, in the report"] if more > 0 else [])]
