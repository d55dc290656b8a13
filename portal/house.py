"""One opened portal: its settings and everything that it keeps things in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from leaderboard.store import Database, open_database
from portal.errands import Errands
from portal.jobs import Queue
from portal.library import Library
from portal.repositories import Repositories
from portal.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What the use cases work on; one per process."""

    settings: Settings
    database: Database
    queue: Queue
    library: Library
    repositories: Repositories
    now: Callable[[], datetime] = _now
    errands: Errands
    ending: threading.Event = field(default_factory=threading.Event)
    """Set once this process has been told to end: whoever follows something lets go."""

    def close(self) -> None:
        """Give everything back."""
        self.errands.close()
        self.queue.close()
        self.database.close()


def open_house(settings: Settings) -> House:
    """Open a portal's database, queue and folders.

    :raises StoreError: the database cannot be used
    """
    database = open_database(settings.database)
    return House(
        settings=settings,
        database=database,
        queue=Queue(database),
        library=Library(settings.data / "challenges"),
        repositories=Repositories(settings.data / "repositories"),
        errands=Errands(settings.data / "errands"),
    )


_here: list[House] = []


def occupy(house: House) -> None:
    """Make a portal this process's own: pages are run by Streamlit, which hands them nothing."""
    _here[:] = [house]


def here() -> House:
    """Return this process's portal."""
    return _here[0]
