"""Submissions, how far their grading is, and the reports that came of it.

A submission and its job are inserted by one transaction, and so are a report, its findings and
the end of its job. Submitting a commit again, or recording a report again, changes nothing: a
worker that was killed at any moment may simply start over.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from leaderboard import ranking, tables
from leaderboard.errors import StoreError
from leaderboard.model import Job, JobState, RecordedReport, ReportFigures, Submission
from leaderboard.store import audit, events
from leaderboard.store.rows import AnyRow, fields, new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedFinding:
    """What a report says of one check."""

    code: str
    family: str
    verdict: str
    share: float
    points: int | None
    possible: int | None
    message: str
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReport:
    """A report that is to be recorded."""

    outcome: str
    total: int | None
    public_total: int | None
    possible: int
    content: str
    """The whole of it, as JSON."""
    seconds: float
    """How long grading took."""
    loss: float | None = None
    """How much worse than the legacy model, relative to it; None where it was not measured."""
    loss_error: float | None = None
    """Standard error of the loss."""
    findings: Sequence[GradedFinding] = ()


def submit(
    tx: Connection,
    *,
    team: int,
    challenge: int,
    commit: str,
    by: int,
    at: datetime,
    origin: str = "",
) -> tuple[Submission, bool]:
    """Put a commit forward.

    :param origin: address of the repository elsewhere that it came from
    :return: the submission, and whether it is new: the same commit again is the same submission
    :raises StoreError: the event is not on (slug ``event-closed``), not about this challenge (slug
        ``challenge-elsewhere``), or the team has used up its day (slug ``daily-cap``)
    """
    entrant = events.find_team(tx, team)
    # One at a time for each team: the cap counts, and the same commit comes in once.
    tx.execute(select(tables.team.c.id).where(tables.team.c.id == team).with_for_update())
    known = _find_commit(tx, team, challenge, commit)
    if known is not None:
        return known, False
    _check_open(tx, entrant.event_id, team, challenge, at)
    turn = unfinished(tx, team) + 1
    new = new_id(
        tx,
        tables.submission,
        event_id=entrant.event_id,
        team_id=team,
        challenge_id=challenge,
        commit=commit,
        submitted_by=by,
        received_at=at,
        origin=origin,
    )
    tx.execute(
        insert(tables.job).values(
            submission_id=new,
            round=1,
            state=JobState.QUEUED.value,
            step="",
            turn=turn,
            attempts=0,
            changed_at=at,
            message="",
        )
    )
    audit.record(tx, "submission.received", f"submission:{new}", at=at, by=by, commit=commit)
    return find(tx, new), True


def again(tx: Connection, submission: int, why: str, *, by: int, at: datetime) -> Job:
    """Put a submission back into the queue; the report that is there stays beside the new one.

    :raises StoreError: it is waiting or being graded already (slug ``still-grading``), or there is
        no such submission (slug ``submission-unknown``)
    """
    current = job(tx, submission)
    turn = unfinished(tx, find(tx, submission).team_id) + 1
    table = tables.job
    done = tx.execute(
        update(table)
        .where(table.c.submission_id == submission, table.c.state.not_in(_UNDONE))
        .values(
            round=table.c.round + 1,
            state=JobState.QUEUED.value,
            step="",
            turn=turn,
            attempts=0,
            changed_at=at,
            message="",
        )
    )
    if not done.rowcount:
        raise StoreError(
            "still-grading",
            f"Submission {submission} is {current.state} already.",
            remedy="Wait for its report, and do it then.",
        )
    audit.record(tx, "submission.again", f"submission:{submission}", at=at, by=by, why=why)
    return job(tx, submission)


def find(tx: Connection, submission: int) -> Submission:
    """Return a submission by id.

    :raises StoreError: there is none (slug ``submission-unknown``)
    """
    table = tables.submission
    row = tx.execute(select(table).where(table.c.id == submission)).first()
    if row is None:
        raise StoreError("submission-unknown", f"There is no submission {submission}.")
    return _submission(row)


def of_team(tx: Connection, team: int) -> tuple[Submission, ...]:
    """Return a team's submissions, the newest first."""
    table = tables.submission
    rows = tx.execute(
        select(table)
        .where(table.c.team_id == team)
        .order_by(table.c.received_at.desc(), table.c.id.desc())
    )
    return tuple(_submission(row) for row in rows)


def job(tx: Connection, submission: int) -> Job:
    """Return how far a submission is.

    :raises StoreError: there is no such submission (slug ``submission-unknown``)
    """
    table = tables.job
    row = tx.execute(select(table).where(table.c.submission_id == submission)).first()
    if row is None:
        raise StoreError("submission-unknown", f"There is no submission {submission}.")
    return Job(**{**fields(row), "state": JobState(row.state)})


