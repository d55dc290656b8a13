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
    people_over_time: dict[str, list[int]]
    models_over_time: dict[str, list[int]]
    heat: tuple[Heat, ...]
    reports: dict[int, ReportedOn]
    """What the reports of the heat map are about, by their ids."""
    trained: tuple[Trained, ...]
    """By titles of lessons."""

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
        people_over_time=over_time(of_people, list(PersonStage), moments),
        models_over_time=over_time(of_models, list(ModelStage), moments),
        heat=heat_map(violations, units),
        reports=reports,
        trained=trained(
            {known.id: known.unit_id for known in everybody.values()},
            learning.passed(house),
            [lesson.title for lesson in learning.all_lessons(house)],
            units,
        ),
    )


def _moments(progress: tuple[Progress, ...], now: datetime) -> tuple[datetime, ...]:
    """Return evenly spaced moments from the first thing that happened until now."""
    first = min((at for row in progress for at in row.reached.values()), default=now)
    span = max(now - first, timedelta(hours=1))
    return tuple(now - span * (1 - step / _MOMENTS) for step in range(_MOMENTS + 1))
