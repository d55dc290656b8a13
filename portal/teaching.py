"""What a worker does with one handed-in lesson: grade it, and record what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from grader.lessons import (
    Bench,
    Lesson,
    LessonGrade,
    find_lesson,
    grade,
    open_bench,
)
from leaderboard.store import Database, lessons
from leaderboard.store.lessons import NewResult
from portal.attempts import persist
from portal.settings import HOME, Settings


def folders(settings: Settings) -> tuple[Path, ...]:
    """Return where a portal's lessons lie: those that came with Drydock, and its own."""
    return HOME / "lessons", settings.data / "lessons"


class Teacher(AbstractContextManager["Teacher"]):
    """Grades lessons, on a bench that it keeps from one to the next."""

    def __init__(self, database: Database, places: Sequence[Path]) -> None:
        self._database = database
        self._places = tuple(places)
        self._bench: Bench | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the bench away."""
        self._open.close()

    def grade(self, attempt: int) -> None:
        """Grade an attempt, unless it was graded already, or begun too often."""

        def begin() -> int | None:
            with self._database.write() as tx:
                now = lessons.start(tx, attempt, at=_now())
            return None if now.state.terminal else now.begun

        def give_up(why: str) -> None:
            with self._database.write() as tx:
                lessons.give_up(tx, attempt, why, at=_now())

        persist(f"Attempt {attempt}", begin, lambda: self._grade(attempt), give_up)

    def _grade(self, attempt: int) -> None:
        with self._database.read() as tx:
            slug = lessons.find(tx, attempt).lesson
            handed_in = json.loads(lessons.content(tx, attempt))
        lesson = find_lesson(slug, self._places)
        graded = grade(
            lesson, {name: text.encode() for name, text in handed_in.items()}, self._opened()
        )
        with self._database.write() as tx:
            new = worth(lesson, graded.grade)
            lessons.record(tx, attempt, new, json.dumps(dict(graded.feedback)), at=_now())

    def _opened(self) -> Bench:
        if self._bench is None:
            self._bench = self._open.enter_context(open_bench())
        return self._bench


def worth(lesson: Lesson, given: LessonGrade) -> NewResult:
    """Return what is recorded of a grade."""
    return NewResult(
        score=given.points,
        possible=given.possible,
        passed=given.points >= lesson.passing,
        waits=given.waits,
        cells=json.dumps(asdict(given)),
    )


def _now() -> datetime:
    return datetime.now(UTC)
