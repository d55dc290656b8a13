"""The one place where connections are opened: SQLite for a start, PostgreSQL when one outgrows it.

Both run the same statements. What differs is here: SQLite is put into WAL mode, and says at the
start of a transaction that it will write, since one that finds out later fails instead of waiting.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from leaderboard.errors import StoreError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
PATIENCE = 30
"""Seconds that a writer waits for another one."""
_WRITES = "drydock_writes"
_KINDS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}


class Database:
    """An open database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run one transaction that may write: all of it happens, or nothing."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run one transaction that sees one state of everything."""
        connection = self.engine.connect().execution_options(**{_WRITES: False})
        with connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open a database and bring its tables up to date.

    :param url: ``sqlite:///path/to/file.db`` or ``postgresql://user@host/name``
    :raises StoreError: the URL is none of these, or the database cannot be reached
    """
    target = _target(url)
    engine = _engine(target)
    try:
        migrate(engine)
    except OperationalError as error:
        engine.dispose()
        raise StoreError(
            "database-unreachable",
            f"The database {target.render_as_string(hide_password=True)} cannot be used: "
            f"{str(error.orig).strip().splitlines()[0]}",
            remedy="Check that it runs, and that the URL names an existing folder or database.",
        ) from error
    return Database(engine)


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision; what is there already is left alone."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, revision)


def _target(url: str) -> URL:
    try:
        parsed = make_url(url)
        return parsed.set(drivername=_KINDS[parsed.get_backend_name()])
    except (ArgumentError, KeyError) as error:
        raise StoreError(
            "database-url",
            "The database URL is not one that Drydock can use.",
            remedy="Name sqlite:///path/to/file.db or postgresql://user@host/name.",
        ) from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": PATIENCE})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # Transactions are begun below: the driver would begin them later than we mean.
    connection.isolation_level = None
    for setting in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        connection.execute(f"pragma {setting}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