def start(tx: Connection, submission: int, *, at: datetime) -> Job:
    """Note that a worker has begun, or begun again."""
    table = tables.job
    tx.execute(
        update(table)
        .where(table.c.submission_id == submission, table.c.state.in_(_UNDONE))
        .values(state=JobState.RUNNING.value, attempts=table.c.attempts + 1, changed_at=at, step="")
    )
    return job(tx, submission)


def tell_step(tx: Connection, submission: int, step: str, *, at: datetime) -> None:
    """Note what is being done; what has ended stays as it is."""
    table = tables.job
    tx.execute(
        update(table)
        .where(table.c.submission_id == submission, table.c.state == JobState.RUNNING.value)
        .values(step=step, changed_at=at)
    )


def give_up(tx: Connection, submission: int, message: str, *, at: datetime) -> Job:
    """Note that no report will come, and why; a report that is there already stays the answer."""
    table = tables.job
    done = tx.execute(
        update(table)
        .where(table.c.submission_id == submission, table.c.state.in_(_UNDONE))
        .values(state=JobState.FAILED.value, changed_at=at, message=message[:1000], step="")
    )
    if done.rowcount:
        audit.record(tx, "submission.failed", f"submission:{submission}", at=at, message=message)
    return job(tx, submission)


def record(
    tx: Connection, submission: int, new: NewReport, *, at: datetime
) -> tuple[RecordedReport, bool]:
    """Record a report and end its job.

    :return: the report, and whether it is this one: whoever comes second finds the first
    """
    line = select(tables.job.c.round).where(tables.job.c.submission_id == submission)
    current = tx.execute(line.with_for_update()).scalar_one()
    known = figures_of(tx, submission)
    if known is not None and known.round == current:
        return find_report(tx, known.id), False
    digest = hashlib.sha256(new.content.encode()).hexdigest()
    report = new_id(
        tx,
        tables.report,
        submission_id=submission,
        round=current,
        outcome=new.outcome,
        total=new.total,
        public_total=new.public_total,
        possible=new.possible,
        seconds=new.seconds,
        digest=digest,
        recorded_at=at,
        content=new.content,
        loss=new.loss,
        loss_error=new.loss_error,
    )
    rows = [{"report_id": report, **_finding(finding)} for finding in new.findings]
    if rows:
        tx.execute(insert(tables.finding), rows)
    tx.execute(
        update(tables.job)
        .where(tables.job.c.submission_id == submission)
        .values(state=JobState.DONE.value, step="", message="", changed_at=at)
    )
    audit.record(
        tx,
        audit.REPORTED,
        f"submission:{submission}",
        at=at,
        digest=digest,
        outcome=new.outcome,
        total=new.total,
    )
    return find_report(tx, report), True


def report_of(tx: Connection, submission: int) -> RecordedReport | None:
    """Return the last report of a submission; None while there is none."""
    table = tables.report
    of = select(table).where(table.c.submission_id == submission)
    row = tx.execute(of.order_by(table.c.round.desc()).limit(1)).first()
    return None if row is None else RecordedReport(**fields(row))


def figures_of(tx: Connection, submission: int) -> ReportFigures | None:
    """Return what the last report of a submission comes to; None while there is none."""
    table = tables.report
    of = select(*_figures(table)).where(table.c.submission_id == submission)
    row = tx.execute(of.order_by(table.c.round.desc()).limit(1)).first()
    return None if row is None else ReportFigures(**fields(row))


def find_report(tx: Connection, report: int) -> RecordedReport:
    """Return a report by id.

    :raises StoreError: there is none (slug ``report-unknown``)
    """
    row = tx.execute(select(tables.report).where(tables.report.c.id == report)).first()
    if row is None:
        raise StoreError("report-unknown", f"There is no report {report}.")
    return RecordedReport(**fields(row))


Graded: TypeAlias = tuple[Submission, ReportFigures]
"""A submission that has a report, and what the last one comes to."""


def graded(tx: Connection, team: int, challenge_slug: str) -> tuple[Graded, ...]:
    """Return a team's graded submissions to a challenge, oldest first."""
    found = _graded(
        tx, (tables.submission.c.team_id == team) & (tables.challenge.c.slug == challenge_slug)
    )
    return tuple(pair for _, pair in found)


def graded_of_team(tx: Connection, team: int) -> tuple[Graded, ...]:
    """Return a team's graded submissions to all challenges, oldest first."""
    return tuple(pair for _, pair in _graded(tx, tables.submission.c.team_id == team))


