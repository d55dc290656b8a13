"""Teams: found one, invite to it, join it, leave it."""

from __future__ import annotations

from leaderboard.model import Event, Person, Role, Team
from leaderboard.store import events, people
from portal.errors import Forbidden, PortalError
from portal.house import House


def join(house: House, person: Person, word: str) -> Team:
    """Join the team that gave an invitation.

    :raises StoreError: nobody gave it, or the person is in a team of its event already
    """
    with house.database.write() as tx:
        return events.join(tx, word, person.id, at=house.now())


def found(house: House, person: Person, event: Event, name: str) -> tuple[Team, str]:
    """Found a team, and return it with the address of its invitation, shown this once.

    :raises PortalError: it has no name (slug ``bad-name``)
    :raises StoreError: the name is taken, or the person is in a team of the event already
    """
    with house.database.write() as tx:
        team, word = events.found_team(tx, event.id, _named(name), by=person.id, at=house.now())
    return team, _address(house, word)


def invite(house: House, person: Person, team: Team) -> str:
    """Return the address of a new invitation; the old one leads nowhere from now on.

    :raises Forbidden: the person is not of the team, and no champion (slug ``not-yours``)
    """
    _check(person, team)
    with house.database.write() as tx:
        word = events.renew_invitation(tx, team.id, by=person.id, at=house.now())
    return _address(house, word)


def leave(house: House, person: Person, team: Team) -> None:
    """Leave a team; what it submitted stays its own."""
    with house.database.write() as tx:
        events.leave(tx, team.id, person.id, at=house.now(), by=person.id)


def rename(house: House, person: Person, team: Team, name: str) -> Team:
    """Give a team another name; the address that it pushes to stays.

    :raises Forbidden: the person is not of the team, and no champion (slug ``not-yours``)
    :raises PortalError: it would have no name (slug ``bad-name``)
    :raises StoreError: the name is taken (slug ``team-exists``)
    """
    _check(person, team)
    with house.database.write() as tx:
        return events.rename_team(tx, team.id, _named(name), by=person.id, at=house.now())


def found_for(house: House, person: Person, event: Event, name: str, first: int) -> Team:
    """Found a team for somebody, as a champion who makes the teams up.

    :param first: who is its first member
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises PortalError: it has no name (slug ``bad-name``)
    :raises StoreError: the name is taken, or the member is in a team of the event already
    """
    _check(person)
    with house.database.write() as tx:
        team, _ = events.found_team(
            tx, event.id, _named(name), by=person.id, at=house.now(), first=first
        )
    return team


def enter(house: House, person: Person, team: Team, member: int) -> Team:
    """Put somebody into a team, as a champion who makes the teams up.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: the member is in a team of the event already (slug ``team-member``)
    """
    _check(person)
    with house.database.write() as tx:
        return events.enter(tx, team.id, member, by=person.id, at=house.now())


def take_out(house: House, person: Person, team: Team, member: int) -> None:
    """Take somebody out of a team; what it submitted stays its own.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    with house.database.write() as tx:
        events.leave(tx, team.id, member, at=house.now(), by=person.id)


def without_team(house: House, person: Person, event: Event) -> tuple[Person, ...]:
    """Return who has an account and is in no team of an event, by address.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    with house.database.read() as tx:
        taken = {member for team in events.teams(tx, event.id) for member in team.members}
        return tuple(other for other in people.people(tx) if other.active and other.id not in taken)


def team_of(house: House, person: Person, event: Event) -> Team | None:
    """Return the team that somebody is in."""
    with house.database.read() as tx:
        return events.team_of(tx, event.id, person.id)


def members(house: House, team: Team) -> tuple[Person, ...]:
    """Return who is in a team, in the order they joined."""
    with house.database.read() as tx:
        return tuple(people.find_person(tx, member) for member in team.members)


def _check(person: Person, team: Team | None = None) -> None:
    """Let champions pass, and a team's own members."""
    own = team is not None and person.id in team.members
    if not own and Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions make teams up; a team's members invite to it.")


def _named(name: str) -> str:
    if not name.strip():
        raise PortalError("bad-name", "A team needs a name.")
    return name.strip()


def _address(house: House, word: str) -> str:
    return f"{house.settings.public_address}/join/{word}"
