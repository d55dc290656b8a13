"""The queue: thin glue over DBOS Transact, which runs on SQLite and PostgreSQL alike.

A submission and its place in the queue are written by one transaction. A worker that dies is
started again by its supervisor under the same name, and takes up what it had begun; one whose
machine never returns is silent for a while, and the others take over its work. So a submission may
be graded more than once, and recording is what makes one report of it.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec

from dbos import DBOS, DBOSClient, EnqueueOptions
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from leaderboard.model import Job, LessonAttempt
from leaderboard.store import Database, workers
from portal.errors import PortalError

QUEUE = "grading"
WORKFLOW = "grade"
LESSON = "lesson"
VERSION = "1"
"""Of what is queued: workers take up rows of their own version alone."""
_POLL = 0.25
_BEAT = 5.0
_AWAY = 2.0
"""Seconds between two tries to reach the database."""
_ENDLESS = 1_000_000
"""Attempts are counted in the submission's own job, which says why it was given up."""

Grade = Callable[[int, int], None]
"""Grades a submission, given its id and round, and records what comes of it."""
Teach = Callable[[int], None]
"""Grades a lesson, given the id of the attempt, and records what comes of it."""

_P = ParamSpec("_P")
_log = logging.getLogger("drydock.jobs")


class Queue:
    """Where submissions wait; opened by whoever takes them in."""

    def __init__(self, database: Database) -> None:
        self._url = address(database)
        DBOS.migrate(self._url)
        self._client = DBOSClient(system_database_url=self._url)

    def put(self, tx: Connection, job: Job) -> None:
        """Queue a submission within the transaction that takes it in."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": f"grade:{job.submission_id}:{job.round}",
            "priority": job.turn,
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(tx, options, job.submission_id, job.round)

    def put_lesson(self, tx: Connection, attempt: LessonAttempt) -> None:
        """Queue a lesson within the transaction that takes it in."""
        options: EnqueueOptions = {
            "workflow_name": LESSON,
            "queue_name": QUEUE,
            "workflow_id": f"lesson:{attempt.id}",
            "priority": attempt.turn,
            "app_version": VERSION,
        }
        self._client.enqueue_in_transaction(tx, options, attempt.id)

    def close(self) -> None:
        """Give all connections back."""
        self._client.destroy()


def address(database: Database) -> str:
    """Return the database's URL, with all that it takes to connect."""
    return database.engine.url.render_as_string(hide_password=False)


def work(
    database: Database,
    name: str,
    grade: Grade,
    locks: Path,
    *,
    teach: Teach | None = None,
    supervised: bool = False,
) -> None:
    """Grade what is queued, one after the other, until told to end.

    It ends on SIGTERM and SIGINT. What it had begun, the next worker of its name takes up.

    :param name: the same after a restart, and no other worker's
    :param teach: without it, lessons are left to other workers
    :param supervised: end with standard input too: then who started it is gone
    :raises PortalError: a worker of this name runs already (slug ``worker-running``)
    """
    with _alone(locks, name):
        hands = _Hands()
        _launch(database, name, hands.busy(grade), teach and hands.busy(teach))
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        if supervised:
            threading.Thread(target=_await_end_of_input, args=[ended], daemon=True).start()
        while not ended.wait(_BEAT):
            _beat(database, name, hands)
        with database.write() as tx:
            workers.leave(tx, name)
    os._exit(0)  # a grading may be under way: it is not waited for


class _Hands:
    """What a worker is at, as its own process knows it."""

    def __init__(self) -> None:
        self._at = 0
        self._idle_beats = 0

    def busy(self, act: Callable[_P, None]) -> Callable[_P, None]:
        """Return the same, noted while it lasts."""

        @wraps(act)
        def noted(*arguments: _P.args, **options: _P.kwargs) -> None:
            self._at += 1
            self._idle_beats = 0
            try:
                act(*arguments, **options)
            finally:
                self._at -= 1

        return noted

    def idle(self) -> bool:
        """Tell at a beat whether nothing was done since the one before the last."""
        self._idle_beats = 0 if self._at else self._idle_beats + 1
        return self._idle_beats > 1


def _launch(database: Database, name: str, grade: Grade, teach: Teach | None) -> None:
    with database.write() as tx:
        workers.beat(tx, name)
    DBOS(
        config={
            "name": "drydock",
            "system_database_url": address(database),
            "executor_id": name,
            "application_version": VERSION,
            "log_level": "WARNING",
        }
    )

    @DBOS.step(name="grade_and_record")
    def grade_and_record(submission: int, number: int) -> None:
        _insist(lambda: grade(submission, number))

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=_ENDLESS)
    def grade_submission(submission: int, number: int) -> None:
        grade_and_record(submission, number)

    if teach is not None:
        _learn(teach)

    DBOS.listen_queues([QUEUE])
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=1, polling_interval_sec=_POLL)


def _learn(teach: Teach) -> None:
    @DBOS.step(name="grade_lesson_and_record")
    def grade_and_record(attempt: int) -> None:
        _insist(lambda: teach(attempt))

    @DBOS.workflow(name=LESSON, max_recovery_attempts=_ENDLESS)
    def grade_lesson(attempt: int) -> None:
        grade_and_record(attempt)


def _insist(act: Callable[[], None]) -> None:
    """Do something as soon as the database answers."""
    while True:
        try:
            return act()
        except OperationalError as error:
            # Begun again, and counted as such: so this has an end too.
            _log.warning("The database is away: %s", str(error).splitlines()[0])
            time.sleep(_AWAY)


def _beat(database: Database, name: str, hands: _Hands) -> None:
    """Say that this worker is alive, and take over from those that are not.

    A job can be noted as taken by this worker, which never heard of it: where the database went
    away between the two. Whoever is idle gives such a job back to the queue.
    """
    try:
        with database.write() as tx:
            workers.beat(tx, name)
            alive = workers.alive(tx)
        begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        takers = {item.executor_id for item in begun if item.executor_id}
        lost = takers - alive | (takers & {name} if hands.idle() else set())
        if lost:
            # The public way to resume forgets how often a job was tried; this one is pinned.
            DBOS._recover_pending_workflows(sorted(lost))  # noqa: SLF001
    except SQLAlchemyError as error:
        # A database that is away for a while must not end a worker.
        _log.warning("The database does not answer: %s", str(error).splitlines()[0])


@contextmanager
def _alone(locks: Path, name: str) -> Iterator[None]:
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"{name.replace('/', '-')}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise PortalError(
                "worker-running",
                f"A worker named {name} runs already.",
                remedy="Give this one another name with --name.",
            ) from error
        yield


def _await_end_of_input(ended: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    ended.set()
