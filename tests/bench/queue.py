"""How fast a queue empties that 2,000 submissions wait in, with two workers that grade nothing.

``python -m tests.bench.queue [--number N]``. One team of twenty has put in half of them before
anybody else came. Printed for SQLite and PostgreSQL, side by side: how many a second were taken in
and recorded; how late the last of the nineteen others was begun first; and whether each team's
were graded in the order in which they came.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from leaderboard import tables
from leaderboard.model import JobState
from leaderboard.store import events, people, submissions
from portal.house import House, open_house
from portal.jobs import address
from portal.settings import HOME, Settings
from tests.support.portal import hold
from tests.support.postgres import serving

TEAMS = 20
WORKERS = 2
CONSOLE = Console(highlight=False)


@dataclass(frozen=True)
class Measured:
    """What one database has shown."""

    taken_in: float
    """A second."""
    recorded: float
    """A second."""
    last_first: int
    """After how many reports the last team had one."""
    swapped: int
    """Reports of a team that came before one of an older submission of its own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=2000)
    number = parser.parse_args().number
    table = Table("database", "taken in / s", "recorded / s", "last team's first", "swapped")
    with tempfile.TemporaryDirectory(prefix="drydock-queue-") as name, serving() as server:
        for kind, url in {"SQLite": "", "PostgreSQL": server.create("queue")}.items():
            data = Path(name) / kind
            data.mkdir()
            house = open_house(Settings(data=data, database_url=url))
            found = measure(house, number)
            house.close()
            figures = (f"{found.taken_in:.0f}", f"{found.recorded:.0f}")
            table.add_row(kind, *figures, f"report {found.last_first}", str(found.swapped))
    CONSOLE.print(f"{number} submissions of {TEAMS} teams, {WORKERS} workers that grade nothing:")
    CONSOLE.print(table)


def measure(house: House, number: int) -> Measured:
    began = time.monotonic()
    fill(house, number)
    filled = time.monotonic()
    with working(house):
        while True:
            with house.database.read() as tx:
                if submissions.counts(tx)[JobState.DONE] == number:
                    break
            time.sleep(0.5)
    ended = time.monotonic()
    order = graded(house)
    first: dict[int, int] = {}
    by_team = defaultdict(list)
    for place, (team, submission) in enumerate(order, 1):
        first.setdefault(team, place)
        by_team[team].append(submission)
    return Measured(
        taken_in=number / (filled - began),
        recorded=number / (ended - filled),
        last_first=max(first.values()),
        swapped=sum(
            submission < max(own[:place], default=0)
            for own in by_team.values()
            for place, submission in enumerate(own)
        ),
    )


def fill(house: House, number: int) -> None:
    """Put in half of them for one team, and then the rest for all others by turns."""
    held = hold(house)
    entrants = []
    for team in range(TEAMS):
        with house.database.write() as tx:
            now = house.now()
            person = people.add_person(tx, f"p{team}@example.org", f"Person {team}", at=now)
            found, _ = events.found_team(tx, held.event.id, f"Team {team}", by=person.id, at=now)
            entrants.append((found.id, person.id))
    for count in range(number):
        late = 1 + count % (TEAMS - 1)
        team_id, by = entrants[0 if count < number // 2 else late]
        with house.database.write() as tx:
            sent, _ = submissions.submit(
                tx,
                team=team_id,
                challenge=held.version.id,
                commit=f"{count:040x}",
                by=by,
                at=house.now(),
            )
            house.queue.put(tx, submissions.job(tx, sent.id))


@contextmanager
def working(house: House) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.support.null_worker", address(house.database)]
    locks = str(house.settings.data / "locks")
    started = [
        subprocess.Popen([*command, f"one/{number}", "0", locks], cwd=HOME, stdin=subprocess.PIPE)
        for number in range(WORKERS)
    ]
    yield
    for process in started:
        process.kill()
        process.communicate()


def graded(house: House) -> list[tuple[int, int]]:
    """Return team and submission of each report, in the order in which they were recorded."""
    with house.database.read() as tx:
        rows = tx.execute(
            select(tables.submission.c.team_id, tables.submission.c.id)
            .join(tables.report, tables.report.c.submission_id == tables.submission.c.id)
            .order_by(tables.report.c.id)
        )
        return [(row.team_id, row.id) for row in rows]


if __name__ == "__main__":
    main()