def graded_in(tx: Connection, event: int) -> Mapping[tuple[int, str], Sequence[Graded]]:
    """Return an event's graded submissions, oldest first, by team and challenge slug."""
    found: dict[tuple[int, str], list[Graded]] = {}
    for slug, pair in _graded(tx, tables.submission.c.event_id == event):
        found.setdefault((pair[0].team_id, slug), []).append(pair)
    return found


def _graded(tx: Connection, which: ColumnElement[bool]) -> Iterator[tuple[str, Graded]]:
    sent, told, known = tables.submission, tables.report, tables.challenge
    rows = tx.execute(
        select(sent, known.c.slug, *(c.label(f"report_{c.name}") for c in _figures(told)))
        .join(told, told.c.submission_id == sent.c.id)
        .join(known, known.c.id == sent.c.challenge_id)
        .where(which, _is_last(told))
        .order_by(sent.c.id)
    )
    for row in rows:
        values = fields(row)
        figures = {c.name: values[f"report_{c.name}"] for c in _figures(told)}
        yield row.slug, (_submission(row), ReportFigures(**figures))


def _figures(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if column.name != "content"]


def _is_last(told: Table) -> ColumnElement[bool]:
    """Say that a submission's report is its last one: it may have been graded again."""
    later = tables.report.alias()
    return ~(
        select(later.c.id)
        .where(later.c.submission_id == told.c.submission_id, later.c.round > told.c.round)
        .exists()
    )


def report_before(tx: Connection, sent: Submission) -> RecordedReport | None:
    """Return the report of the team's submission before this one, to the same challenge."""
    told, other, known = tables.report, tables.submission, tables.challenge
    slug = select(known.c.slug).where(known.c.id == sent.challenge_id).scalar_subquery()
    row = tx.execute(
        select(told)
        .join(other, other.c.id == told.c.submission_id)
        .join(known, known.c.id == other.c.challenge_id)
        .where(other.c.team_id == sent.team_id, other.c.id < sent.id, known.c.slug == slug)
        .order_by(other.c.id.desc(), told.c.round.desc())
        .limit(1)
    ).first()
    return None if row is None else RecordedReport(**fields(row))


def findings(tx: Connection, report: int) -> tuple[GradedFinding, ...]:
    """Return what a report says of each check, in its order."""
    table = tables.finding
    columns = [column for column in table.c if column.name not in {"id", "report_id"}]
    rows = tx.execute(select(*columns).where(table.c.report_id == report).order_by(table.c.id))
    return tuple(GradedFinding(**fields(row)) for row in rows)


def entries(tx: Connection, event: int, slug: str) -> tuple[ranking.Entry, ...]:
    """Return all graded submissions of an event to a challenge, whichever version, oldest first.

    Of a submission that was graded again, the last report counts.
    """
    sent, told, known = tables.submission, tables.report, tables.challenge
    rows = tx.execute(
        select(
            told.c.id.label("report_id"),
            sent.c.team_id,
            sent.c.received_at,
            told.c.outcome,
            told.c.total,
            told.c.public_total,
            told.c.loss,
            told.c.loss_error,
        )
        .join(told, told.c.submission_id == sent.c.id)
        .join(known, known.c.id == sent.c.challenge_id)
        .where(sent.c.event_id == event, known.c.slug == slug)
        .where(_is_last(told))
        .order_by(sent.c.received_at, sent.c.id)
    )
    return tuple(ranking.Entry(**fields(row)) for row in rows)


def noise(tx: Connection, challenges: Collection[int]) -> int:
    """Return the most points by which rehearsals differed where they graded a commit twice.

    Accepted references alone are looked at: no team can make everybody's ranks coarser by a port
    that throws dice.

    :param challenges: ids of versions
    :return: 0 where none was rehearsed, or all was graded alike
    """
    sent, told, event = tables.submission, tables.report, tables.event
    totals = (
        select((func.max(told.c.total) - func.min(told.c.total)).label("apart"))
        .join(sent, sent.c.id == told.c.submission_id)
        .join(event, event.c.id == sent.c.event_id)
        .where(event.c.rehearsal, sent.c.challenge_id.in_(challenges), told.c.round == 1)
        .where(told.c.outcome == ranking.ACCEPTED)
        .group_by(sent.c.event_id, sent.c.challenge_id, sent.c.commit)
        .subquery()
    )
    return int(tx.execute(select(func.max(totals.c.apart))).scalar_one() or 0)


