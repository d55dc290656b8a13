"""Workers beside the portal: started with it, started again when they die, ended with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from typing import Self

from leaderboard.store import Database
from portal.jobs import address
from portal.settings import Settings

_AFTER_DEATH = 1.0
"""Seconds until a worker that died is started again."""
_GRACE = 10.0


class Supervisor(AbstractContextManager["Supervisor"]):
    """Keeps as many workers running as the settings say.

    Each holds the other end of a pipe: when this process is gone, however it went, they end.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._url = address(database)
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Start them."""
        for slot in range(self._settings.workers):
            thread = threading.Thread(target=self._keep, args=[slot], daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        """End them, and wait until they have."""
        self._ending.set()
        for process in list(self._running.values()):
            process.terminate()
        for thread in self._threads:
            thread.join(_GRACE)

    def _keep(self, slot: int) -> None:
        while not self._ending.is_set():
            with self._start(slot) as process:
                self._running[slot] = process
                if self._ending.is_set():
                    process.terminate()
                process.wait()
            self._ending.wait(_AFTER_DEATH)

    def _start(self, slot: int) -> subprocess.Popen[bytes]:
        name = f"{socket.gethostname()}/{slot}"
        command = [sys.executable, "-m", "portal.cli", "worker", "--name", name, "--supervised"]
        command += ["--data", str(self._settings.data)]
        # The URL may hold a password, and command lines are for all to see.
        environment = {
            **os.environ,
            "DRYDOCK_DATABASE_URL": self._url,
            "DRYDOCK_ADDRESS": self._settings.public_address,
        }
        return subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - ours
