"""Reading a report: whole, in its forms, against the one before, with the lines it points at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grader import report as reports
from grader import standards
from grader.errors import UsageError
from grader.model import Check, Report
from leaderboard.model import (
    ChallengeVersion,
    Person,
    RecordedReport,
    Review,
    Submission,
    Team,
    WaiverRuling,
)
from leaderboard.store import events, reviews, submissions
from portal import repositories
from portal.access import Action, may
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.services import summary

_AROUND = 2
_WIDEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A graded submission, with all that a page shows of it."""

    submission: Submission
    team: Team
    version: ChallengeVersion
    recorded: RecordedReport
    report: Report
    before: RecordedReport | None
    """The report of the submission before it."""
    reviews: tuple[Review, ...]
    waivers: tuple[WaiverRuling, ...]
    """All that was asked and said of deviations, oldest first."""


def read(house: House, person: Person, submission: int) -> Read:
    """Return a submission's report.

    :raises Forbidden: it is not theirs to see (slug ``not-yours``)
    :raises PortalError: there is none yet (slug ``not-graded``)
    """
    with house.database.read() as tx:
        sent = submissions.find(tx, submission)
        team = events.find_team(tx, sent.team_id)
        if not may(person, Action.READ, team):
            raise Forbidden("not-yours", "There is nothing here that you may see.")
        recorded = submissions.report_of(tx, submission)
        if recorded is None:
            raise PortalError("not-graded", f"Submission {submission} has no report yet.")
        version = events.find_challenge(tx, sent.challenge_id)
        return Read(
            submission=sent,
            team=team,
            version=version,
            recorded=recorded,
            report=summary.read(recorded),
            before=submissions.report_before(tx, sent),
            reviews=reviews.reviews(tx, recorded.id),
            waivers=reviews.rulings(tx, sent.team_id, version.slug),
        )


def told(house: House, person: Person, submission: int, form: str) -> str:
    """Return a report in one of its forms: html, json, junit, sarif or md."""
    found = read(house, person, submission)
    if form == "json":
        return found.recorded.content
    if form == "junit":
        return reports.to_junit(found.report)
    if form == "sarif":
        return reports.to_sarif(found.report, standards.find_check)
    if form == "md":
        return reports.to_markdown(found.report)
    return reports.to_html(
        found.report, explain=standards.find_check, snippets=lines_of(house, found)
    )


def explain(code: str) -> Check | None:
    """Return what a check asks for, and why; None where the grader no longer has it."""
    try:
        return standards.find_check(code)
    except UsageError:
        return None


def lines_of(house: House, found: Read) -> Callable[[str, int], list[tuple[int, str]]]:
    """Return a reader of the submission's lines: (number, text) around the one asked for."""
    place = house.repositories.place(found.team.slug, found.version.slug)

    def around(path: str, line: int) -> list[tuple[int, str]]:
        text = repositories.file_lines(place, found.submission.commit, path)
        first, last = max(line - _AROUND, 1), min(line + _AROUND, len(text))
        return [(number, text[number - 1][:_WIDEST]) for number in range(first, last + 1)]

    return around
