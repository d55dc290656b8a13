"""Putting commits forward, and how far each one's grading is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from leaderboard.model import (
    ChallengeVersion,
    Event,
    Job,
    JobState,
    Person,
    RecordedReport,
    ReportFigures,
    Submission,
    Team,
)
from leaderboard.store import events, submissions, workers
from portal import hosts, repositories
from portal.access import Action, may
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.services import accounts

_COMMIT = re.compile(r"[0-9a-f]{40}")
USUAL_SECONDS = 45.0
"""What is told while nothing was graded yet: a right port of the first challenge takes as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far one submission is."""

    submission: Submission
    job: Job
    report: ReportFigures | None
    before: int
    """How many others are graded first."""
    seconds: float
    """An estimate of how long it will still take; 0 once it has ended."""
    workers: int
    """How many are alive."""

    @property
    def said(self) -> str:
        """Where it stands, in a line."""
        if self.job.state is JobState.DONE and self.report is not None:
            return f"{self.report.outcome}, {points(self.report)}"
        if self.job.state is JobState.FAILED:
            return f"could not be graded: {self.job.message}"
        if not self.workers:
            return "waiting: no worker runs; an administrator can start one with 'drydock worker'"
        if self.job.state is JobState.QUEUED:
            return f"queued, {self.before} before it, {self.about}"
        return self.job.step or "starting"

    @property
    def about(self) -> str:
        """How long it will still take, as exactly as one can know."""
        return f"about {max(5, round(self.seconds / 5) * 5)} s"


_STEPS = ("checkout", "wheel", "train", "score", "reproducibility", "robustness", "mutants", "ci")
_BEGUN = 0.02
"""How far one is that has told no step yet."""


def share(status: Status) -> float:
    """Return how far a grading is by its step, 0..1."""
    return _share(status.job)


def _share(job: Job) -> float:
    name = job.step.split(" ")[0]
    return (_STEPS.index(name) + 1) / (len(_STEPS) + 1) if name in _STEPS else _BEGUN


def points(report: ReportFigures) -> str:
    """Return a report's points as people read them."""
    if report.total is None:
        return "no points"
    return f"{report.total}/{report.possible} points"


def address_of(house: House, team: Team, version: ChallengeVersion) -> str:
    """Return where a team pushes to for a challenge."""
    return f"{house.settings.public_address}/git/{team.slug}/{version.slug}"


def report_address(house: House, submission: int) -> str:
    """Return the page of a submission's report."""
    return f"{house.settings.public_address}/report?submission={submission}"


def find_entry(house: House, team: str, challenge: str) -> tuple[Team, Event, ChallengeVersion]:
    """Return team, event and challenge version by their slugs.

    :raises Forbidden: there is no such team, or its event is not held over the challenge (slug
        ``not-yours``): who may not know is told no more
    """
    with house.database.read() as tx:
        found = events.team_at(tx, team)
        if found is not None:
            event = events.find_event(tx, found.event_id)
            for version in events.challenges(tx, event.id):
                if version.slug == challenge:
                    return found, event, version
    raise _not_yours()


def submit(
    house: House,
    person: Person,
    team: Team,
    version: ChallengeVersion,
    commit: str,
    *,
    origin: str = "",
) -> tuple[Submission, bool]:
    """Put a commit of a team's repository forward: the row and its place in the queue, or neither.

    :param origin: address of the repository elsewhere that it came from
    :return: the submission, and whether it is new
    :raises Forbidden: the person is not of the team (slug ``not-yours``)
    :raises StoreError: the event is not on, or the team has used up its day
    """
    if not may(person, Action.SUBMIT, team):
        raise _not_yours()
    with house.database.write() as tx:
        sent, new = submissions.submit(
            tx,
            team=team.id,
            challenge=version.id,
            commit=commit,
            by=person.id,
            at=house.now(),
            origin=origin,
        )
        if new:
            house.queue.put(tx, submissions.job(tx, sent.id))
    return sent, new


def submit_head(
    house: House, person: Person, team: Team, version: ChallengeVersion
) -> tuple[Submission, bool]:
    """Put forward what the team pushed last.

    :raises Forbidden: the person is not of the team (slug ``not-yours``)
    :raises PortalError: nothing was pushed yet (slug ``nothing-pushed``)
    """
    if not may(person, Action.SUBMIT, team):
        raise _not_yours()
    commit = repositories.head(house.repositories.place(team.slug, version.slug))
    if commit is None:
        raise PortalError(
            "nothing-pushed",
            "Nothing was pushed to this repository yet.",
            remedy=f"git push {address_of(house, team, version)} HEAD:main",
        )
    return submit(house, person, team, version, commit)