def place(tx: Connection, submission: int) -> int:
    """Return how many others are being graded or come before a submission in the queue."""
    sent, state = tables.submission, tables.job
    mine = job(tx, submission)
    own = find(tx, submission)
    running = state.c.state == JobState.RUNNING.value
    if mine.state is not JobState.QUEUED:
        return 0
    before = tuple_(state.c.turn, sent.c.received_at, sent.c.id) < tuple_(
        literal(mine.turn), literal(own.received_at, tables.Moment()), literal(own.id)
    )
    query = (
        select(func.count())
        .select_from(sent.join(state, state.c.submission_id == sent.c.id))
        .where(running | ((state.c.state == JobState.QUEUED.value) & before))
    )
    return tx.execute(query).scalar_one()


def counts(tx: Connection) -> dict[JobState, int]:
    """Return how many submissions are in each state."""
    state = tables.job.c.state
    rows = tx.execute(select(state, func.count()).group_by(state)).all()
    found = {row[0]: row[1] for row in rows}
    return {known: found.get(known.value, 0) for known in JobState}


def usual_seconds(tx: Connection, *, of_last: int = 20) -> float | None:
    """Return the median time that the last gradings took; None while there were none."""
    table = tables.report
    last = select(table.c.seconds).order_by(table.c.id.desc()).limit(of_last)
    seconds = tx.execute(last).scalars().all()
    return statistics.median(seconds) if seconds else None


def waiting(tx: Connection) -> tuple[tuple[Submission, Job], ...]:
    """Return what has no report yet, oldest first, to be graded or graded again."""
    sent, state = tables.submission, tables.job
    rows = tx.execute(
        select(
            sent,
            state.c.round,
            state.c.state,
            state.c.step,
            state.c.turn,
            state.c.attempts,
            state.c.changed_at,
        )
        .join(state, state.c.submission_id == sent.c.id)
        .where(state.c.state.in_(_UNDONE))
        .order_by(sent.c.received_at, sent.c.id)
    )
    return tuple((_submission(row), _job(row)) for row in rows)


def unfinished(tx: Connection, team: int) -> int:
    """Return how many of a team's submissions have no report yet: its turn comes after others'."""
    sent, state = tables.submission, tables.job
    query = (
        select(func.count())
        .select_from(sent.join(state, state.c.submission_id == sent.c.id))
        .where(sent.c.team_id == team, state.c.state.in_(_UNDONE))
    )
    return tx.execute(query).scalar_one()


_UNDONE = (JobState.QUEUED.value, JobState.RUNNING.value)


def _check_open(tx: Connection, event: int, team: int, challenge: int, at: datetime) -> None:
    held = events.find_event(tx, event)
    if not held.starts_at <= at < held.ends_at:
        raise StoreError(
            "event-closed",
            f"{held.title} takes submissions from {held.starts_at:%Y-%m-%d %H:%M} to "
            f"{held.ends_at:%Y-%m-%d %H:%M} UTC.",
        )
    if challenge not in {version.id for version in events.challenges(tx, event)}:
        raise StoreError("challenge-elsewhere", f"{held.title} is not held over this challenge.")
    sent = tables.submission
    received = tx.execute(
        select(sent.c.received_at).where(sent.c.team_id == team, sent.c.challenge_id == challenge)
    )
    if not ranking.left_today(received.scalars(), held.daily_cap, at):
        raise StoreError(
            "daily-cap",
            f"This team has made its {held.daily_cap} submissions of today.",
            remedy="The next day begins at 00:00 UTC; 'drydock grade --public' has no cap.",
        )


def _find_commit(tx: Connection, team: int, challenge: int, commit: str) -> Submission | None:
    table = tables.submission
    row = tx.execute(
        select(table).where(
            table.c.team_id == team,
            table.c.challenge_id == challenge,
            table.c.commit == commit,
        )
    ).first()
    return None if row is None else _submission(row)


def _submission(row: AnyRow) -> Submission:
    return Submission(
        id=row.id,
        event_id=row.event_id,
        team_id=row.team_id,
        challenge_id=row.challenge_id,
        commit=row.commit,
        submitted_by=row.submitted_by,
        received_at=row.received_at,
        origin=row.origin,
    )


def _job(row: AnyRow) -> Job:
    return Job(
        submission_id=row.id,
        round=row.round,
        state=JobState(row.state),
        step=row.step,
        turn=row.turn,
        attempts=row.attempts,
        changed_at=row.changed_at,
        message="",
    )


def _finding(finding: GradedFinding) -> Mapping[str, object]:
    return {name: getattr(finding, name) for name in GradedFinding.__dataclass_fields__}
