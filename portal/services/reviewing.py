"""Reviewing: what waits for a leader, what they say, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from leaderboard.model import (
    ChallengeVersion,
    Decision,
    Event,
    Person,
    ReportFigures,
    Review,
    Role,
    Submission,
    Team,
    WaiverDecision,
    WaiverRuling,
)
from leaderboard.ranking import ACCEPTED
from leaderboard.store import events, people, reviews, submissions
from leaderboard.store.submissions import Graded
from portal import record, repositories
from portal.access import Action, may
from portal.errors import Forbidden, PortalError
from portal.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A team's best submission to a challenge, and what was said of it so far."""

    event: Event
    team: Team
    version: ChallengeVersion
    submission: Submission
    report: ReportFigures
    last: Review | None
    asked: tuple[WaiverRuling, ...]
    """Waivers that no leader has answered yet."""
    granted: tuple[WaiverRuling, ...]
    """Waivers in force."""

    @property
    def open(self) -> bool:
        """Whether a leader's word is missing."""
        undecided = self.last is None or self.last.decision is Decision.HELD
        return bool(self.asked) or (undecided and self.report.outcome == ACCEPTED)


def queue(house: House, person: Person) -> tuple[Waiting, ...]:
    """Return each team's best submission to each challenge; those that wait come first.

    :raises Forbidden: the person is no leader (slug ``not-yours``)
    """
    if Role.LEADER not in person.roles:
        raise Forbidden("not-yours", "Leaders review submissions.")
    with house.database.read() as tx:
        found = [
            waiting
            for event in events.events(tx)
            if not event.rehearsal
            for waiting in _waiting(tx, event, house.now())
        ]
    return tuple(sorted(found, key=lambda item: (not item.open, item.report.recorded_at)))


def _waiting(tx: Connection, event: Event, now: datetime) -> Iterator[Waiting]:
    """Yield the best submission of each team of an event to each of its challenges."""
    graded = submissions.graded_in(tx, event.id)
    best = {key: found for key, pairs in graded.items() if (found := _best(pairs)) is not None}
    said = reviews.last_words(tx, [report.id for _, report in best.values()])
    rulings = reviews.rulings_in(tx, event.id)
    teams = events.teams(tx, event.id)
    for version in events.challenges(tx, event.id):
        for team in teams:
            key = team.id, version.slug
            if key in best:
                submission, report = best[key]
                yield Waiting(
                    event=event,
                    team=team,
                    version=version,
                    submission=submission,
                    report=report,
                    last=said.get(report.id),
                    asked=_unanswered(rulings.get(key, ())),
                    granted=reviews.in_force(rulings.get(key, ()), at=now),
                )


def decide(
    house: House, person: Person, submission: int, decision: Decision, reason: str
) -> Review:
    """Say of a graded submission whether it is approved.

    An approval tags the commit in the team's repository, and signs a record of the conversion.

    :raises Forbidden: the person is no leader (slug ``not-yours``)
    :raises StoreError: there is no reason, or what is approved was not accepted
    """
    with house.database.write() as tx:
        sent = submissions.find(tx, submission)
        team = events.find_team(tx, sent.team_id)
        if not may(person, Action.REVIEW, team) or person.id in team.members:
            raise Forbidden("not-yours", "Leaders review what other people's teams submitted.")
        report = submissions.figures_of(tx, submission)
        if report is None:
            raise Forbidden("not-yours", "There is no report to review yet.")
        said = reviews.review(tx, report.id, decision, reason, by=person.id, at=house.now())
    if decision is Decision.APPROVED:
        _seal(house, submission)
    return said


def conversion_record(house: House, person: Person, submission: int) -> Path:
    """Return the file of the signed record of a submission's approval.

    :raises Forbidden: it is not theirs to see (slug ``not-yours``)
    :raises PortalError: it is not approved (slug ``not-approved``)
    """
    with house.database.read() as tx:
        team = events.find_team(tx, submissions.find(tx, submission).team_id)
    if not may(person, Action.READ, team):
        raise Forbidden("not-yours", "There is nothing here that you may see.")
    return _seal(house, submission)


def _seal(house: House, submission: int) -> Path:
    """Tag an approved commit and sign its record, and return the record's file.

    Done again it changes nothing: so what an approval was killed before, the next reader makes up.
    """
    with house.database.read() as tx:
        review = reviews.approval(tx, submission)
        if review is None:
            raise PortalError(
                "not-approved",
                f"Submission {submission} is not approved, so there is no record of a conversion.",
                remedy="A leader approves it on the page Review.",
            )
        sent = submissions.find(tx, submission)
        team = events.find_team(tx, sent.team_id)
        version = events.find_challenge(tx, sent.challenge_id)
        report = submissions.find_report(tx, review.report_id)
        # Those that the report was graded with: a later one would need another grading.
        waived = reviews.waivers_in_force(tx, team.id, version.slug, at=report.recorded_at)
        conversion = record.Conversion(
            team=team,
            version=version,
            submission=sent,
            report=report,
            review=review,
            waivers=waived,
            approver=people.find_person(tx, review.by),
        )
    place = house.repositories.place(team.slug, version.slug)
    message = f"Approved: {review.reason}"
    name = f"approved-{submission}"
    repositories.tag(place, name, sent.commit, message, conversion.approver.name)
    return record.write(house, conversion)