def submit_archive(
    house: House, person: Person, team: Team, version: ChallengeVersion, archive: Path, name: str
) -> tuple[Submission, bool]:
    """Make an archive the next commit of the team's repository, and put it forward.

    :raises SourceError: the archive cannot become a tree
    :raises PortalError: there were too many (slug ``too-many-attempts``)
    """
    if not may(person, Action.SUBMIT, team):
        raise _not_yours()
    accounts.note_upload(house, person)
    place = house.repositories.ensure(team.slug, version.slug)
    commit = repositories.commit_archive(place, archive, f"Upload {name}", person.name)
    return submit(house, person, team, version, commit)


def submit_commit(
    house: House, person: Person, team: Team, version: ChallengeVersion, url: str, commit: str
) -> tuple[Submission, bool]:
    """Fetch a commit of a team's repository elsewhere, by the rules of a push, and put it forward.

    :raises PortalError: its host is not allowed (slug ``host-not-allowed``), or the commit cannot
        become that of ``main`` (slugs ``commit-unknown``, ``push-refused``), or there were too
        many (slug ``too-many-attempts``)
    :raises SourceError: the repository cannot be fetched
    """
    if not may(person, Action.SUBMIT, team):
        raise _not_yours()
    if not _COMMIT.fullmatch(commit):
        raise PortalError("commit-unknown", "A commit is named by its 40 hexadecimal figures.")
    origin = hosts.find(house.settings.hosts, url)
    accounts.note_upload(house, person)
    place = house.repositories.ensure(team.slug, version.slug)
    repositories.bring(place, origin.fetched_from, commit, shown=origin.address)
    return submit(house, person, team, version, commit, origin=origin.address)


def recorded(house: House, person: Person, submission: int) -> RecordedReport | None:
    """Return the whole report of a submission; None while there is none.

    :raises Forbidden: it is not theirs to see (slug ``not-yours``)
    """
    with house.database.read() as tx:
        sent = submissions.find(tx, submission)
        if not may(person, Action.READ, events.find_team(tx, sent.team_id)):
            raise _not_yours()
        return submissions.report_of(tx, submission)


def status(house: House, person: Person, submission: int) -> Status:
    """Return how far a submission is.

    :raises Forbidden: it is not theirs to see (slug ``not-yours``)
    """
    with house.database.read() as tx:
        sent = submissions.find(tx, submission)
        if not may(person, Action.READ, events.find_team(tx, sent.team_id)):
            raise _not_yours()
        return _status(tx, sent, _pace(tx))


def of_team(house: House, person: Person, team: Team) -> tuple[Status, ...]:
    """Return how far each of a team's submissions is, the newest first.

    :raises Forbidden: they are not theirs to see (slug ``not-yours``)
    """
    if not may(person, Action.READ, team):
        raise _not_yours()
    with house.database.read() as tx:
        pace = _pace(tx)
        return tuple(_status(tx, sent, pace) for sent in submissions.of_team(tx, team.id))


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast the queue empties."""

    workers: int
    seconds: float
    """Of one grading."""


def _pace(tx: Connection) -> _Pace:
    return _Pace(len(workers.alive(tx)), submissions.usual_seconds(tx) or USUAL_SECONDS)


def _status(tx: Connection, sent: Submission, pace: _Pace) -> Status:
    job = submissions.job(tx, sent.id)
    before = 0 if job.state.terminal else submissions.place(tx, sent.id)
    if job.state.terminal:
        turns = 0.0
    elif job.state is JobState.RUNNING:
        turns = 1 - _share(job)
    else:
        turns = 1 + before / max(1, pace.workers)
    return Status(
        submission=sent,
        job=job,
        report=submissions.figures_of(tx, sent.id) if job.state is JobState.DONE else None,
        before=before,
        seconds=pace.seconds * turns,
        workers=pace.workers,
    )


def _not_yours() -> Forbidden:
    return Forbidden(
        "not-yours",
        "There is nothing here that you may see.",
        remedy="Check the address, or ask to join the team.",
    )
