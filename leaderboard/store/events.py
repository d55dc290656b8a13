"""Events, the challenges that they are held over, and the teams that take part."""

from __future__ import annotations

import hashlib
import itertools
import re
import secrets
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import ChallengeVersion, Counting, Event, Team
from leaderboard.store import audit
from leaderboard.store.rows import AnyRow, fields, new_id

DAILY_CAP = 30
_CHANGEABLE = ("title", "starts_at", "ends_at", "freezes_at", "counting", "daily_cap")


def publish_challenge(
    tx: Connection,
    *,
    slug: str,
    version: str,
    title: str,
    digest: str,
    at: datetime,
    by: int | None = None,
) -> ChallengeVersion:
    """Publish a state of a challenge package. The same digest again is the same version.

    :param digest: SHA-256 of the package
    """
    table = tables.challenge
    known = tx.execute(select(table).where(table.c.digest == digest)).first()
    if known is not None:
        return _challenge(known)
    new = new_id(
        tx,
        table,
        slug=slug,
        version=version,
        title=title,
        digest=digest,
        published_by=by,
        published_at=at,
    )
    audit.record(tx, "challenge.published", f"challenge:{new}", at=at, by=by, digest=digest)
    return find_challenge(tx, new)


def find_challenge(tx: Connection, challenge: int) -> ChallengeVersion:
    """Return a published version by id.

    :raises StoreError: there is none (slug ``challenge-unpublished``)
    """
    row = tx.execute(select(tables.challenge).where(tables.challenge.c.id == challenge)).first()
    if row is None:
        raise StoreError("challenge-unpublished", f"No challenge version {challenge} is published.")
    return _challenge(row)


def published(tx: Connection) -> tuple[ChallengeVersion, ...]:
    """Return all published versions, the newest first."""
    table = tables.challenge
    rows = tx.execute(select(table).order_by(table.c.published_at.desc(), table.c.id.desc()))
    return tuple(_challenge(row) for row in rows)


def hold(  # noqa: PLR0913 - an event is all of this
    tx: Connection,
    *,
    slug: str,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    at: datetime,
    freezes_at: datetime | None = None,
    counting: Counting = Counting.ACCEPTED,
    daily_cap: int = DAILY_CAP,
    rehearsal: bool = False,
    by: int | None = None,
) -> Event:
    """Announce an event.

    :raises StoreError: it ends before it starts, freezes outside of both, or its cap lets nobody
        submit (slug ``event-dates``); it has no title or no address (slug ``event-name``); or the
        address is taken (slug ``event-exists``)
    """
    _check_title(title)
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise StoreError(
            "event-name",
            f"{slug!r} can't be the address of an event.",
            remedy="Take small letters, figures and dashes between them, as in 'spring-2027'.",
        )
    _check_dates(title, starts_at, ends_at, freezes_at, daily_cap)
    if tx.execute(select(tables.event.c.id).where(tables.event.c.slug == slug)).first():
        raise StoreError("event-exists", f"There is an event {slug!r} already.")
    new = new_id(
        tx,
        tables.event,
        slug=slug,
        title=title,
        starts_at=starts_at,
        ends_at=ends_at,
        freezes_at=freezes_at,
        counting=counting.value,
        daily_cap=daily_cap,
        rehearsal=rehearsal,
    )
    audit.record(tx, "event.held", f"event:{new}", at=at, by=by, slug=slug)
    return find_event(tx, new)


def change(tx: Connection, changed: Event, *, at: datetime, by: int) -> Event:
    """Change an event's title, dates or rules; its address and kind stay.

    :param changed: the event as it should be from now on
    :raises StoreError: as in `hold` (slugs ``event-dates``, ``event-name``), or there is no such
        event (slug ``event-unknown``)
    """
    before = find_event(tx, changed.id)
    _check_title(changed.title)
    _check_dates(
        changed.title, changed.starts_at, changed.ends_at, changed.freezes_at, changed.daily_cap
    )
    values = {name: getattr(changed, name) for name in _CHANGEABLE}
    values["counting"] = changed.counting.value
    tx.execute(update(tables.event).where(tables.event.c.id == changed.id).values(values))
    told = {name: str(value) for name, value in values.items() if value != getattr(before, name)}
    if told:
        audit.record(tx, "event.changed", f"event:{changed.id}", at=at, by=by, **told)
    return find_event(tx, changed.id)


