"""Which workers are alive, in the database's own time: machines' clocks differ."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, type_coerce, update

from leaderboard import tables

SILENT = timedelta(seconds=30)
"""Who has not been heard of for so long is taken for dead, and its work is given to others."""
_FORGOTTEN = timedelta(days=1)


def beat(tx: Connection, name: str) -> None:
    """Note that a worker is alive."""
    table = tables.worker
    now = _now(tx)
    if not tx.execute(update(table).where(table.c.name == name).values(seen_at=now)).rowcount:
        tx.execute(insert(table).values(name=name, seen_at=now))
    tx.execute(delete(table).where(table.c.seen_at < now - _FORGOTTEN))


def leave(tx: Connection, name: str) -> None:
    """Note that a worker has ended as it was asked to."""
    tx.execute(delete(tables.worker).where(tables.worker.c.name == name))


def heard_of(tx: Connection) -> Mapping[str, timedelta]:
    """Return how long ago each worker was heard of, by name."""
    now = _now(tx)
    rows = tx.execute(select(tables.worker).order_by(tables.worker.c.name))
    return {row.name: now - row.seen_at for row in rows}


def alive(tx: Connection) -> frozenset[str]:
    """Return the workers that were heard of of late."""
    return frozenset(name for name, silence in heard_of(tx).items() if silence < SILENT)


def _now(tx: Connection) -> datetime:
    if tx.dialect.name == "postgresql":
        return tx.execute(select(type_coerce(func.clock_timestamp(), tables.Moment()))).scalar_one()
    text = func.strftime("%Y-%m-%d %H:%M:%f000", "now")
    return tx.execute(select(type_coerce(text, tables.Moment()))).scalar_one()
