"""How a portal bears an event's people: browsers that look at the leaderboard, all at once.

Each speaks Streamlit's own protocol over a websocket, signed in as a member, and asks for the page
again after a pause of ten seconds on average, as somebody does who follows a board. The portal is
one process; its database holds 50 teams with two graded submissions each.

``python tests/bench/load.py [--clients N] [--seconds N]``. Times are of whole reruns, from the
question to the end of the answer, in milliseconds; the aim is 150 at the 95th percentile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import websockets
from rich.console import Console
from rich.table import Table
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from leaderboard.store import accounts, events, people, submissions
from portal.web.identity import COOKIE
from tests.support.portal import Portal, running
from tests.support.reports import recorded

PAGE = "leaderboard"
PAUSE = 10.0
TEAMS = 50
AIM = 150.0
RAMP = 0.2
LONGEST = 60.0
CONSOLE = Console(highlight=False)


@dataclass
class Seen:
    """What all browsers together have seen."""

    first: list[float] = field(default_factory=list)
    """Seconds until a page was there for the first time."""
    reruns: list[float] = field(default_factory=list)
    errors: int = 0


class Browser:
    """One browser's connection."""

    def __init__(self, socket: websockets.ClientConnection, seen: Seen) -> None:
        self._socket = socket
        self._seen = seen

    async def rerun(self) -> float:
        """Ask for the page, and return how long its answer took, in seconds."""
        asked = BackMsg()
        asked.rerun_script.page_name = PAGE
        asked.rerun_script.query_string = ""
        began = time.perf_counter()
        await self._socket.send(asked.SerializeToString())
        async with asyncio.timeout(LONGEST):
            while not self._ended(await self._socket.recv()):
                pass
        return time.perf_counter() - began

    def _ended(self, raw: str | bytes) -> bool:
        message = ForwardMsg()
        message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self._seen.errors += 1
        return kind == "script_finished"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="drydock-load-") as folder,
        running(Path(folder)) as portal,
    ):
        words = fill(portal)
        seen = Seen()
        before = cpu_seconds(portal.process.pid)
        began = time.monotonic()
        asyncio.run(look(portal, words, given.clients, given.seconds, seen))
        used = cpu_seconds(portal.process.pid) - before
        show(given.clients, seen, used / (time.monotonic() - began), portal.process.pid)


def fill(portal: Portal) -> list[str]:
    """Give every team two reports, and return a session's word for each founder."""
    house, held, words = portal.house, portal.held, []
    draw = random.Random(0)  # noqa: S311 - figures on a board, no secret
    for number in range(TEAMS):
        now = house.now()
        with house.database.write() as tx:
            person = people.add_person(tx, f"p{number}@example.org", f"Person {number}", at=now)
            team, _ = events.found_team(tx, held.event.id, f"Team {number}", by=person.id, at=now)
            words.append(accounts.open_session(tx, person.id, at=now))
        for commit in range(2):
            with house.database.write() as tx:
                sent, _ = submissions.submit(
                    tx,
                    team=team.id,
                    challenge=held.version.id,
                    commit=f"{number:020d}{commit:020d}",
                    by=person.id,
                    at=house.now(),
                )
                submissions.start(tx, sent.id, at=house.now())
                total = draw.randint(500, 1000)
                submissions.record(tx, sent.id, recorded(held, total), at=house.now())
    return words


async def look(
    portal: Portal, words: Sequence[str], clients: int, seconds: float, seen: Seen
) -> None:
    """Let all browsers look, each for the same time after all of them are there."""
    there, go = asyncio.Semaphore(0), asyncio.Event()

    async def browse(number: int) -> None:
        await asyncio.sleep(number * RAMP)
        async with connected(portal, words[number % len(words)]) as socket:
            browser = Browser(socket, seen)
            seen.first.append(await browser.rerun())
            there.release()
            await go.wait()
            end = time.monotonic() + seconds
            while True:
                await asyncio.sleep(random.expovariate(1 / PAUSE))
                if time.monotonic() > end:
                    return
                seen.reruns.append(await browser.rerun())

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(browse(number))
        for _ in range(clients):
            await there.acquire()
        go.set()


def connected(portal: Portal, word: str) -> websockets.connect:
    address = portal.address.replace("http", "ws", 1)
    return websockets.connect(
        f"{address}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        additional_headers={"Cookie": f"{COOKIE}={word}"},
        origin=websockets.Origin(portal.address),
        max_size=None,
        ping_interval=None,
        open_timeout=LONGEST,
    )


def show(clients: int, seen: Seen, cores: float, pid: int) -> None:
    table = Table("what", "number", "median ms", "p95 ms", box=None)
    for name, times in (("first page", seen.first), ("rerun", seen.reruns)):
        spread = statistics.quantiles(times, n=20)
        table.add_row(
            name,
            str(len(times)),
            f"{statistics.median(times) * 1e3:.0f}",
            f"{spread[-1] * 1e3:.0f}",
        )
    CONSOLE.print(f"{clients} browsers on one portal of one process, {os.cpu_count()} cores:")
    CONSOLE.print(table)
    CONSOLE.print(
        f"The portal used {cores:.2f} cores and {resident_mb(pid)} MB; {seen.errors} errors."
    )
    reached = statistics.quantiles(seen.reruns, n=20)[-1] * 1e3 <= AIM
    CONSOLE.print(f"The aim of {AIM:.0f} ms at p95 is {'reached' if reached else 'missed'}.")


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> int:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20


if __name__ == "__main__":
    main()