def find_event(tx: Connection, event: int) -> Event:
    """Return an event by id.

    :raises StoreError: there is none (slug ``event-unknown``)
    """
    row = tx.execute(select(tables.event).where(tables.event.c.id == event)).first()
    if row is None:
        raise StoreError("event-unknown", f"There is no event {event}.")
    return _event(row)


def events(tx: Connection) -> tuple[Event, ...]:
    """Return all events, the newest first."""
    rows = tx.execute(select(tables.event).order_by(tables.event.c.starts_at.desc()))
    return tuple(_event(row) for row in rows)


def add_challenge(
    tx: Connection, event: int, challenge: int, *, at: datetime, by: int | None = None
) -> None:
    """Hold an event over a challenge version too; another version of the same slug gives way."""
    version = find_challenge(tx, challenge)
    older = select(tables.challenge.c.id).where(tables.challenge.c.slug == version.slug)
    table = tables.event_challenge
    tx.execute(delete(table).where(table.c.event_id == event, table.c.challenge_id.in_(older)))
    tx.execute(insert(table).values(event_id=event, challenge_id=challenge))
    audit.record(tx, "event.challenge", f"event:{event}", at=at, by=by, challenge=challenge)


def weigh(tx: Connection, event: int, slug: str, weight: int, *, at: datetime, by: int) -> None:
    """Say how many times a challenge's points count where an event's are added up.

    :raises StoreError: it is not positive (slug ``event-weight``)
    """
    if weight < 1:
        raise StoreError("event-weight", "A challenge counts once at least.")
    table = tables.event_weight
    own = (table.c.event_id == event) & (table.c.challenge_slug == slug)
    tx.execute(delete(table).where(own))
    tx.execute(insert(table).values(event_id=event, challenge_slug=slug, weight=weight))
    audit.record(tx, "event.weight", f"event:{event}", at=at, by=by, challenge=slug, weight=weight)


def weights(tx: Connection, event: int) -> dict[str, int]:
    """Return how many times each challenge of an event counts, by slug."""
    table = tables.event_weight
    rows = tx.execute(select(table).where(table.c.event_id == event))
    said = {row.challenge_slug: row.weight for row in rows}
    return {version.slug: said.get(version.slug, 1) for version in challenges(tx, event)}


def in_force(tx: Connection, event: int, challenge: int) -> ChallengeVersion:
    """Return the version by which an event grades what was submitted to one of a challenge's.

    It is the one that the event is held over now; where it is held over none any more, the same.
    """
    asked = find_challenge(tx, challenge)
    held = (version for version in challenges(tx, event) if version.slug == asked.slug)
    return next(held, asked)


def challenges(tx: Connection, event: int) -> tuple[ChallengeVersion, ...]:
    """Return the versions that an event is held over, by slug."""
    table, link = tables.challenge, tables.event_challenge
    rows = tx.execute(
        select(table)
        .join(link, link.c.challenge_id == table.c.id)
        .where(link.c.event_id == event)
        .order_by(table.c.slug)
    )
    return tuple(_challenge(row) for row in rows)


