"""How people prove who they are: sessions, access tokens, and links that were handed out.

Words that open something are kept as their SHA-256 only: whoever reads the database can sign in as
nobody. They are long and random, so that needs no salt.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import AccessToken, Link, LinkPurpose, Person, Session
from leaderboard.store import audit, people
from leaderboard.store.rows import fields, new_id

SESSION_LASTS = timedelta(hours=12)
TOKEN_PREFIX = "drydock_"  # noqa: S105 - what secret scanners know our tokens by
_WORD_BYTES = 32


def set_password(
    tx: Connection, person: int, password_hash: str, *, at: datetime, by: int | None
) -> None:
    """Note what somebody's password is verified against, made by a slow hash with a salt."""
    table = tables.person
    tx.execute(update(table).where(table.c.id == person).values(password_hash=password_hash))
    audit.record(tx, "person.password", f"person:{person}", at=at, by=by)


def password_of(tx: Connection, email: str) -> tuple[int, str] | None:
    """Return id and password hash of somebody who may sign in with one; None for all others."""
    table = tables.person
    row = tx.execute(
        select(table.c.id, table.c.password_hash).where(
            table.c.email == email.strip().lower(), table.c.active
        )
    ).first()
    return None if row is None or row.password_hash is None else (row.id, row.password_hash)


def know_subject(
    tx: Connection, subject: str, email: str, name: str, *, at: datetime
) -> tuple[Person, bool]:
    """Return the person that a single sign-on vouches for, and whether they are new.

    An account of the same address is theirs from now on: the company's sign-on is trusted to know
    its people.

    :param subject: issuer and subject, which never change
    :raises StoreError: the address belongs to another subject (slug ``subject-taken``)
    """
    table = tables.person
    known = tx.execute(select(table.c.id).where(table.c.subject == subject)).first()
    if known is not None:
        return people.find_person(tx, known.id), False
    address = email.strip().lower()
    same = tx.execute(select(table.c.id, table.c.subject).where(table.c.email == address)).first()
    if same is not None and same.subject is not None:
        raise StoreError(
            "subject-taken",
            f"The address {address} belongs to another account of the single sign-on.",
            remedy="Ask an administrator to give one of the two another address.",
        )
    new = same is None
    person = people.add_person(tx, email, name, at=at).id if same is None else same.id
    tx.execute(update(table).where(table.c.id == person).values(subject=subject))
    return people.find_person(tx, person), new


# ------------------------------------------------------------------------------ sessions


def open_session(tx: Connection, person: int, *, at: datetime) -> str:
    """Sign somebody in, and return the word that their browser keeps.

    :raises StoreError: there is no such person (slug ``person-unknown``), or they are shut out
        (slug ``person-inactive``)
    """
    if not people.find_person(tx, person).active:
        raise StoreError(
            "person-inactive",
            "This account is closed.",
            remedy="Ask an administrator to open it again.",
        )
    word = secrets.token_urlsafe(_WORD_BYTES)
    tx.execute(
        insert(tables.session).values(
            token_hash=hashed(word),
            person_id=person,
            form_token=secrets.token_urlsafe(_WORD_BYTES),
            created_at=at,
            expires_at=at + SESSION_LASTS,
        )
    )
    table = tables.person
    first = update(table).where(table.c.id == person, table.c.first_seen_at.is_(None))
    tx.execute(first.values(first_seen_at=at))
    audit.record(tx, "session.opened", f"person:{person}", at=at, by=person)
    return word


def session(tx: Connection, word: str, *, at: datetime) -> Session | None:
    """Return whose session this is; None where it has ended or never was."""
    table = tables.session
    row = tx.execute(
        select(table.c.person_id, table.c.form_token, table.c.expires_at).where(
            table.c.token_hash == hashed(word),
            table.c.ended_at.is_(None),
            table.c.expires_at > at,
        )
    ).first()
    if row is None:
        return None
    person = people.find_person(tx, row.person_id)
    if not person.active:
        return None
    return Session(person=person, form_token=row.form_token, expires_at=row.expires_at)


def end_session(tx: Connection, word: str, *, at: datetime) -> None:
    """Sign one browser out."""
    table = tables.session
    tx.execute(
        update(table)
        .where(table.c.token_hash == hashed(word), table.c.ended_at.is_(None))
        .values(ended_at=at)
    )


def end_sessions(tx: Connection, person: int, *, at: datetime, by: int, kept: str = "") -> int:
    """Sign somebody out everywhere, and return of how many browsers.

    :param kept: the word of a session that goes on; empty for none
    """
    table = tables.session
    done = tx.execute(
        update(table)
        .where(
            table.c.person_id == person,
            table.c.token_hash != hashed(kept),
            table.c.ended_at.is_(None),
            table.c.expires_at > at,
        )
        .values(ended_at=at)
    )
    audit.record(tx, "session.ended", f"person:{person}", at=at, by=by, sessions=done.rowcount)
    return done.rowcount


# ------------------------------------------------------------------------------ tokens