def ask_waiver(
    house: House, person: Person, submission: int, code: str, path: str, reason: str
) -> WaiverRuling:
    """Ask a leader to let a deviation pass.

    :raises Forbidden: the submission is another team's (slug ``not-yours``)
    :raises StoreError: there is no reason (slug ``reason-missing``)
    :param path: the file or folder that it is asked for; empty for the whole check
    :raises PortalError: the check is a gate of the challenge (slug ``gate-not-waivable``), or the
        submission has no such file or folder (slug ``path-unknown``)
    """
    path = path.strip().removeprefix("./").rstrip("/")
    with house.database.write() as tx:
        sent = submissions.find(tx, submission)
        team = events.find_team(tx, sent.team_id)
        if not may(person, Action.ASK, team):
            raise Forbidden("not-yours", "A team asks for its own waivers.")
        version = events.in_force(tx, sent.event_id, sent.challenge_id)
        _check_no_gate(house, version, code)
        _check_holds(house.repositories.place(team.slug, version.slug), sent.commit, path)
        return reviews.rule_waiver(
            tx,
            team=team.id,
            challenge_slug=version.slug,
            code=code,
            path=path,
            decision=WaiverDecision.ASKED,
            reason=reason,
            by=person.id,
            at=house.now(),
        )


def _check_holds(repository: Path, commit: str, path: str) -> None:
    if path and not repositories.holds(repository, commit, path):
        raise PortalError(
            "path-unknown",
            f"Commit {commit[:10]} has no {path}.",
            remedy="Name a file or folder as the repository has it, or none for the whole check.",
        )


def _check_no_gate(house: House, version: ChallengeVersion, code: str) -> None:
    standards = house.library.load(version.digest).standards
    if any(code in standard.gate for standard in standards):
        raise PortalError(
            "gate-not-waivable",
            f"{code} is a gate of this challenge, and a gate can't be waived.",
            remedy="Mend what it finds; its finding says how.",
        )


def answer_waiver(
    house: House,
    person: Person,
    asked: WaiverRuling,
    decision: WaiverDecision,
    reason: str,
    expires_at: datetime | None = None,
    *,
    again: int | None = None,
) -> WaiverRuling:
    """Grant, refuse or revoke a deviation.

    :param again: a submission that is graded again by it; then both happen, or neither
    :raises Forbidden: the person is no leader (slug ``not-yours``)
    :raises StoreError: there is no reason (slug ``reason-missing``), or the submission is being
        graded right now (slug ``still-grading``)
    """
    with house.database.write() as tx:
        team = events.find_team(tx, asked.team_id)
        if not may(person, Action.REVIEW, team) or person.id in team.members:
            raise Forbidden("not-yours", "Leaders answer what other people's teams ask.")
        if again is not None:
            why = f"{asked.code}: the waiver was {decision.value}"
            job = submissions.again(tx, again, why, by=person.id, at=house.now())
            house.queue.put(tx, job)
        return reviews.rule_waiver(
            tx,
            team=asked.team_id,
            challenge_slug=asked.challenge_slug,
            code=asked.code,
            path=asked.path,
            decision=decision,
            reason=reason,
            by=person.id,
            at=house.now(),
            expires_at=expires_at,
        )


def grade_again(house: House, person: Person, submission: int, why: str) -> None:
    """Put a submission back into the queue, after a waiver say.

    :raises Forbidden: the person may not (slug ``not-yours``)
    :raises StoreError: it is waiting or being graded already (slug ``still-grading``)
    """
    with house.database.write() as tx:
        sent = submissions.find(tx, submission)
        if not may(person, Action.REGRADE, events.find_team(tx, sent.team_id)):
            raise Forbidden("not-yours", "Leaders and champions have submissions graded again.")
        job = submissions.again(tx, submission, why, by=person.id, at=house.now())
        house.queue.put(tx, job)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a team did, against something known."""

    since: str
    """What it is compared with, in words."""
    text: str
    """A unified diff."""


def changes(house: House, person: Person, submission: int) -> tuple[Changes, ...]:
    """Return what a submission changed since what was approved last, and since what it began with.

    The first is left out where nothing was approved before. A history begins with the starter kit;
    where the submission is its own first commit, all of it is new.

    :raises Forbidden: it is not theirs to see (slug ``not-yours``)
    """
    with house.database.read() as tx:
        sent = submissions.find(tx, submission)
        team = events.find_team(tx, sent.team_id)
        if not may(person, Action.READ, team):
            raise Forbidden("not-yours", "There is nothing here that you may see.")
        version = events.find_challenge(tx, sent.challenge_id)
        approved = reviews.approved_commit(tx, team.id, version.slug, before=submission)
    place = house.repositories.place(team.slug, version.slug)
    first = repositories.first_commit(place, sent.commit)
    start = first if first != sent.commit else repositories.empty_tree(place)
    bases = {"the commit approved last": approved, "the team's first commit, the kit": start}
    return tuple(
        Changes(since=since, text=repositories.difference(place, base, sent.commit))
        for since, base in bases.items()
        if base is not None
    )


def _best(graded: Sequence[Graded]) -> Graded | None:
    """Return the accepted one with most points; else the one with most; the older of equals."""
    return max(
        graded,
        key=lambda pair: (pair[1].outcome == ACCEPTED, pair[1].total or 0, -pair[0].id),
        default=None,
    )


def _unanswered(rulings: Sequence[WaiverRuling]) -> tuple[WaiverRuling, ...]:
    last = {(ruling.code, ruling.path): ruling for ruling in rulings}
    return tuple(r for _, r in sorted(last.items()) if r.decision is WaiverDecision.ASKED)
