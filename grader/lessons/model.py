"""The nouns of lessons: what is taught, what was handed in, and how it was graded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from grader.model import Limits


class Level(StrEnum):
    """How much a lesson takes for granted."""

    FIRST = "first steps"
    PRACTICE = "practice"
    DEEP = "going deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongAnswer:
    """A plausible answer that must lose exactly what it should."""

    name: str
    cells: Mapping[str, str]
    """Sources by the grade ids of the cells that it fills in; the others are solved."""
    loses: frozenset[str]
    """Grade ids of the cells that lose points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A lesson: nbgrader's source notebooks, and what the learning path knows of it."""

    slug: str
    title: str
    summary: str
    level: Level
    minutes: int
    """How long it takes, about."""
    teaches: tuple[str, ...]
    """Codes of the checks that it helps with."""
    after: tuple[str, ...]
    """Slugs of lessons that should be passed before."""
    unlocks: tuple[str, ...]
    """Slugs of challenges that one is ready for then."""
    passing: float
    """Points that pass it."""
    limits: Limits
    cell_seconds: float
    wrong: tuple[WrongAnswer, ...]
    source: Path
    """The folder with the notebooks and what lies beside them."""
    digest: str
    """SHA-256 of all that decides how it is graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGrade:
    """What one graded cell was worth."""

    notebook: str
    cell: str
    """Its grade id."""
    possible: float
    auto: float | None
    """None where a person must look at it."""
    manual: float | None = None
    extra: float = 0.0
    """Extra credit that a person gave."""
    waits: bool = False
    """Whether a person has yet to look at it."""
    comment: str = ""
    reason: str = ""
    """Why it lost points, in a line; empty where it did not."""

    @property
    def points(self) -> float:
        """What counts: a person's word before the test's."""
        given = self.manual if self.manual is not None else self.auto
        return (given or 0.0) + self.extra

    @property
    def lost(self) -> bool:
        """Whether its test kept points back."""
        return self.auto is not None and self.auto < self.possible


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonGrade:
    """A handed-in lesson, graded."""

    lesson: str
    digest: str
    cells: tuple[CellGrade, ...]
    penalty: float = 0.0
    """Points lost for being late; lessons of ours know no lateness, courses taken in may."""
    remarks: tuple[str, ...] = ()
    """What was unusual about what was handed in, and what came of it."""

    @property
    def points(self) -> float:
        """All points, as nbgrader adds them up."""
        return max(0.0, sum(cell.points for cell in self.cells) - self.penalty)

    @property
    def possible(self) -> float:
        """Points that could be had."""
        return sum(cell.possible for cell in self.cells)

    @property
    def waits(self) -> bool:
        """Whether a person has yet to look at some cell."""
        return any(cell.waits for cell in self.cells)


def grade_from(told: Mapping[str, Any]) -> LessonGrade:
    """Return the grade of which :func:`dataclasses.asdict` told this.

    :raises KeyError: something is missing
    :raises TypeError: there is something that a grade has not
    """
    about = dict(told)
    cells = tuple(CellGrade(**cell) for cell in about.pop("cells"))
    remarks = tuple(about.pop("remarks"))
    return LessonGrade(**about, cells=cells, remarks=remarks)