def add_token(
    tx: Connection, person: int, name: str, *, at: datetime, expires_at: datetime | None = None
) -> str:
    """Give somebody's programs a token, and return it: it is shown this once."""
    word = TOKEN_PREFIX + secrets.token_urlsafe(_WORD_BYTES)
    new = new_id(
        tx,
        tables.access_token,
        token_hash=hashed(word),
        person_id=person,
        name=name.strip()[:200] or "token",
        created_at=at,
        expires_at=expires_at,
    )
    audit.record(tx, "token.added", f"token:{new}", at=at, by=person, name=name)
    return word


def tokens(tx: Connection, person: int, *, at: datetime) -> tuple[AccessToken, ...]:
    """Return somebody's tokens that open something, the newest first."""
    table = tables.access_token
    rows = tx.execute(
        select(table.c.id, table.c.name, table.c.created_at, table.c.expires_at, table.c.used_at)
        .where(table.c.person_id == person, *_usable(at))
        .order_by(table.c.id.desc())
    )
    return tuple(AccessToken(**fields(row)) for row in rows)


def revoke_token(tx: Connection, person: int, token: int, *, at: datetime) -> None:
    """Make one of somebody's own tokens void.

    :raises StoreError: it is not theirs, or void already (slug ``token-unknown``)
    """
    table = tables.access_token
    done = tx.execute(
        update(table)
        .where(table.c.id == token, table.c.person_id == person, table.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    if not done.rowcount:
        raise StoreError("token-unknown", "This token is void already.")
    audit.record(tx, "token.revoked", f"token:{token}", at=at, by=person)


def bearer(tx: Connection, word: str, *, at: datetime) -> Person | None:
    """Return whose token this is; None where it opens nothing."""
    table = tables.access_token
    of = select(table.c.person_id).where(table.c.token_hash == hashed(word), *_usable(at))
    row = tx.execute(of).first()
    if row is None:
        return None
    person = people.find_person(tx, row.person_id)
    return person if person.active else None


def note_use(tx: Connection, word: str, *, at: datetime) -> None:
    """Note that a token was used, for its owner to see."""
    table = tables.access_token
    tx.execute(update(table).where(table.c.token_hash == hashed(word)).values(used_at=at))


def _usable(at: datetime) -> tuple[ColumnElement[bool], ...]:
    table = tables.access_token
    return (
        table.c.revoked_at.is_(None),
        table.c.expires_at.is_(None) | (table.c.expires_at > at),
    )


# ------------------------------------------------------------------------------ links


def hand_out(
    tx: Connection,
    purpose: LinkPurpose,
    *,
    at: datetime,
    expires_at: datetime,
    person: int | None = None,
    by: int | None = None,
) -> str:
    """Make a link, and return its word: it is kept nowhere.

    :param person: whom it signs in
    :param by: who hands it out; None where the machine does
    """
    word = secrets.token_urlsafe(_WORD_BYTES)
    tx.execute(
        insert(tables.one_time_link).values(
            token_hash=hashed(word), purpose=purpose.value, person_id=person, expires_at=expires_at
        )
    )
    subject = "portal" if person is None else f"person:{person}"
    audit.record(tx, "link.made", subject, at=at, by=by, purpose=purpose.value)
    return word


def find_link(tx: Connection, word: str, *, at: datetime) -> Link | None:
    """Return what a link is for; None where it leads nowhere any more."""
    table = tables.one_time_link
    row = tx.execute(
        select(table.c.purpose, table.c.person_id, table.c.expires_at).where(
            table.c.token_hash == hashed(word), table.c.used_at.is_(None), table.c.expires_at > at
        )
    ).first()
    if row is None:
        return None
    return Link(**{**fields(row), "purpose": LinkPurpose(row.purpose)})


def use_link(tx: Connection, word: str, *, at: datetime) -> Link | None:
    """Use a link: one that works once is void from then on, whoever comes at the same time."""
    found = find_link(tx, word, at=at)
    if found is None or not found.purpose.once:
        return found
    table = tables.one_time_link
    done = tx.execute(
        update(table)
        .where(table.c.token_hash == hashed(word), table.c.used_at.is_(None))
        .values(used_at=at)
    )
    return found if done.rowcount else None


# ------------------------------------------------------------------------------ attempts


def allow(tx: Connection, key: str, most: int, within: timedelta, *, at: datetime) -> bool:
    """Note an attempt, and return whether it is one of the few that are allowed.

    :param key: what is counted, such as ``sign-in:address``
    :param most: attempts in a moving window
    """
    table = tables.attempt
    mine = table.c.key_hash == hashed(key)
    tx.execute(delete(table).where(mine, table.c.at <= at - within))
    made = tx.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    if made >= most:
        return False
    tx.execute(insert(table).values(key_hash=hashed(key), at=at))
    return True


def forget_attempts(tx: Connection, key: str) -> None:
    """Count from nought again, after an attempt that succeeded."""
    tx.execute(delete(tables.attempt).where(tables.attempt.c.key_hash == hashed(key)))


def hashed(word: str) -> str:
    """Return what is kept of a word."""
    return hashlib.sha256(word.encode()).hexdigest()
