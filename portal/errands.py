"""Errands: long commands that somebody at the desk started, and what they have printed so far.

One of a name runs at a time. What it prints is in a file, so that whoever comes back later, or
from another browser, finds it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.errors import PortalError

_MOST = 500
"""Lines that are read back."""
_GRACE = 5.0
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """How far an errand is."""

    running: bool
    status: int | None
    """Exit status; None while it runs, and where the portal was ended under it."""
    lines: tuple[str, ...]


class Errands:
    """The errands of one portal."""

    def __init__(self, folder: Path) -> None:
        """Keep what they print in this folder."""
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a command.

        :param name: of small letters, figures and dashes
        :param environment: variables beside those that are there; others can read a command line
        :raises PortalError: one of this name is under way (slug ``errand-running``)
        """
        with self._lock:
            if name in self._running:
                raise PortalError("errand-running", "This is under way already.")
            self._folder.mkdir(parents=True, exist_ok=True)
            self._ended(name).unlink(missing_ok=True)
            with self._printed(name).open("wb") as printed:
                process = subprocess.Popen(  # noqa: S603 - a command of ours
                    list(command),
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                )
            self._running[name] = process
        threading.Thread(target=self._await, args=[name, process], daemon=True).start()

    def look(self, name: str) -> Errand | None:
        """Return how far an errand is; None where it was never started."""
        try:
            text = self._printed(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        ended = self._ended(name)
        return Errand(
            running=name in self._running,
            status=json.loads(ended.read_text(encoding="utf-8")) if ended.exists() else None,
            lines=tuple(_COLOURS.sub("", text).splitlines()[-_MOST:]),
        )

    def close(self) -> None:
        """End all that is under way."""
        for process in list(self._running.values()):
            process.terminate()
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()

    def _await(self, name: str, process: subprocess.Popen[bytes]) -> None:
        status = process.wait()
        ended = self._ended(name)
        unfinished = ended.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(status), encoding="utf-8")
        unfinished.replace(ended)  # whoever looks sees the whole of it, or nothing
        with self._lock:
            del self._running[name]

    def _printed(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _ended(self, name: str) -> Path:
        return self._folder / f"{name}.status"
