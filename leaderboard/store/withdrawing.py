"""Taking back what nobody has built on yet: events, teams, published versions, registered models.

What was submitted to stays, with all that it takes to read its reports.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.store import audit, events


def withdraw_event(tx: Connection, event: int, *, at: datetime, by: int) -> tuple[str, ...]:
    """Take back an event that nothing was submitted to, and its teams.

    :return: the addresses of the teams, whose repositories are nobody's any more
    :raises StoreError: something was submitted to it (slug ``still-used``), or there is no such
        event (slug ``event-unknown``)
    """
    known = events.find_event(tx, event)
    _lock(tx, tables.event, event)
    _check_unused(tx, known.title, tables.submission.c.event_id == event, "Let it end earlier.")
    teams = events.teams(tx, event)
    for team in teams:
        _drop_team(tx, team.id)
    for table in (tables.event_weight, tables.event_challenge):
        tx.execute(delete(table).where(table.c.event_id == event))
    tx.execute(delete(tables.event).where(tables.event.c.id == event))
    addresses = tuple(team.slug for team in teams)
    audit.record(
        tx, "event.withdrawn", f"event:{event}", at=at, by=by, slug=known.slug, teams=addresses
    )
    return addresses


def withdraw_team(tx: Connection, team: int, *, at: datetime, by: int) -> str:
    """Take back a team that has submitted nothing.

    :return: its address, whose repositories are nobody's any more
    :raises StoreError: it has submitted something (slug ``still-used``), or there is no such team
        (slug ``team-unknown``)
    """
    known = events.find_team(tx, team)
    _lock(tx, tables.team, team)
    remedy = "Take its members out; what it submitted stays."
    _check_unused(tx, known.name, tables.submission.c.team_id == team, remedy)
    _drop_team(tx, team)
    audit.record(
        tx, "team.withdrawn", f"team:{team}", at=at, by=by, name=known.name, slug=known.slug
    )
    return known.slug


def withdraw_challenge(tx: Connection, challenge: int, *, at: datetime, by: int) -> None:
    """Take back a published version that no event is held over and nothing was submitted to.

    :raises StoreError: there is such an event or submission (slug ``still-used``), or no such
        version (slug ``challenge-unpublished``)
    """
    known = events.find_challenge(tx, challenge)
    named = f"{known.slug} {known.version}"
    _lock(tx, tables.challenge, challenge)
    _check_unused(
        tx, named, tables.submission.c.challenge_id == challenge, "Hold events over a newer one."
    )
    link = tables.event_challenge
    held = select(func.count()).where(link.c.challenge_id == challenge)
    number = tx.execute(held).scalar_one()
    if number:
        raise StoreError(
            "still-used",
            f"{named} can't be withdrawn: {_many(number, 'event is', 'events are')} held over it.",
            remedy="Let the events go on without it first.",
        )
    tx.execute(delete(tables.challenge).where(tables.challenge.c.id == challenge))
    audit.record(
        tx, "challenge.withdrawn", f"challenge:{challenge}", at=at, by=by, digest=known.digest
    )


def let_go(tx: Connection, event: int, challenge: int, *, at: datetime, by: int) -> None:
    """Hold an event over a version no longer, which nothing was submitted to there.

    :raises StoreError: something was (slug ``still-used``), or there is no such version (slug
        ``challenge-unpublished``)
    """
    known = events.find_challenge(tx, challenge)
    _lock(tx, tables.event, event)
    sent, version = tables.submission.c, tables.challenge.c
    same = select(version.id).where(version.slug == known.slug)
    remedy = "Give it the weight that it should have, or let the event end."
    _check_unused(tx, known.title, (sent.event_id == event) & sent.challenge_id.in_(same), remedy)
    link, weight = tables.event_challenge, tables.event_weight
    tx.execute(delete(link).where(link.c.event_id == event, link.c.challenge_id == challenge))
    tx.execute(
        delete(weight).where(weight.c.event_id == event, weight.c.challenge_slug == known.slug)
    )
    audit.record(tx, "event.let-go", f"event:{event}", at=at, by=by, challenge=challenge)


def remove_model(tx: Connection, model: int, *, at: datetime, by: int) -> None:
    """Take a legacy model out of the register; its challenge and what was submitted stay.

    :raises StoreError: there is no such model (slug ``model-unknown``)
    """
    table = tables.legacy_model
    name = tx.execute(select(table.c.name).where(table.c.id == model)).scalar()
    if name is None:
        raise StoreError(
            "model-unknown",
            f"No legacy model {model} is registered.",
            remedy="Load the page again: somebody may have removed it.",
        )
    tx.execute(delete(table).where(table.c.id == model))
    audit.record(tx, "model.removed", f"model:{model}", at=at, by=by, name=name)


def _lock(tx: Connection, table: Table, row: int) -> None:
    """Let nobody refer to a row until this transaction has ended; SQLite's writers wait anyway."""
    tx.execute(select(table.c.id).where(table.c.id == row).with_for_update())


def _check_unused(tx: Connection, named: str, of: ColumnElement[bool], remedy: str) -> None:
    query = select(func.count()).select_from(tables.submission).where(of)
    number = tx.execute(query).scalar_one()
    if number:
        raise StoreError(
            "still-used",
            f"{named} can't be withdrawn: {_many(number, 'submission tells', 'submissions tell')} "
            "of it.",
            remedy=remedy,
        )


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _drop_team(tx: Connection, team: int) -> None:
    tx.execute(delete(tables.membership).where(tables.membership.c.team_id == team))
    tx.execute(delete(tables.team).where(tables.team.c.id == team))
