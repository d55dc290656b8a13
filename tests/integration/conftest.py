"""Both databases, for real: what holds on one must hold on the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from leaderboard.store import Database, open_database
from tests.support.postgres import Server, serving


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """Give a server that a test may kill."""
    with serving() as server:
        yield server


_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a database that nobody has used yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'drydock.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.create(f"drydock_{next(_numbers)}")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()
