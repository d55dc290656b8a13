from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from leaderboard.adoption import (
    Funnel,
    ModelStage,
    PersonStage,
    Progress,
    Violation,
    ancestors,
    funnels,
    heat_map,
    over_time,
    trained,
)
from leaderboard.model import Unit

START = datetime(2026, 3, 2, tzinfo=UTC)
STAGES = tuple(PersonStage)
UNITS = (
    Unit(id=1, name="Insurance", parent_id=None),
    Unit(id=2, name="Claims", parent_id=1),
    Unit(id=3, name="Pricing", parent_id=1),
)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def person(number: int, unit: int | None, *days: int) -> Progress:
    """Somebody who reached the first stages on these days."""
    reached: dict[StrEnum, datetime] = {
        stage: day(at) for stage, at in zip(STAGES, days, strict=False)
    }
    return Progress(id=number, unit_id=unit, reached=reached)


PEOPLE = (person(1, 2, 0, 1, 2, 3, 4), person(2, 2, 0, 1), person(3, 3, 0), person(4, None, 0, 5))


def by_unit(found: tuple[Funnel, ...]) -> dict[int | None, list[int]]:
    return {funnel.unit_id: list(funnel.counts().values()) for funnel in found}


def test_funnel_rolls_up() -> None:
    assert by_unit(funnels(PEOPLE, STAGES, UNITS)) == {
        None: [4, 3, 1, 1, 1],
        2: [2, 2, 1, 1, 1],
        1: [3, 2, 1, 1, 1],
        3: [1, 0, 0, 0, 0],
    }


def test_figures_open_to_rows() -> None:
    company = funnels(PEOPLE, STAGES, UNITS)[0]
    assert company.stages[PersonStage.ACTIVE] == {1, 2, 4}


def test_later_stage_holds_earlier() -> None:
    skipped = Progress(id=1, unit_id=None, reached={ModelStage.APPROVED: day(1)})
    (company,) = funnels([skipped], tuple(ModelStage), ())
    assert list(company.counts().values()) == [1, 1, 1, 1, 0]


def test_funnel_as_it_was() -> None:
    past = funnels(PEOPLE, STAGES, UNITS, until=day(2))
    assert by_unit(past)[None] == [4, 2, 1, 0, 0]


def test_progress_over_time_only_grows() -> None:
    found = over_time(PEOPLE, STAGES, [day(n) for n in range(-1, 6)])
    assert found["active"] == [0, 0, 2, 2, 2, 2, 3]
    assert found["approved"] == [0, 0, 0, 0, 0, 1, 1]


def test_nobody_is_an_empty_funnel() -> None:
    (company,) = funnels([], STAGES, ())
    assert set(company.counts().values()) == {0}


def test_heat_counts_reports_that_looked() -> None:
    violations = [
        Violation(unit_id=2, report_id=1, code="TEST001", failed=True),
        Violation(unit_id=2, report_id=2, code="TEST001", failed=False),
        Violation(unit_id=3, report_id=3, code="TEST001", failed=True),
        Violation(unit_id=3, report_id=3, code="DOCS001", failed=False),
    ]
    heat = {(h.unit_id, h.code): h.share for h in heat_map(violations, UNITS)}
    assert heat[2, "TEST001"] == 0.5
    assert heat[1, "TEST001"] == heat[None, "TEST001"] == 2 / 3
    assert heat[3, "DOCS001"] == 0
    assert (2, "DOCS001") not in heat


def test_trained_rolls_up() -> None:
    works_in = {1: 2, 2: 2, 3: 3, 4: None}
    passed = {1: ["one", "two"], 3: ["one"], 4: ["gone"]}
    company, claims, insurance, pricing = trained(works_in, passed, ["one", "two"], UNITS)
    assert (company.unit_id, len(company.people), set(company.any)) == (None, 4, {1, 3})
    assert (insurance.unit_id, set(insurance.people), set(insurance.any)) == (1, {1, 2, 3}, {1, 3})
    assert (claims.unit_id, [set(ids) for ids in claims.lessons.values()]) == (2, [{1}, {1}])
    assert (pricing.unit_id, [set(ids) for ids in pricing.lessons.values()]) == (3, [{3}, set()])


def test_circle_of_units_ends() -> None:
    circle = (Unit(id=1, name="A", parent_id=2), Unit(id=2, name="B", parent_id=1))
    assert ancestors(circle) == {1: (1, 2), 2: (2, 1)}
