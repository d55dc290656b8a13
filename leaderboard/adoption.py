"""Adoption: pure functions from what was recorded to how far people and models have come.

Figures are sets of ids, not counts, so that each opens down to the rows that it is made of. A stage
counts who has *reached* it: whoever was approved was accepted before, whatever was recorded of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from leaderboard.model import Unit


class PersonStage(StrEnum):
    """How far somebody has come, in order."""

    INVITED = "invited"
    ACTIVE = "active"
    SUBMITTED = "first submission"
    ACCEPTED = "first accepted"
    APPROVED = "approved"


class ModelStage(StrEnum):
    """How far a legacy model has come, in order."""

    REGISTERED = "registered"
    IN_PORT = "in port"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """When a person, or a legacy model, reached each stage."""

    id: int
    unit_id: int | None
    reached: Mapping[StrEnum, datetime]
    """Moments by stage; what is missing was not reached yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Who has reached each stage, in one unit and all below it."""

    unit_id: int | None
    """None stands for the whole company."""
    stages: Mapping[StrEnum, frozenset[int]]
    """Ids by stage, in the order of the stages; each holds the ones after it."""

    def counts(self) -> dict[str, int]:
        """Return how many have reached each stage."""
        return {stage.value: len(ids) for stage, ids in self.stages.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One check of one report, seen from the unit that the team comes from."""

    unit_id: int | None
    report_id: int
    code: str
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """How often one check fails in one unit."""

    unit_id: int | None
    code: str
    failed: frozenset[int]
    """Reports in which it fails."""
    seen: int
    """Reports in which it was looked at; never 0."""

    @property
    def share(self) -> float:
        """Share of the reports in which the check fails, 0..1; lower is better."""
        return len(self.failed) / self.seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """Who has passed which lesson, in one unit and all below it."""

    unit_id: int | None
    """None stands for the whole company."""
    people: frozenset[int]
    """Everybody in it."""
    lessons: Mapping[str, frozenset[int]]
    """Ids of people by the lesson that they have passed."""

    @property
    def any(self) -> frozenset[int]:
        """Who has passed at least one."""
        return frozenset().union(*self.lessons.values())


def trained(
    works_in: Mapping[int, int | None],
    passed: Mapping[int, Collection[str]],
    lessons: Sequence[str],
    units: Sequence[Unit],
) -> tuple[Trained, ...]:
    """Return who is trained, of the company, then of each unit by name with those below it.

    :param works_in: units by person
    :param passed: lessons by person
    """
    above = ancestors(units)
    found = []
    for key in _company_and(units):
        people = frozenset(
            person for person, unit in works_in.items() if key is None or key in above.get(unit, ())
        )
        by_lesson = {
            lesson: frozenset(person for person in people if lesson in passed.get(person, ()))
            for lesson in lessons
        }
        found.append(Trained(unit_id=key, people=people, lessons=by_lesson))
    return tuple(found)


def funnels(
    progress: Iterable[Progress],
    stages: Sequence[StrEnum],
    units: Sequence[Unit],
    *,
    until: datetime | None = None,
) -> tuple[Funnel, ...]:
    """Return the funnel of the company, then of each unit by name, those below it included.

    :param stages: in order
    :param until: as it was then; now where it is None
    """
    rows = tuple(progress)
    above = ancestors(units)
    return tuple(
        Funnel(unit_id=key, stages=_stages(_within(rows, key, above), stages, until))
        for key in _company_and(units)
    )


def _company_and(units: Iterable[Unit]) -> tuple[int | None, ...]:
    """Return what stands for the whole company, then the ids of its units by name."""
    return (None, *(unit.id for unit in sorted(units, key=lambda unit: (unit.name, unit.id))))


def over_time(
    progress: Iterable[Progress], stages: Sequence[StrEnum], moments: Sequence[datetime]
) -> dict[str, list[int]]:
    """Return how many had reached each stage at each moment."""
    rows = tuple(progress)
    found = [_stages(rows, stages, moment) for moment in moments]
    return {stage.value: [len(ids[stage]) for ids in found] for stage in stages}


def heat_map(violations: Iterable[Violation], units: Sequence[Unit]) -> tuple[Heat, ...]:
    """Return how often each check fails in each unit, those below it included.

    A report in which a check was not looked at says nothing of it, for or against.
    """
    above = ancestors(units)
    seen: dict[tuple[int | None, str], set[int]] = {}
    failed: dict[tuple[int | None, str], set[int]] = {}
    for item in violations:
        for key in (None, *above.get(item.unit_id, ())):
            seen.setdefault((key, item.code), set()).add(item.report_id)
            if item.failed:
                failed.setdefault((key, item.code), set()).add(item.report_id)
    return tuple(
        Heat(unit_id=unit, code=code, failed=frozenset(failed.get((unit, code), ())), seen=len(ids))
        for (unit, code), ids in sorted(
            seen.items(), key=lambda item: (item[0][0] or 0, item[0][1])
        )
    )


def ancestors(units: Sequence[Unit]) -> dict[int | None, tuple[int, ...]]:
    """Return each unit with all above it, itself first. A circle is followed once."""
    parents = {unit.id: unit.parent_id for unit in units}
    chains: dict[int | None, tuple[int, ...]] = {}
    for unit in units:
        chain: list[int] = []
        current: int | None = unit.id
        while current is not None and current not in chain:
            chain.append(current)
            current = parents.get(current)
        chains[unit.id] = tuple(chain)
    return chains


def _within(
    rows: Sequence[Progress], unit: int | None, above: Mapping[int | None, tuple[int, ...]]
) -> Sequence[Progress]:
    if unit is None:
        return rows
    return [row for row in rows if unit in above.get(row.unit_id, ())]


def _stages(
    rows: Iterable[Progress], stages: Sequence[StrEnum], until: datetime | None
) -> dict[StrEnum, frozenset[int]]:
    furthest = {row.id: _furthest(row, stages, until) for row in rows}
    return {
        stage: frozenset(key for key, place in furthest.items() if place >= number)
        for number, stage in enumerate(stages)
    }


def _furthest(row: Progress, stages: Sequence[StrEnum], until: datetime | None) -> int:
    """Return the number of the last stage that was reached; -1 for none."""
    reached = [
        number
        for number, stage in enumerate(stages)
        if stage in row.reached and (until is None or row.reached[stage] <= until)
    ]
    return max(reached, default=-1)
