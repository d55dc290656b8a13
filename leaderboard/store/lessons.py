"""Lessons: what was handed in, and what it was worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select, update

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import JobState, LessonAttempt, LessonResult
from leaderboard.store import audit
from leaderboard.store.rows import AnyRow, fields, new_id

_attempt, _result = tables.lesson_attempt, tables.lesson_result
_UNDONE = (JobState.QUEUED.value, JobState.RUNNING.value)
_ABOUT = ("id", "person_id", "lesson", "received_at", "state", "begun", "turn", "message")
_OF_RESULT = (
    "id", "attempt_id", "person_id", "lesson", "score", "possible", "passed", "waits", "cells", "at"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResult:
    """What a handed-in lesson is worth, before it is recorded."""

    score: float
    possible: float
    passed: bool
    waits: bool
    cells: str
    """As JSON."""


def hand_in(
    tx: Connection, person: int, lesson: str, content: str, *, most: int, at: datetime
) -> LessonAttempt:
    """Take in a lesson that somebody hands in.

    :param content: notebooks by name, as JSON
    :param most: how many of this person's may wait at one time
    :raises StoreError: as many wait already (slug ``still-grading``)
    """
    # One at a time for each person, or two at once would both count one too few.
    tx.execute(select(tables.person.c.id).where(tables.person.c.id == person).with_for_update())
    waiting = tx.execute(
        select(func.count())
        .select_from(_attempt)
        .where(_attempt.c.person_id == person, _attempt.c.state.in_(_UNDONE))
    ).scalar_one()
    if waiting >= most:
        raise StoreError(
            "still-grading",
            f"{waiting} lessons of yours are still being graded.",
            remedy="Wait until one is done.",
        )
    new = _new(
        tx, person, lesson, content=content, received_at=at, state=JobState.QUEUED,
        turn=waiting + 1, at=at,
    )  # fmt: skip
    audit.record(tx, "lesson.received", f"lesson:{lesson}", at=at, by=person, attempt=new)
    return find(tx, new)


def find(tx: Connection, attempt: int) -> LessonAttempt:
    """Return an attempt by id.

    :raises StoreError: there is none (slug ``attempt-unknown``)
    """
    (found,) = _attempts(tx, _attempt.c.id == attempt) or (None,)
    if found is None:
        raise StoreError("attempt-unknown", f"There is no attempt {attempt}.")
    return found


def content(tx: Connection, attempt: int) -> str:
    """Return what was handed in, as JSON."""
    return str(tx.execute(select(_attempt.c.content).where(_attempt.c.id == attempt)).scalar_one())


def start(tx: Connection, attempt: int, *, at: datetime) -> LessonAttempt:
    """Note that a worker has begun, or begun again."""
    _move(tx, attempt, JobState.RUNNING, at, begun=_attempt.c.begun + 1)
    return find(tx, attempt)


def give_up(tx: Connection, attempt: int, message: str, *, at: datetime) -> None:
    """Note that no grade will come, and why; a grade that is there already stays."""
    if _move(tx, attempt, JobState.FAILED, at, message=message[:1000]):
        audit.record(tx, "lesson.failed", f"attempt:{attempt}", at=at, message=message)


def record(
    tx: Connection, attempt: int, new: NewResult, pages: str, *, at: datetime
) -> LessonAttempt:
    """Record what an attempt is worth, once: whoever comes second finds the first.

    :param pages: the feedback by notebook, as JSON
    """
    if _move(tx, attempt, JobState.DONE, at):
        _add(tx, find(tx, attempt), new, pages, by=None, at=at)
    return find(tx, attempt)


def take_in(
    tx: Connection, person: int, lesson: str, new: NewResult, *, received_at: datetime, by: int,
    at: datetime,
) -> bool:  # fmt: skip
    """Record what was handed in and graded elsewhere; return whether it was not there yet."""
    known = any(
        attempt.lesson == lesson
        and attempt.result is not None
        and attempt.result.cells == new.cells
        for attempt in of_person(tx, person)
    )
    if known:
        return False
    added = _new(
        tx, person, lesson, content="{}", received_at=received_at, state=JobState.DONE, turn=1,
        at=at,
    )  # fmt: skip
    _add(tx, find(tx, added), new, None, by=by, at=at)
    return True


def correct(
    tx: Connection, attempt: int, new: NewResult, *, by: int, at: datetime
) -> LessonAttempt:
    """Record a person's word on an attempt; what was recorded before stays beside it."""
    _add(tx, find(tx, attempt), new, None, by=by, at=at)
    return find(tx, attempt)


