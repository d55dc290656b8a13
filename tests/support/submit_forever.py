"""Submit as a portal does: ``submit_forever.py URL TEAM VERSION BY [NUMBER]``.

Without a number there is no end to it. With one, the same commits are sent each time it is started,
as teams push again what they were not answered on.
"""

from __future__ import annotations

import itertools
import secrets
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from leaderboard.store import open_database, submissions
from portal.jobs import Queue

PAUSE = 0.05


def main(url: str, team: int, version: int, by: int, number: int | None = None) -> None:
    database = open_database(url)
    queue = Queue(database)
    for commit in commits(number):
        with database.write() as tx:
            sent, new = submissions.submit(
                tx, team=team, challenge=version, commit=commit, by=by, at=datetime.now(UTC)
            )
            if new:
                queue.put(tx, submissions.job(tx, sent.id))
        time.sleep(PAUSE)


def commits(number: int | None) -> Iterable[str]:
    if number is None:
        return (secrets.token_hex(20) for _ in itertools.count())
    return (f"{count:040x}" for count in range(number))


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:]))
