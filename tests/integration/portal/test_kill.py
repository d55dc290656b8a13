"""Killed at any moment: for each submission one report, on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from leaderboard import tables
from leaderboard.model import JobState
from leaderboard.store import audit, submissions
from portal.house import House, open_house
from portal.jobs import address
from portal.services import submitting
from portal.settings import HOME, Settings
from tests.support.portal import Held, hold
from tests.support.postgres import Server

Start = Callable[..., subprocess.Popen[bytes]]
SUBMISSIONS = 50
PATIENCE = 90


@contextmanager
def workers(house: House) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(name: str, seconds: float = 0.05) -> subprocess.Popen[bytes]:
        locks = house.settings.data / "locks"
        command = [sys.executable, "-m", "tests.support.null_worker"]
        command += [address(house.database), name, str(seconds), str(locks)]
        started.append(subprocess.Popen(command, cwd=HOME, stdin=subprocess.PIPE))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


@pytest.fixture
def start(house: House) -> Iterator[Start]:
    with workers(house) as begin:
        yield begin


def submit(house: House, held: Held, number: int, team: str = "blue") -> int:
    name, entrant = ("Ada", held.blue) if team == "blue" else ("Cleo", held.red)
    commit = hashlib.sha1(f"{team} {number}".encode()).hexdigest()  # noqa: S324 - as git does
    person = held.people[name]
    return submitting.submit(house, person, entrant, held.version, commit)[0].id


def counts(house: House) -> dict[JobState, int]:
    with house.database.read() as tx:
        return submissions.counts(tx)


def await_done(house: House, number: int, disturb: Callable[[], None] = lambda: None) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if counts(house)[JobState.DONE] == number:
            return
        disturb()
        time.sleep(0.1)
    pytest.fail(f"Not all ended: {counts(house)}")


def assert_one_report_each(house: House, number: int) -> None:
    with house.database.read() as tx:
        reports = tx.execute(select(func.count()).select_from(tables.report)).scalar_one()
        told = tx.execute(
            select(func.count())
            .select_from(tables.audit)
            .where(tables.audit.c.action == "report.recorded")
        ).scalar_one()
        assert (reports, told) == (number, number)
        assert audit.verify(tx).broken == ""


def test_workers_and_portal_killed_at_random(house: House, held: Held, start: Start) -> None:
    """Workers die while they grade, and the portal while it takes in what teams push again."""
    dice = random.Random(7)  # noqa: S311 - when to kill is no secret
    begin = {name: partial(start, name) for name in ("one/0", "one/1")}
    begin["portal"] = partial(portal, house, held, SUBMISSIONS)
    running = {name: process() for name, process in begin.items()}
    last = [time.monotonic()]
    kills = [7]

    def disturb() -> None:
        if kills[0] and time.monotonic() - last[0] > dice.uniform(0.8, 2):
            name = dice.choice(sorted(running))
            running[name].kill()
            running[name].wait()
            running[name] = begin[name]()
            last[0] = time.monotonic()
            kills[0] -= 1

    try:
        await_done(house, SUBMISSIONS, disturb)
    finally:
        running["portal"].kill()
        running["portal"].wait()
    assert_one_report_each(house, SUBMISSIONS)


def portal(house: House, held: Held, number: int | None = None) -> subprocess.Popen[bytes]:
    """Start what takes in submissions: so many, or without end."""
    command = [sys.executable, "-m", "tests.support.submit_forever", address(house.database)]
    command += [str(item) for item in (held.blue.id, held.version.id, held.people["Ada"].id)]
    return subprocess.Popen([*command, *([] if number is None else [str(number)])], cwd=HOME)


def test_zombie_leaves_one_report(house: House, held: Held, start: Start) -> None:
    """A worker that stands still for too long is taken for dead; then it wakes up."""
    zombie = start("one/0", 0.5)
    submit(house, held, 1)
    await_running(house)
    os.kill(zombie.pid, signal.SIGSTOP)
    silence(house, "one/0")
    start("two/0", 0.0)
    await_done(house, 1)
    os.kill(zombie.pid, signal.SIGCONT)
    time.sleep(1.5)
    assert_one_report_each(house, 1)


def test_job_that_its_taker_never_heard_of(house: House, held: Held, start: Start) -> None:
    """A database that dies as it hands a job out has noted what the worker was not told."""
    start("one/0", 0.0)
    submit(house, held, 1)
    await_done(house, 1)
    with house.database.write() as tx:
        sent, _ = submissions.submit(
            tx,
            team=held.blue.id,
            challenge=held.version.id,
            commit="f" * 40,
            by=held.people["Ada"].id,
            at=house.now(),
        )
        house.queue.put(tx, submissions.job(tx, sent.id))
        schema = "dbos." if tx.dialect.name == "postgresql" else ""
        tx.exec_driver_sql(
            f"UPDATE {schema}workflow_status SET status = 'PENDING', executor_id = 'one/0' "  # noqa: S608 - ours
            f"WHERE workflow_uuid = 'grade:{sent.id}:1'"
        )
    await_done(house, 2)
    assert_one_report_each(house, 2)


def test_team_with_many_keeps_no_other_waiting(house: House, held: Held, start: Start) -> None:
    many = [submit(house, held, number) for number in range(40)]
    few = [submit(house, held, number, "red") for number in range(3)]
    start("one/0", 0.0)
    await_done(house, 43)
    with house.database.read() as tx:
        rows = tx.execute(select(tables.report.c.submission_id).order_by(tables.report.c.id))
        order = list(rows.scalars())
    assert [order.index(number) for number in few] <= [2, 4, 6]
    assert order.index(many[-1]) == 42


def test_queued_by_a_killed_portal_is_both_rows_or_neither(house: House, held: Held) -> None:
    for turn in range(2):
        process = portal(house, held)
        await_queued(house, 5 * (turn + 1))
        process.kill()
        process.wait()
    with house.database.read() as tx:
        jobs = set(tx.execute(select(tables.job.c.submission_id)).scalars())
        sent = set(tx.execute(select(tables.submission.c.id)).scalars())
        schema = "dbos." if tx.dialect.name == "postgresql" else ""
        table = f"{schema}workflow_status"
        rows = tx.exec_driver_sql(f"SELECT workflow_uuid FROM {table}")  # noqa: S608 - ours
        queued = {int(str(row[0]).split(":")[1]) for row in rows}
    assert len(sent) >= 10
    assert sent == jobs == queued


def await_some(house: House) -> None:
    end = time.monotonic() + PATIENCE
    while counts(house)[JobState.DONE] < 2 and time.monotonic() < end:
        time.sleep(0.05)


def await_queued(house: House, number: int) -> None:
    end = time.monotonic() + PATIENCE
    while counts(house)[JobState.QUEUED] < number and time.monotonic() < end:
        time.sleep(0.02)


def await_running(house: House) -> None:
    end = time.monotonic() + PATIENCE
    while not counts(house)[JobState.RUNNING] and time.monotonic() < end:
        time.sleep(0.02)


def silence(house: House, name: str) -> None:
    """Let a worker have been silent for long, without waiting for it."""
    with house.database.write() as tx:
        tx.execute(tables.worker.delete().where(tables.worker.c.name == name))


# ------------------------------------------------------------------------------ the database


@pytest.fixture
def shaky(own_postgres: Server, tmp_path: Path) -> Iterator[House]:
    """Give a portal on a database that may be killed."""
    data = tmp_path / "data"
    data.mkdir()
    opened = open_house(Settings(data=data, database_url=own_postgres.create("shaky")))
    yield opened
    opened.close()


def test_database_killed_under_way(shaky: House, own_postgres: Server) -> None:
    held = hold(shaky)
    with workers(shaky) as start:
        for name in ("one/0", "one/1"):
            start(name, 0.2)
        for number in range(SUBMISSIONS):
            submit(shaky, held, number)
        await_some(shaky)
        for _ in range(2):
            own_postgres.kill()
            time.sleep(1)
            own_postgres.start()
            time.sleep(4)
        await_done(shaky, SUBMISSIONS)
    assert_one_report_each(shaky, SUBMISSIONS)
