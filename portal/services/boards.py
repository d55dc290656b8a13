"""Boards: who is where, how that came about, and who may see which."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cachetools import LRUCache, cached
from cachetools.keys import hashkey
from sqlalchemy import Connection

from leaderboard import ranking
from leaderboard.model import Event, Person, ReportFigures, Role, Submission, Team
from leaderboard.ranking import Entry, Overall, Standing
from leaderboard.store import audit, events, people, reviews, submissions
from portal.access import Action, may
from portal.errors import Forbidden
from portal.house import House

_KEPT = 64
"""Boards that are kept for whoever looks next."""


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
    loss: float | None
    """How much worse than the legacy model, by the Ladder; None where nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board of one challenge in one event."""

    event: Event
    rows: tuple[Row, ...]
    private: bool
    """Whether it shows all points; else the public ones."""
    noise: int
    """Points within which totals share a rank, as its rehearsals measured."""
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


def board(
    house: House, person: Person, event: str, challenge: str, *, private: bool = False
) -> Board:
    """Return a board.

    :param private: all points; before an event's end its champions alone see them
    :raises Forbidden: there is no such event, or its private board is not yet for this person
    """
    found = find_event(house, event)
    now = house.now()
    if found.rehearsal and Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", f"There is no event {event!r}.")
    if private and now < found.ends_at and Role.CHAMPION not in person.roles:
        raise Forbidden("not-yet", "The private board is shown when the event has ended.")
    with house.database.read() as tx:
        stamp = audit.latest(tx)
    phase = now >= found.ends_at, ranking.shown_until(found, now) < now, now.date()
    shared = _shared(house, found, challenge, now, private=private, known=(stamp, phase))
    return replace(
        shared,
        rows=tuple(replace(row, own=person.id in row.team.members) for row in shared.rows),
    )


def _shared_key(
    house: House, event: Event, challenge: str, _now: datetime, *, private: bool, known: object
) -> Hashable:
    return hashkey(id(house), house.settings.data, event.id, challenge, private, known)


@cached(LRUCache(_KEPT), key=_shared_key, lock=threading.Lock())
def _shared(
    house: House, event: Event, challenge: str, now: datetime, *, private: bool, known: object
) -> Board:
    """Return a board that nobody's own team is marked on: worked out once for all who look.

    :param known: by what it is told whether a board that is there still holds
    """
    del known
    with house.database.read() as tx:
        entries = submissions.entries(tx, event.id, challenge)
        noise = _noise(tx, event, challenge)
        teams = {team.id: team for team in events.teams(tx, event.id)}
        chosen = reviews.finals(tx, event.id)
        units = {unit.id: unit.name for unit in people.units(tx)}
        works_in = {known.id: known.unit_id for known in people.people(tx)}
    until = ranking.shown_until(event, now)
    if private:
        standings = ranking.private_board(entries, event, chosen, noise=noise)
    else:
        standings = ranking.public_board(entries, event, now, noise=noise)
    earlier = ranking.public_board(_day_before(entries, until), event, now, noise=noise)
    moved = ranking.movement(earlier, standings)
    losses = ranking.losses_by_team(entry for entry in entries if entry.received_at <= until)
    return Board(
        event=event,
        rows=tuple(
            Row(
                standing=standing,
                team=teams[standing.team_id],
                units=frozenset(
                    units[unit]
                    for member in teams[standing.team_id].members
                    if (unit := works_in.get(member)) is not None
                ),
                own=False,
                moved=moved.get(standing.team_id),
                loss=losses.get(standing.team_id),
            )
            for standing in standings
        ),
        private=private,
        noise=noise,
        frozen=until < now < event.ends_at,
        until=until,
        history=_history(entries, teams, until, private=private),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallRow:
    """A team's place over all challenges of an event."""

    place: Overall
    team: Team
    own: bool


