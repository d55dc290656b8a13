"""What waits for somebody because of their roles: the first thing that their home page tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leaderboard.adoption import ModelStage
from leaderboard.model import Person, Role
from leaderboard.store import events, models, people, submissions, workers
from portal.access import Page
from portal.house import House
from portal.services import learning, reviewing


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Something that waits, and where it is done."""

    title: str
    how: str
    action: str
    page: Page
    query: Mapping[str, str] = field(default_factory=dict)
    """What the page's address says beside its name."""


def duties(house: House, person: Person) -> tuple[Duty, ...]:
    """Return what waits for somebody, by role; a member's own way is in `progress`."""
    found: list[Duty] = []
    if Role.ADMIN in person.roles:
        found += _of_administrators(house)
    if Role.CHAMPION in person.roles:
        found += _of_champions(house, person)
    if Role.LEADER in person.roles:
        found += _of_leaders(house, person)
    if Role.MANAGER in person.roles:
        found += _of_managers(house)
    return tuple(found)


def _of_administrators(house: House) -> Iterator[Duty]:
    with house.database.read() as tx:
        alive, waiting = workers.alive(tx), submissions.waiting(tx)
        units, everybody = people.units(tx), people.people(tx)
    if not alive:
        yield Duty(
            title=f"No worker runs, and {len(waiting)} wait",
            how="Nothing is graded until one does: drydock worker, or drydock serve --workers 1.",
            action="To the workers and the queue",
            page=Page.ADMINISTRATION,
            query={"tab": "Workers and queue"},
        )
    if not units:
        yield Duty(
            title="Draw the company's units",
            how="Adoption is counted by them; people say which one is theirs as they sign up.",
            action="To the units",
            page=Page.ADMINISTRATION,
            query={"tab": "Units"},
        )
    held = frozenset[Role]().union(*(known.roles for known in everybody if known.active))
    missing = [
        role.value for role in (Role.CHAMPION, Role.LEADER, Role.MANAGER) if role not in held
    ]
    if missing:
        yield Duty(
            title=f"Nobody is {' or '.join(missing)} yet",
            how="Champions hold events, leaders approve, managers see adoption.",
            action="To the people",
            page=Page.ADMINISTRATION,
        )


def _of_champions(house: House, person: Person) -> Iterator[Duty]:
    now = house.now()
    with house.database.read() as tx:
        published = events.published(tx)
        coming = [e for e in events.events(tx) if not e.rehearsal and e.ends_at > now]
    answers = learning.to_judge(house, person)
    if not published:
        yield Duty(
            title="No challenge is published",
            how="Prove one that grades fairly, and publish it.",
            action="To the challenges",
            page=Page.DESK,
        )
    elif not coming:
        yield Duty(
            title="No event is on or announced",
            how="Choose its dates and challenges; teams see it at once.",
            action="Hold an event",
            page=Page.DESK,
            query={"tab": "Hold an event"},
        )
    if answers:
        yield Duty(
            title=f"{_number(len(answers), 'answer waits', 'answers wait')} to be read",
            how="What tests cannot grade in a lesson, a champion does.",
            action="To the answers",
            page=Page.DESK,
            query={"tab": "Lessons"},
        )


def _of_leaders(house: House, person: Person) -> Iterator[Duty]:
    waiting = [item for item in reviewing.queue(house, person) if item.open]
    if waiting:
        yield Duty(
            title=f"{_number(len(waiting), 'submission waits', 'submissions wait')} for your word",
            how="Read the report and the change, answer the waivers, and say why.",
            action="To the review",
            page=Page.REVIEW,
            query={"submission": str(waiting[0].submission.id)},
        )


def _of_managers(house: House) -> Iterator[Duty]:
    with house.database.read() as tx:
        progress = models.model_progress(tx)
    approved = sum(ModelStage.APPROVED in row.reached for row in progress)
    if progress:
        yield Duty(
            title=f"{approved} of {len(progress)} legacy models are approved",
            how="Which unit's people are trained, and what holds the rest back.",
            action="To adoption",
            page=Page.ADOPTION,
        )
    else:
        yield Duty(
            title="No legacy model is registered",
            how="Import the list of the company's models, from CSV or Excel.",
            action="To the register",
            page=Page.ADOPTION,
            query={"tab": "Register"},
        )


def _number(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
