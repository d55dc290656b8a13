"""A portal as tests see it: who is in it, and how to reach it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from grader import package, references
from grader.model import Challenge
from leaderboard.model import ChallengeVersion, Event, Person, Role, Team
from leaderboard.store import events, people
from portal.house import House, open_house
from portal.services import accounts, challenges, joining
from portal.settings import HOME, Settings

SLUG = "r-health-tariff"
PASSWORD = "a few words in a row"  # noqa: S105 - of made-up people


@dataclass(frozen=True)
class Held:
    """An event, who is in it, and what it is held over."""

    event: Event
    version: ChallengeVersion
    challenge: Challenge
    people: dict[str, Person]
    """By first name; Ada and Bob are in Blue, Cleo is in Red, the others have roles."""
    blue: Team
    red: Team


def hold(house: House) -> Held:
    now = house.now()
    roles = {
        "Ada": [Role.MEMBER],
        "Bob": [Role.MEMBER],
        "Cleo": [Role.MEMBER],
        "Edda": [Role.CHAMPION],
        "Finn": [Role.LEADER],
        "Gita": [Role.MANAGER],
        "Hugo": [Role.ADMIN],
    }
    with house.database.write() as tx:
        unit = people.add_unit(tx, "Claims", at=now)
        known = {
            name: people.add_person(
                tx, f"{name.lower()}@example.org", name, at=now, roles=given, unit=unit.id
            )
            for name, given in roles.items()
        }
        event = events.hold(
            tx,
            slug="spring",
            title="Spring",
            starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(days=2),
            daily_cap=100_000,
            at=now,
        )
    challenge = package.find_challenge(SLUG, [HOME / "challenges"])
    version = challenges.publish(house, known["Edda"], challenge)
    with house.database.write() as tx:
        events.add_challenge(tx, event.id, version.id, at=now)
    blue, link = joining.found(house, known["Ada"], event, "Blue")
    blue = joining.join(house, known["Bob"], link.rpartition("/")[2])
    red, _ = joining.found(house, known["Cleo"], event, "Red")
    return Held(event=event, version=version, challenge=challenge, people=known, blue=blue, red=red)


@dataclass(frozen=True)
class Opened:
    """A portal that answers, seen from inside."""

    house: House
    held: Held

    @property
    def address(self) -> str:
        return self.house.settings.public_address

    def token(self, name: str) -> str:
        return accounts.add_token(self.house, self.held.people[name], "test")

    def client(self, name: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.token(name)}"}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)

    def git_address(self, name: str, team: str = "blue") -> str:
        host = self.address.removeprefix("http://")
        return f"http://x:{self.token(name)}@{host}/git/{team}/{SLUG}"


@dataclass(frozen=True)
class Portal(Opened):
    """A portal that runs as a process of its own, and the same one seen from inside."""

    process: subprocess.Popen[bytes]
    log: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(data: Path, *options: str, workers: int = 0) -> Iterator[Portal]:
    port = free_port()
    log = data / "log"
    command = [sys.executable, "-m", "portal.cli", "serve", "--data", data, "--port", port]
    command += ["--workers", workers, *options]
    with log.open("wb") as written:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=written,
            stderr=written,
            cwd=HOME,
            env={**os.environ, "PYTHONFAULTHANDLER": "1"},
        )
    try:
        await_health(f"http://127.0.0.1:{port}", workers, process, log)
        house = open_house(Settings(data=data, port=port))
        yield Portal(house=house, held=hold(house), process=process, log=log)
        house.close()
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(30)
        assert ended == 0, f"exit status {ended}\n{log.read_text()}"


def await_health(address: str, workers: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/health").json()["workers"] >= workers:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    pytest.fail(f"The portal did not start:\n{log.read_text()}")


@contextmanager
def answering(
    data: Path, routes: Callable[[House], Sequence[BaseRoute]], **settings: object
) -> Iterator[Opened]:
    """Serve some of a portal's routes from this process: most of a portal takes long to start."""
    chosen = Settings(data=data, port=free_port(), **settings)  # type: ignore[arg-type]
    house = open_house(chosen)
    served = Starlette(routes=routes(house))
    server = uvicorn.Server(uvicorn.Config(served, port=chosen.port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield Opened(house=house, held=hold(house))
    finally:
        server.should_exit = True
        thread.join()
        house.close()


Git = Callable[..., subprocess.CompletedProcess[str]]


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0"}
    identity |= {f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")}
    identity |= {f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")}
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **identity},
        timeout=300,
        check=False,
    )


def reference(challenge: Challenge, name: str, place: Path) -> Path:
    known = {item.name: item for item in references.list_references(challenge)}
    return references.build(known[name], challenge, place)
