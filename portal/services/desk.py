"""The champion's desk: events, and what they are held over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from grader import package
from grader.model import Challenge
from leaderboard.model import ChallengeVersion, Counting, Event, Person, Role
from leaderboard.store import events
from portal.errors import Forbidden
from portal.house import House
from portal.settings import HOME


def packages(folders: Sequence[Path] = (HOME / "challenges",)) -> tuple[Challenge, ...]:
    """Return the challenge packages that could be published, by slug."""
    return tuple(package.list_challenges(folders))


def versions(house: House) -> tuple[ChallengeVersion, ...]:
    """Return all published versions, the newest first."""
    with house.database.read() as tx:
        return events.published(tx)


def hold(  # noqa: PLR0913 - an event is all of this
    house: House,
    person: Person,
    *,
    slug: str,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    freezes_at: datetime | None,
    counting: Counting,
    daily_cap: int,
    challenges: Sequence[int],
) -> Event:
    """Announce an event over some challenge versions.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: its dates or its slug will not do
    """
    _check(person)
    now = house.now()
    with house.database.write() as tx:
        event = events.hold(
            tx,
            slug=slug,
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            freezes_at=freezes_at,
            counting=counting,
            daily_cap=daily_cap,
            at=now,
            by=person.id,
        )
        for challenge in challenges:
            events.add_challenge(tx, event.id, challenge, at=now, by=person.id)
    return event


def change(house: House, person: Person, changed: Event) -> Event:
    """Change an event's title, dates or rules; its address stays, for links lead to it.

    :param changed: the event as it should be from now on
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: its dates will not do
    """
    _check(person)
    with house.database.write() as tx:
        return events.change(tx, changed, at=house.now(), by=person.id)


def add_challenge(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    """Hold an event over a version too; another version of the same challenge gives way.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    with house.database.write() as tx:
        events.add_challenge(tx, event.id, version.id, at=house.now(), by=person.id)


def weights(house: House, event: Event) -> dict[str, int]:
    """Return how many times each challenge of an event counts, by slug."""
    with house.database.read() as tx:
        return events.weights(tx, event.id)


def weigh(house: House, person: Person, event: Event, given: Mapping[str, int]) -> None:
    """Say how many times each challenge counts where an event's points are added up.

    :param given: weights by slug
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: one is not positive (slug ``event-weight``)
    """
    _check(person)
    with house.database.write() as tx:
        for slug, weight in given.items():
            events.weigh(tx, event.id, slug, weight, at=house.now(), by=person.id)


def _check(person: Person) -> None:
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions hold events.")