def feedback(tx: Connection, attempt: int) -> str:
    """Return the pages that a learner reads, by notebook, as JSON; empty where there are none."""
    pages = tx.execute(
        select(_result.c.feedback)
        .where(_result.c.attempt_id == attempt, _result.c.feedback.is_not(None))
        .order_by(_result.c.id.desc())
        .limit(1)
    ).scalar()
    return str(pages or "")


def of_person(tx: Connection, person: int) -> tuple[LessonAttempt, ...]:
    """Return all that somebody handed in, the newest first."""
    return _attempts(tx, _attempt.c.person_id == person)[::-1]


def of_lesson(tx: Connection, lesson: str) -> tuple[LessonAttempt, ...]:
    """Return all that was handed in of a lesson, the oldest first."""
    return _attempts(tx, _attempt.c.lesson == lesson)


def waiting(tx: Connection) -> tuple[LessonAttempt, ...]:
    """Return each person's newest attempt at a lesson that a champion has yet to look at."""
    newest: dict[tuple[int, str], LessonAttempt] = {}
    for found in _attempts(tx, _attempt.c.state == JobState.DONE.value):
        newest[found.person_id, found.lesson] = found
    return tuple(item for item in newest.values() if item.result and item.result.waits)


def passed(tx: Connection) -> dict[int, tuple[str, ...]]:
    """Return the lessons that people have passed, by person, sorted."""
    rows = tx.execute(
        select(_result.c.person_id, _result.c.lesson).where(_result.c.passed.is_(True)).distinct()
    )
    found: dict[int, set[str]] = {}
    for row in rows:
        found.setdefault(row.person_id, set()).add(row.lesson)
    return {person: tuple(sorted(lessons)) for person, lessons in found.items()}


def _new(
    tx: Connection, person: int, lesson: str, *, content: str, received_at: datetime,
    state: JobState, turn: int, at: datetime,
) -> int:  # fmt: skip
    return new_id(
        tx, _attempt, person_id=person, lesson=lesson, content=content, received_at=received_at,
        state=state.value, turn=turn, begun=0, changed_at=at, message="",
    )  # fmt: skip


def _move(tx: Connection, attempt: int, state: JobState, at: datetime, **values: object) -> bool:
    """Bring what has not ended into another state; return whether it had not."""
    done = tx.execute(
        update(_attempt)
        .where(_attempt.c.id == attempt, _attempt.c.state.in_(_UNDONE))
        .values(state=state.value, changed_at=at, **values)
    )
    return bool(done.rowcount)


def _add(
    tx: Connection,
    attempt: LessonAttempt,
    new: NewResult,
    pages: str | None,
    *,
    by: int | None,
    at: datetime,
) -> None:
    new_id(
        tx,
        _result,
        person_id=attempt.person_id,
        lesson=attempt.lesson,
        score=new.score,
        possible=new.possible,
        at=at,
        attempt_id=attempt.id,
        passed=new.passed,
        waits=new.waits,
        cells=new.cells,
        feedback=pages,
    )
    audit.record(
        tx, "lesson.graded", f"attempt:{attempt.id}", at=at, by=by, score=new.score,
        possible=new.possible,
    )  # fmt: skip


def _attempts(tx: Connection, which: ColumnElement[bool]) -> tuple[LessonAttempt, ...]:
    """Return attempts with the last result of each, the oldest first."""
    rows: Sequence[AnyRow] = tx.execute(
        select(*(_attempt.c[name] for name in _ABOUT)).where(which).order_by(_attempt.c.id)
    ).all()
    last = (
        select(func.max(_result.c.id).label("id"))
        .join(_attempt, _attempt.c.id == _result.c.attempt_id)
        .where(which)
        .group_by(_result.c.attempt_id)
        .subquery()
    )
    results = {
        row.attempt_id: LessonResult(**fields(row))
        for row in tx.execute(
            select(*(_result.c[name] for name in _OF_RESULT)).join(last, last.c.id == _result.c.id)
        )
    }
    return tuple(
        LessonAttempt(
            **{**fields(row), "state": JobState(row.state), "result": results.get(row.id)}
        )
        for row in rows
    )
