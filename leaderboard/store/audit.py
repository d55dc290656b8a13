"""The audit: what was done, by whom, each line carrying the hash of the one before.

Whoever changes, drops or inserts a line breaks every hash after it (Haber and Stornetta 1991, How
to Time-Stamp a Digital Document). Whoever rewrites all that follows changes the last hash: keep
that one elsewhere from time to time, and hand it to `verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, text, true

from leaderboard import tables
from leaderboard.model import AuditEntry
from leaderboard.store.rows import AnyRow, fields

FIRST = "0" * tables.DIGEST
REPORTED, REVIEWED = "report.recorded", "submission.reviewed"
"""Lines whose rows are held against them."""
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Whether the chain holds."""

    entries: int
    """Lines that were looked at, up to the one that breaks it."""
    last: str
    """Hash of the last line that holds."""
    broken: str
    """What is wrong, and with which line; empty where nothing is."""


def latest(tx: Connection) -> int:
    """Return the last line's number; 0 before the first. While it stays, nothing has changed."""
    return int(tx.execute(select(func.coalesce(func.max(tables.audit.c.number), 0))).scalar_one())


def record(
    tx: Connection,
    action: str,
    subject: str,
    *,
    at: datetime,
    by: int | None = None,
    **details: object,
) -> AuditEntry:
    """Append a line.

    :param action: a noun and a verb, such as ``report.recorded``
    :param subject: kind and id, such as ``submission:42``
    :param details: what else there is to know, as JSON can hold it
    """
    if tx.dialect.name == "postgresql":
        # Lines are numbered one by one: the next one waits until this transaction ends.
        tx.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    last = tx.execute(
        select(tables.audit.c.number, tables.audit.c.hash)
        .order_by(tables.audit.c.number.desc())
        .limit(1)
    ).first()
    number, previous = (last.number + 1, last.hash) if last else (1, FIRST)
    content = json.dumps(details, sort_keys=True, ensure_ascii=False)
    entry = AuditEntry(
        number=number,
        at=at,
        actor_id=by,
        action=action,
        subject=subject,
        details=content,
        previous=previous,
        hash=_hash(number, at, by, action, subject, content, previous),
    )
    tx.execute(insert(tables.audit).values(_values(entry)))
    return entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which lines are looked for: all, where nothing is said."""

    text: str = ""
    """A part of what was done, what it was done to, or its details; case does not count."""
    actors: frozenset[int] = frozenset()
    """Or who did it, by their ids."""


ALL = Wanted()


def entries(
    tx: Connection, wanted: Wanted = ALL, *, newest: int | None = 100, skipped: int = 0
) -> tuple[AuditEntry, ...]:
    """Return the newest lines, newest first.

    :param newest: how many at most; None for all
    :param skipped: how many of the newest ones are left out
    """
    table = tables.audit
    query = select(table).where(_asked(wanted)).order_by(table.c.number.desc())
    return tuple(_entry(row) for row in tx.execute(query.limit(newest).offset(skipped)))


def verify(tx: Connection, *, known: str = "") -> Proof:
    """Recompute the chain from its first line, and hold what it tells of against the tables.

    Reports, with their figures, and reviews must be those that the lines name.

    :param known: a hash that was the last one once; it must still be in the chain
    """
    number, previous = 0, FIRST
    seen = not known
    said: Counter[tuple[str, str]] = Counter()
    for entry in _all(tx):
        why = _wrong(tx, entry, number, previous)
        if why:
            return _broken(number, previous, why)
        if entry.action == REVIEWED:
            said[entry.subject, json.loads(entry.details)["decision"]] += 1
        number, previous = entry.number, entry.hash
        seen = seen or entry.hash == known
    if not seen:
        return _broken(number, previous, "the known hash is no longer in the chain")
    if said != _reviews(tx):
        return _broken(number, previous, "reviews are not those that the lines tell of")
    return Proof(entries=number, last=previous, broken="")


def count(tx: Connection, wanted: Wanted = ALL) -> int:
    """Return how many lines there are."""
    query = select(func.count()).select_from(tables.audit).where(_asked(wanted))
    return tx.execute(query).scalar_one()


def _asked(wanted: Wanted) -> ColumnElement[bool]:
    if not wanted.text:
        return true()
    told = tables.audit.c
    written = (
        column.icontains(wanted.text, autoescape=True)
        for column in (told.action, told.subject, told.details)
    )
    return or_(*written, told.actor_id.in_(wanted.actors))


def _wrong(tx: Connection, entry: AuditEntry, number: int, previous: str) -> str:
    """Say what is wrong with a line that should follow another one; empty where nothing is."""
    if entry.number != number + 1:
        return f"line {number + 1} is missing"
    if entry.previous != previous:
        return f"line {entry.number} does not follow line {number}"
    if entry.hash != _rehash(entry):
        return f"line {entry.number} was changed"
    if entry.action == REPORTED and not _as_recorded(tx, entry):
        return f"the report of line {entry.number} was changed"
    return ""


def _as_recorded(tx: Connection, entry: AuditEntry) -> bool:
    """Return whether the report that a line tells of is there as it was."""
    table, told = tables.report, json.loads(entry.details)
    row = tx.execute(
        select(table.c.content, table.c.outcome, table.c.total).where(
            table.c.submission_id == int(entry.subject.partition(":")[2]),
            table.c.digest == told["digest"],
        )
    ).first()
    if row is None:
        return False
    same = hashlib.sha256(row.content.encode()).hexdigest() == told["digest"]
    return same and (row.outcome, row.total) == (told["outcome"], told["total"])


def _reviews(tx: Connection) -> Counter[tuple[str, str]]:
    """Count the reviews that are there, by what they are of and what they say."""
    said, told = tables.review, tables.report
    rows = tx.execute(
        select(told.c.submission_id, said.c.decision).join(told, told.c.id == said.c.report_id)
    )
    return Counter((f"submission:{row.submission_id}", row.decision) for row in rows)


def _broken(number: int, previous: str, why: str) -> Proof:
    return Proof(entries=number, last=previous, broken=why)


def _all(tx: Connection) -> Iterator[AuditEntry]:
    table, last = tables.audit, 0
    while True:
        query = select(table).where(table.c.number > last).order_by(table.c.number).limit(_AT_ONCE)
        found = tx.execute(query).all()
        if not found:
            return
        yield from map(_entry, found)
        last = found[-1].number


def _rehash(entry: AuditEntry) -> str:
    return _hash(
        entry.number,
        entry.at,
        entry.actor_id,
        entry.action,
        entry.subject,
        entry.details,
        entry.previous,
    )


def _hash(*parts: object) -> str:
    said = [part.isoformat() if isinstance(part, datetime) else part for part in parts]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _values(entry: AuditEntry) -> Mapping[str, object]:
    return {
        column: getattr(entry, column)
        for column in (
            "number",
            "at",
            "actor_id",
            "action",
            "subject",
            "details",
            "previous",
            "hash",
        )
    }


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(**fields(row))