def overall(
    house: House, person: Person, event: str, *, private: bool = False
) -> tuple[OverallRow, ...]:
    """Return the board over all challenges of an event, by the weights that its champions gave.

    :raises Forbidden: as :func:`board`
    """
    found = find_event(house, event)
    with house.database.read() as tx:
        weights = events.weights(tx, found.id)
    rows = {
        slug: board(house, person, event, slug, private=private).rows for slug in sorted(weights)
    }
    teams = {row.team.id: row.team for shown in rows.values() for row in shown}
    standings = {slug: [row.standing for row in shown] for slug, shown in rows.items()}
    return tuple(
        OverallRow(
            place=place,
            team=teams[place.team_id],
            own=person.id in teams[place.team_id].members,
        )
        for place in ranking.overall(standings, weights)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finals:
    """What a team may choose its finals from, and has chosen."""

    graded: tuple[tuple[Submission, ReportFigures], ...]
    chosen: frozenset[int]
    """Ids of submissions."""


def finals(house: House, person: Person, team: Team, challenge: str) -> Finals:
    """Return a team's graded submissions to a challenge, and which of them count at the end.

    :raises Forbidden: they are not theirs to see (slug ``not-yours``)
    """
    if not may(person, Action.READ, team):
        raise Forbidden("not-yours", "Teams choose their own finals.")
    with house.database.read() as tx:
        graded = submissions.graded(tx, team.id, challenge)
        reports = set(reviews.finals(tx, team.event_id).get(team.id, ()))
    chosen = frozenset(sent.id for sent, told in graded if told.id in reports)
    return Finals(graded=graded, chosen=chosen)


def choose_finals(
    house: House, person: Person, team: Team, challenge: str, chosen: Sequence[int]
) -> None:
    """Choose which submissions count on the private board.

    :raises Forbidden: the person is not of the team, or the event has ended (slugs ``not-yours``,
        ``event-over``)
    :raises StoreError: there are too many (slug ``finals``)
    """
    if not may(person, Action.SUBMIT, team):
        raise Forbidden("not-yours", "Teams choose their own finals.")
    now = house.now()
    with house.database.write() as tx:
        if events.find_event(tx, team.event_id).ends_at <= now:
            raise Forbidden("event-over", "The event has ended: its finals are chosen.")
        reviews.choose_finals(tx, team.id, challenge, chosen, by=person.id, at=now)


def season(house: House, *, by_unit: bool = False) -> dict[str, int]:
    """Return points over all events that have ended, by team or by unit, best first.

    A team's name plays the season; of a unit's teams, the best one counts in each challenge.

    :param by_unit: a team plays for the unit that most of its members work in
    """
    now = house.now()
    names: dict[int, str] = {}
    played: dict[str, Sequence[Standing]] = {}
    with house.database.read() as tx:
        units = {unit.id: unit.name for unit in people.units(tx)}
        works_in = {known.id: units.get(known.unit_id or 0, "") for known in people.people(tx)}
        for event in events.events(tx):
            if not event.rehearsal and event.ends_at <= now:
                for team in events.teams(tx, event.id):
                    names[team.id] = _home(team, works_in) if by_unit else team.name
                played |= _final_boards(tx, event)
    return ranking.season(played, names)


def _home(team: Team, works_in: Mapping[int, str]) -> str:
    """Return the unit that most of a team's members work in; of equals, the first by name."""
    counted = Counter(works_in.get(member, "") for member in team.members)
    return max(sorted(counted), key=counted.__getitem__, default="") or "not known"


def _final_boards(tx: Connection, event: Event) -> dict[str, tuple[Standing, ...]]:
    chosen = reviews.finals(tx, event.id)
    return {
        f"{event.slug}/{version.slug}": ranking.private_board(
            submissions.entries(tx, event.id, version.slug),
            event,
            chosen,
            noise=submissions.noise(tx, [version.id]),
        )
        for version in events.challenges(tx, event.id)
    }


def _noise(tx: Connection, event: Event, slug: str) -> int:
    held = [version.id for version in events.challenges(tx, event.id) if version.slug == slug]
    return submissions.noise(tx, held)


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
