"""Undo: champions take back events, teams and versions that nothing was submitted to."""

from __future__ import annotations

from leaderboard.model import ChallengeVersion, Event, Person, Role, Team
from leaderboard.store import withdrawing
from portal.errors import Forbidden
from portal.house import House


def withdraw_event(house: House, person: Person, event: Event) -> None:
    """Take an event back, with its teams; what they pushed is set aside.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: something was submitted to it (slug ``still-used``)
    """
    _check(person)
    with house.database.write() as tx:
        for address in withdrawing.withdraw_event(tx, event.id, at=house.now(), by=person.id):
            house.repositories.set_aside(address)


def withdraw_team(house: House, person: Person, team: Team) -> None:
    """Take a team back; what it pushed is set aside.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: it has submitted something (slug ``still-used``)
    """
    _check(person)
    with house.database.write() as tx:
        house.repositories.set_aside(
            withdrawing.withdraw_team(tx, team.id, at=house.now(), by=person.id)
        )


def withdraw_version(house: House, person: Person, version: ChallengeVersion) -> None:
    """Take a published version back; its package may be published again.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: an event is held over it, or something was submitted to it (slug
        ``still-used``)
    """
    _check(person)
    with house.database.write() as tx:
        withdrawing.withdraw_challenge(tx, version.id, at=house.now(), by=person.id)


def let_go(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    """Hold an event over a version no longer.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: something was submitted to it there (slug ``still-used``)
    """
    _check(person)
    with house.database.write() as tx:
        withdrawing.let_go(tx, event.id, version.id, at=house.now(), by=person.id)


def _check(person: Person) -> None:
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions withdraw what they have announced.")
