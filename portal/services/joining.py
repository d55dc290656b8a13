"""Teams: found one, invite to it, join it, leave it."""

from __future__ import annotations

from leaderboard.model import Event, Person, Team
from leaderboard.store import events, people
from portal.errors import Forbidden
from portal.house import House


def join(house: House, person: Person, word: str) -> Team:
    """Join the team that gave an invitation.

    :raises StoreError: nobody gave it, or the person is in a team of its event already
    """
    with house.database.write() as tx:
        return events.join(tx, word, person.id, at=house.now())


def found(house: House, person: Person, event: Event, name: str) -> tuple[Team, str]:
    """Found a team, and return it with the address of its invitation, shown this once.

    :raises StoreError: the name is taken, or the person is in a team of the event already
    """
    with house.database.write() as tx:
        team, word = events.found_team(tx, event.id, name.strip(), by=person.id, at=house.now())
    return team, _address(house, word)


def invite(house: House, person: Person, team: Team) -> str:
    """Return the address of a new invitation; the old one leads nowhere from now on.

    :raises Forbidden: the person is not of the team (slug ``not-yours``)
    """
    if person.id not in team.members:
        raise Forbidden("not-yours", "Only its members invite to a team.")
    with house.database.write() as tx:
        word = events.renew_invitation(tx, team.id, by=person.id, at=house.now())
    return _address(house, word)


def leave(house: House, person: Person, team: Team) -> None:
    """Leave a team; what it submitted stays its own."""
    with house.database.write() as tx:
        events.leave(tx, team.id, person.id, at=house.now(), by=person.id)


def team_of(house: House, person: Person, event: Event) -> Team | None:
    """Return the team that somebody is in."""
    with house.database.read() as tx:
        return events.team_of(tx, event.id, person.id)


def members(house: House, team: Team) -> tuple[Person, ...]:
    """Return who is in a team, in the order they joined."""
    with house.database.read() as tx:
        return tuple(people.find_person(tx, member) for member in team.members)


def _address(house: House, word: str) -> str:
    return f"{house.settings.public_address}/join/{word}"
