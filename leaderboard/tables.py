"""The tables, as SQLAlchemy sees them; ``migrations/`` makes them.

Rows of `APPEND_ONLY` tables are written once: the database itself refuses to change or delete them,
whoever asks. What may change is small, and stands in tables of its own: where a job is, who is
signed in, who is in which team.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    true,
)

DIGEST = 64
"""Hexadecimal digits of a SHA-256."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware time. SQLite keeps no zone, so all are kept in UTC and come back aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Turn a time to UTC; a naive one is a mistake of ours."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"A time without a zone cannot be stored: {value!r}.")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        """Give the time its zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _of(table: str, name: str = "", *, optional: bool = False, **options: Any) -> Column[int]:
    return Column(name or f"{table}_id", ForeignKey(f"{table}.id"), nullable=optional, **options)


def _moment(name: str, *, optional: bool = False) -> Column[datetime]:
    return Column(name, Moment, nullable=optional)


def _text(name: str, length: int = 200, *, optional: bool = False, **options: Any) -> Column[str]:
    return Column(name, String(length), nullable=optional, **options)


# ------------------------------------------------------------------------------ people

unit = Table(
    "unit",
    metadata,
    _id(),
    _text("name", unique=True),
    _of("unit", "parent_id", optional=True),
    _moment("created_at"),
)

person = Table(
    "person",
    metadata,
    _id(),
    _text("email", 320, unique=True),
    _text("name"),
    _text("password_hash", 300, optional=True),
    _text("subject", 300, optional=True, unique=True),
    _of("unit", optional=True, index=True),
    Column("active", Boolean, nullable=False, server_default=true()),
    _moment("created_at"),
    _moment("first_seen_at", optional=True),
)

person_role = Table(
    "person_role",
    metadata,
    _of("person", primary_key=True),
    _text("role", 20, primary_key=True),
)

session = Table(
    "session",
    metadata,
    _text("token_hash", DIGEST, primary_key=True),
    _of("person", index=True),
    _text("form_token", 64),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("ended_at", optional=True),
)

access_token = Table(
    "access_token",
    metadata,
    _id(),
    _text("token_hash", DIGEST, unique=True),
    _of("person", index=True),
    _text("name"),
    _moment("created_at"),
    _moment("expires_at", optional=True),
    _moment("used_at", optional=True),
    _moment("revoked_at", optional=True),
)

one_time_link = Table(
    "one_time_link",
    metadata,
    _text("token_hash", DIGEST, primary_key=True),
    _text("purpose", 20),
    _of("person", optional=True),
    _moment("expires_at"),
    _moment("used_at", optional=True),
)

attempt = Table(
    "attempt",
    metadata,
    _id(),
    _text("key_hash", DIGEST),
    _moment("at"),
    Index("ix_attempt_key_hash_at", "key_hash", "at"),
)

# ------------------------------------------------------------------------------ events

challenge = Table(
    "challenge",
    metadata,
    _id(),
    _text("slug", 100, index=True),
    _text("version", 50),
    _text("title"),
    _text("digest", DIGEST, unique=True),
    _of("person", "published_by", optional=True),
    _moment("published_at"),
)

event = Table(
    "event",
    metadata,
    _id(),
    _text("slug", 100, unique=True),
    _text("title"),
    _moment("starts_at"),
    _moment("ends_at"),
    _moment("freezes_at", optional=True),
    _text("counting", 20),
    Column("daily_cap", Integer, nullable=False),
    Column("rehearsal", Boolean, nullable=False),
    CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    CheckConstraint("daily_cap > 0", name="cap_is_positive"),
)

event_challenge = Table(
    "event_challenge",
    metadata,
    _of("event", primary_key=True),
    _of("challenge", primary_key=True),
)

event_weight = Table(
    "event_weight",
    metadata,
    _of("event", primary_key=True),
    _text("challenge_slug", 100, primary_key=True),
    Column("weight", Integer, nullable=False),
    CheckConstraint("weight > 0", name="weight_is_positive"),
)

team = Table(
    "team",
    metadata,
    _id(),
    _of("event"),
    _text("name", 100),
    _text("slug", 100, unique=True),
    _text("invite_hash", DIGEST, unique=True),
    _moment("created_at"),
    UniqueConstraint("event_id", "name"),
)

membership = Table(
    "membership",
    metadata,
    _of("team", primary_key=True),
    _of("person", primary_key=True, index=True),
    _moment("joined_at"),
)

# ------------------------------------------------------------------------------ submissions

submission = Table(
    "submission",
    metadata,
    _id(),
    _of("event"),
    _of("team", index=True),
    _of("challenge"),
    _text("commit", 64),
    _of("person", "submitted_by"),
    _moment("received_at"),
    _text("origin", 500),
    UniqueConstraint("team_id", "challenge_id", "commit"),
    Index("ix_submission_board", "event_id", "challenge_id", "received_at"),
)

job = Table(
    "job",
    metadata,
    _of("submission", primary_key=True),
    Column("round", Integer, nullable=False),
    _text("state", 20, index=True),
    _text("step"),
    Column("turn", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    _moment("changed_at"),
    _text("message", 1000),
)

report = Table(
    "report",
    metadata,
    _id(),
    _of("submission"),
    Column("round", Integer, nullable=False),
    _text("outcome", 20),
    Column("total", Integer),
    Column("public_total", Integer),
    Column("possible", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    _text("digest", DIGEST),
    _moment("recorded_at"),
    Column("content", Text, nullable=False),
    Column("loss", Float),
    Column("loss_error", Float),
    UniqueConstraint("submission_id", "round"),
)

finding = Table(
    "finding",
    metadata,
    _id(),
    _of("report", index=True),
    _text("code", 20, index=True),
    _text("family", 40),
    _text("verdict", 20),
    Column("share", Float, nullable=False),
    Column("points", Integer),
    Column("possible", Integer),
    Column("message", Text, nullable=False),
    _text("path", 1000, optional=True),
    Column("line", Integer),
)

worker = Table(
    "worker",
    metadata,
    _text("name", primary_key=True),
    _moment("seen_at"),
)

final_choice = Table(
    "final_choice",
    metadata,
    _of("team", primary_key=True),
    _of("report", primary_key=True),
    _of("person", "chosen_by"),
    _moment("chosen_at"),
)

review = Table(
    "review",
    metadata,
    _id(),
    _of("report", index=True),
    _text("decision", 20),
    Column("reason", Text, nullable=False),
    _of("person", "by"),
    _moment("at"),
)

waiver = Table(
    "waiver",
    metadata,
    _id(),
    _of("team", index=True),
    _text("challenge_slug", 100),
    _text("code", 20),
    _text("path", 1000),
    _text("decision", 20),
    Column("reason", Text, nullable=False),
    _of("person", "by"),
    _moment("at"),
    _moment("expires_at", optional=True),
)

# ------------------------------------------------------------------------------ adoption

legacy_model = Table(
    "legacy_model",
    metadata,
    _id(),
    _text("name", unique=True),
    _of("unit", index=True),
    _text("owner"),
    _text("language", 40),
    _text("challenge_slug", 100, optional=True),
    _moment("live_since", optional=True),
    _moment("registered_at"),
)

lesson_attempt = Table(
    "lesson_attempt",
    metadata,
    _id(),
    _of("person", index=True),
    _text("lesson", 100, index=True),
    # What was handed in: notebooks by name, as JSON. Workers on other machines read it from here.
    Column("content", Text, nullable=False),
    _moment("received_at"),
    _text("state", 20),
    Column("turn", Integer, nullable=False),
    Column("begun", Integer, nullable=False),
    _moment("changed_at"),
    _text("message", 1000),
)

lesson_result = Table(
    "lesson_result",
    metadata,
    _id(),
    _of("person", index=True),
    _text("lesson", 100),
    Column("score", Float, nullable=False),
    Column("possible", Float, nullable=False),
    _moment("at"),
    Column("attempt_id", Integer, nullable=True, index=True),
    Column("passed", Boolean, nullable=True),
    Column("waits", Boolean, nullable=True),
    # Of each cell, and the pages that the learner reads, as JSON.
    Column("cells", Text, nullable=True),
    Column("feedback", Text, nullable=True),
)

# ------------------------------------------------------------------------------ audit

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _moment("at"),
    _of("person", "actor_id", optional=True),
    _text("action", 60),
    _text("subject"),
    Column("details", Text, nullable=False),
    _text("previous", DIGEST),
    _text("hash", DIGEST, unique=True),
)

APPEND_ONLY = ("submission", "report", "finding", "review", "waiver", "lesson_result", "audit")
