"""A worker that grades nothing, and takes its time: ``null_worker.py URL NAME SECONDS LOCKS``."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from leaderboard.store import open_database, submissions
from leaderboard.store.submissions import NewReport
from portal.attempts import ATTEMPTS
from portal.jobs import work


def main(url: str, name: str, seconds: float, locks: Path) -> None:
    database = open_database(url)

    def grade(submission: int, number: int) -> None:
        with database.write() as tx:
            job = submissions.start(tx, submission, at=datetime.now(UTC))
            if job.state.terminal or job.round != number:
                return
            if job.attempts > ATTEMPTS * 100:
                submissions.give_up(tx, submission, "Too often.", at=datetime.now(UTC))
                return
        time.sleep(seconds)
        new = NewReport(
            outcome="accepted",
            total=1,
            public_total=1,
            possible=1000,
            seconds=seconds,
            content="{}",
        )
        with database.write() as tx:
            submissions.record(tx, submission, new, at=datetime.now(UTC))

    work(database, name, grade, locks, supervised=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
