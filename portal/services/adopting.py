"""Adoption: how far people and models have come, and where the standards are missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leaderboard.adoption import (
    Funnel,
    Heat,
    ModelStage,
    PersonStage,
    Progress,
    Trained,
    funnels,
    heat_map,
    over_time,
    trained,
)
from leaderboard.model import LegacyModel, Person, Unit
from leaderboard.store import models, people
from leaderboard.store.models import ReportedOn
from portal.access import Page, may_open
from portal.errors import Forbidden
from portal.house import House
from portal.services import learning

_MOMENTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """All figures of the page, with the rows that they are made of."""

    units: tuple[Unit, ...]
    people: dict[int, Person]
    models: dict[int, LegacyModel]
    people_progress: tuple[Progress, ...]
    model_progress: tuple[Progress, ...]
    people_funnels: tuple[Funnel, ...]
    model_funnels: tuple[Funnel, ...]
    moments: tuple[datetime, ...]
    heat: tuple[Heat, ...]
    reports: dict[int, ReportedOn]
    """What the reports of the heat map are about, by their ids."""
    trained: tuple[Trained, ...]
    """By titles of lessons."""

    def people_over_time(self, of: Funnel) -> dict[str, list[int]]:
        """Return how many people of a unit had reached each stage at each moment."""
        return over_time(_within(self.people_progress, of), list(PersonStage), self.moments)

    def models_over_time(self, of: Funnel) -> dict[str, list[int]]:
        """Return how many models of a unit had reached each stage at each moment."""
        return over_time(_within(self.model_progress, of), list(ModelStage), self.moments)

    def unit_name(self, unit: int | None) -> str:
        """Return a unit's name; the company's where it is None."""
        return next((known.name for known in self.units if known.id == unit), "The company")


def adoption(house: House, person: Person) -> Adoption:
    """Return all figures, as they are now.

    :raises Forbidden: the person may not see them (slug ``not-yours``)
    """
    if not may_open(person, Page.ADOPTION):
        raise Forbidden("not-yours", "Adoption is for managers and leaders.")
    with house.database.read() as tx:
        units = people.units(tx)
        everybody = {known.id: known for known in people.people(tx)}
        register = {model.id: model for model in models.models(tx)}
        of_people, of_models = models.people_progress(tx), models.model_progress(tx)
        violations = models.violations(tx)
        reports = models.reported_on(tx, {violation.report_id for violation in violations})
    moments = _moments((*of_people, *of_models), house.now())
    return Adoption(
        units=units,
        people=everybody,
        models=register,
        people_progress=of_people,
        model_progress=of_models,
        people_funnels=funnels(of_people, list(PersonStage), units),
        model_funnels=funnels(of_models, list(ModelStage), units),
        moments=moments,
        heat=heat_map(violations, units),
        reports=reports,
        trained=trained(
            {known.id: known.unit_id for known in everybody.values()},
            learning.passed(house),
            [lesson.title for lesson in learning.all_lessons(house)],
            units,
        ),
    )


def _within(progress: tuple[Progress, ...], of: Funnel) -> list[Progress]:
    """Return the rows that a funnel counts, whatever they have reached."""
    counted = frozenset[int]().union(*of.stages.values())
    return [row for row in progress if row.id in counted]


def _moments(progress: tuple[Progress, ...], now: datetime) -> tuple[datetime, ...]:
    """Return evenly spaced moments from the first thing that happened until now."""
    first = min((at for row in progress for at in row.reached.values()), default=now)
    span = max(now - first, timedelta(hours=1))
    return tuple(now - span * (1 - step / _MOMENTS) for step in range(_MOMENTS + 1))