def found_team(
    tx: Connection, event: int, name: str, *, by: int, at: datetime, first: int | None = None
) -> tuple[Team, str]:
    """Found a team with its first member.

    :param first: the member, where it is not who founds it
    :return: the team, and the word of its invitation, which is kept nowhere
    :raises StoreError: the name is taken (slug ``team-exists``), or the person is in a team of this
        event already (slug ``team-member``)
    """
    _check_free(tx, event, name)
    word = secrets.token_urlsafe(16)
    new = new_id(
        tx,
        tables.team,
        event_id=event,
        name=name,
        slug=_free_slug(tx, name),
        invite_hash=_hash(word),
        created_at=at,
    )
    _enter(tx, event, new, by if first is None else first, at)
    audit.record(tx, "team.founded", f"team:{new}", at=at, by=by, name=name)
    return find_team(tx, new), word


def rename_team(tx: Connection, team: int, name: str, *, by: int, at: datetime) -> Team:
    """Give a team another name; its address stays, for repositories lie there.

    :raises StoreError: the name is taken (slug ``team-exists``), or there is no such team (slug
        ``team-unknown``)
    """
    known = find_team(tx, team)
    _check_free(tx, known.event_id, name, but=team)
    tx.execute(update(tables.team).where(tables.team.c.id == team).values(name=name))
    audit.record(tx, "team.renamed", f"team:{team}", at=at, by=by, name=name)
    return find_team(tx, team)


def _check_free(tx: Connection, event: int, name: str, but: int | None = None) -> None:
    table = tables.team
    taken = select(table.c.id).where(table.c.event_id == event, table.c.name == name)
    known = tx.execute(taken).scalar()
    if known is not None and known != but:
        raise StoreError("team-exists", f"There is a team {name!r} already in this event.")


def renew_invitation(tx: Connection, team: int, *, by: int, at: datetime) -> str:
    """Return a new word of invitation to a team; the old one leads nowhere from now on.

    :raises StoreError: there is no such team (slug ``team-unknown``)
    """
    find_team(tx, team)
    word = secrets.token_urlsafe(16)
    table = tables.team
    tx.execute(update(table).where(table.c.id == team).values(invite_hash=_hash(word)))
    audit.record(tx, "team.invitation", f"team:{team}", at=at, by=by)
    return word


def invited_to(tx: Connection, word: str) -> Team | None:
    """Return the team that gave an invitation; None where nobody did."""
    table = tables.team
    row = tx.execute(select(table).where(table.c.invite_hash == _hash(word))).first()
    return None if row is None else _team(tx, row)


def leave(tx: Connection, team: int, person: int, *, at: datetime, by: int) -> None:
    """Take somebody out of a team; what the team submitted stays its own."""
    table = tables.membership
    tx.execute(delete(table).where(table.c.team_id == team, table.c.person_id == person))
    audit.record(tx, "team.left", f"team:{team}", at=at, by=by, person=person)


def join(tx: Connection, word: str, person: int, *, at: datetime) -> Team:
    """Join the team that gave the invitation.

    :raises StoreError: nobody gave it (slug ``invitation-unknown``), or the person is in a team of
        this event already (slug ``team-member``)
    """
    table = tables.team
    row = tx.execute(select(table).where(table.c.invite_hash == _hash(word))).first()
    if row is None:
        raise StoreError(
            "invitation-unknown",
            "This invitation leads to no team.",
            remedy="Ask for the link again: a new one makes the old one void.",
        )
    _enter(tx, row.event_id, row.id, person, at)
    audit.record(tx, "team.joined", f"team:{row.id}", at=at, by=person)
    return find_team(tx, row.id)


def enter(tx: Connection, team: int, person: int, *, by: int, at: datetime) -> Team:
    """Put somebody into a team without an invitation.

    :raises StoreError: the person is in a team of the event already (slug ``team-member``), or
        there is no such team (slug ``team-unknown``)
    """
    _enter(tx, find_team(tx, team).event_id, team, person, at)
    audit.record(tx, "team.entered", f"team:{team}", at=at, by=by, person=person)
    return find_team(tx, team)


