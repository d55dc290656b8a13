"""Submit without end, as a portal does: ``submit_forever.py URL TEAM VERSION BY``."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime

from leaderboard.store import open_database, submissions
from portal.jobs import Queue


def main(url: str, team: int, version: int, by: int) -> None:
    database = open_database(url)
    queue = Queue(database)
    while True:
        with database.write() as tx:
            sent, _ = submissions.submit(
                tx,
                team=team,
                challenge=version,
                commit=secrets.token_hex(20),
                by=by,
                at=datetime.now(UTC),
            )
            queue.put(tx, submissions.job(tx, sent.id))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
