"""What is kept: functions over one open transaction, by what they keep.

Each write that matters leaves its line in the audit within the same transaction, so that neither is
ever there without the other. Times are handed in: no clock is read here.
"""

from leaderboard.store import (
    accounts,
    audit,
    events,
    lessons,
    models,
    people,
    reviews,
    submissions,
    withdrawing,
    workers,
)
from leaderboard.store.database import Database, open_database

__all__ = [
    "Database",
    "accounts",
    "audit",
    "events",
    "lessons",
    "models",
    "open_database",
    "people",
    "reviews",
    "submissions",
    "withdrawing",
    "workers",
]
