"""Boards: who is where, how that came about, and who may see which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from leaderboard import ranking
from leaderboard.model import Event, Person, Role, Team
from leaderboard.ranking import Entry, Standing
from leaderboard.store import events, people, reviews, submissions
from portal.errors import Forbidden
from portal.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A team's place, with what people want to know of it."""

    standing: Standing
    team: Team
    units: frozenset[str]
    """Names of the units that its members work in."""
    own: bool
    """Whether whoever looks is in it."""
    moved: int | None
    """Ranks it rose since the day before; None where it was not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board of one challenge in one event."""

    event: Event
    rows: tuple[Row, ...]
    private: bool
    """Whether it shows all points; else the public ones."""
    frozen: bool
    until: datetime
    """Nothing newer than this is shown."""
    history: Mapping[str, tuple[tuple[datetime, int], ...]]
    """By team: when it reached how many points, each better than before."""


def find_event(house: House, slug: str) -> Event:
    """Return an event by its address.

    :raises Forbidden: there is none (slug ``not-yours``)
    """
    with house.database.read() as tx:
        for event in events.events(tx):
            if event.slug == slug:
                return event
    raise Forbidden("not-yours", f"There is no event {slug!r}.")


def event_slugs(house: House) -> tuple[str, ...]:
    """Return the addresses of all events, the newest first."""
    with house.database.read() as tx:
        return tuple(event.slug for event in events.events(tx))


def board(
    house: House, person: Person, event: str, challenge: str, *, private: bool = False
) -> Board:
    """Return a board.

    :param private: all points; before an event's end its champions alone see them
    :raises Forbidden: there is no such event, or its private board is not yet for this person
    """
    found = find_event(house, event)
    now = house.now()
    if private and now < found.ends_at and Role.CHAMPION not in person.roles:
        raise Forbidden("not-yet", "The private board is shown when the event has ended.")
    with house.database.read() as tx:
        entries = submissions.entries(tx, found.id, challenge)
        teams = {team.id: team for team in events.teams(tx, found.id)}
        chosen = reviews.finals(tx, found.id)
        units = {unit.id: unit.name for unit in people.units(tx)}
        works_in = {known.id: known.unit_id for known in people.people(tx)}
    until = ranking.shown_until(found, now)
    if private:
        standings = ranking.private_board(entries, found, chosen)
    else:
        standings = ranking.public_board(entries, found, now)
    earlier = ranking.public_board(_day_before(entries, until), found, now)
    moved = ranking.movement(earlier, standings)
    return Board(
        event=found,
        rows=tuple(
            Row(
                standing=standing,
                team=teams[standing.team_id],
                units=frozenset(
                    units[unit]
                    for member in teams[standing.team_id].members
                    if (unit := works_in.get(member)) is not None
                ),
                own=person.id in teams[standing.team_id].members,
                moved=moved.get(standing.team_id),
            )
            for standing in standings
        ),
        private=private,
        frozen=until < now < found.ends_at,
        until=until,
        history=_history(entries, teams, until, private=private),
    )


def _day_before(entries: tuple[Entry, ...], until: datetime) -> list[Entry]:
    start = until.replace(hour=0, minute=0, second=0, microsecond=0)
    return [entry for entry in entries if entry.received_at < start]


def _history(
    entries: tuple[Entry, ...], teams: Mapping[int, Team], until: datetime, *, private: bool
) -> dict[str, tuple[tuple[datetime, int], ...]]:
    history: dict[str, list[tuple[datetime, int]]] = {}
    for entry in entries:
        points = entry.total if private else entry.public_total
        if points is None or entry.received_at > until:
            continue
        steps = history.setdefault(teams[entry.team_id].name, [])
        if not steps or points > steps[-1][1]:
            steps.append((entry.received_at, points))
    return {name: tuple(steps) for name, steps in sorted(history.items())}