def find_team(tx: Connection, team: int) -> Team:
    """Return a team by id.

    :raises StoreError: there is none (slug ``team-unknown``)
    """
    row = tx.execute(select(tables.team).where(tables.team.c.id == team)).first()
    if row is None:
        raise StoreError("team-unknown", f"There is no team {team}.")
    return _team(tx, row)


def team_at(tx: Connection, slug: str) -> Team | None:
    """Return the team at an address; None where there is none."""
    row = tx.execute(select(tables.team).where(tables.team.c.slug == slug)).first()
    return None if row is None else _team(tx, row)


def teams(tx: Connection, event: int) -> tuple[Team, ...]:
    """Return an event's teams, by name."""
    team, link = tables.team, tables.membership
    query = select(team).where(team.c.event_id == event).order_by(team.c.name)
    joined = (
        select(link.c.team_id, link.c.person_id)
        .join(team, team.c.id == link.c.team_id)
        .where(team.c.event_id == event)
        .order_by(link.c.joined_at)
    )
    # One query for all members: a board asks for them at every look.
    members: dict[int, list[int]] = {}
    for row in tx.execute(joined):
        members.setdefault(row.team_id, []).append(row.person_id)
    return tuple(_made(row, members.get(row.id, ())) for row in tx.execute(query))


def team_of(tx: Connection, event: int, person: int) -> Team | None:
    """Return the team that somebody is in."""
    row = _membership(tx, event, person)
    return None if row is None else find_team(tx, row.id)


def _enter(tx: Connection, event: int, team: int, person: int, at: datetime) -> None:
    other = _membership(tx, event, person)
    if other is not None:
        raise StoreError(
            "team-member",
            f"This person is in team {other.name!r} of this event.",
            remedy="Leave that team first.",
        )
    tx.execute(insert(tables.membership).values(team_id=team, person_id=person, joined_at=at))


def _membership(tx: Connection, event: int, person: int) -> AnyRow | None:
    table, link = tables.team, tables.membership
    query = (
        select(table.c.id, table.c.name)
        .join(link, link.c.team_id == table.c.id)
        .where(table.c.event_id == event, link.c.person_id == person)
    )
    return tx.execute(query).first()


def _team(tx: Connection, row: AnyRow) -> Team:
    link = tables.membership
    members = tx.execute(
        select(link.c.person_id).where(link.c.team_id == row.id).order_by(link.c.joined_at)
    )
    return _made(row, members.scalars())


def _made(row: AnyRow, members: Iterable[int]) -> Team:
    return Team(
        id=row.id,
        event_id=row.event_id,
        name=row.name,
        slug=row.slug,
        members=tuple(members),
    )


def _free_slug(tx: Connection, name: str) -> str:
    """Return a slug that no team has: of letters, figures and dashes, fit for any address."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:80].rstrip("-") or "team"
    table = tables.team
    like = select(table.c.slug).where(table.c.slug.startswith(slug, autoescape=True))
    taken = set(tx.execute(like).scalars())
    numbered = (f"{slug}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([slug], numbered) if free not in taken)


def _check_title(title: str) -> None:
    if not title.strip():
        raise StoreError("event-name", "An event needs a title.")


def _check_dates(
    title: str, starts_at: datetime, ends_at: datetime, freezes_at: datetime | None, daily_cap: int
) -> None:
    if not starts_at < ends_at or not starts_at <= (freezes_at or starts_at) <= ends_at:
        raise StoreError(
            "event-dates",
            f"{title!r} must start, freeze and end in this order.",
            remedy="Give a later end, or a freeze between the two.",
        )
    if daily_cap < 1:
        raise StoreError("event-dates", f"{title!r} must allow a submission a day at least.")


def _event(row: AnyRow) -> Event:
    return Event(**{**fields(row), "counting": Counting(row.counting)})


def _challenge(row: AnyRow) -> ChallengeVersion:
    return ChallengeVersion(
        id=row.id,
        slug=row.slug,
        version=row.version,
        title=row.title,
        digest=row.digest,
        published_at=row.published_at,
    )


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
