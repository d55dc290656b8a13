"""What callers speak of: a job, its result, and the sandboxes that turn one into the other."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from grader.model import Binding, Cause, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of a module, as ``python -m module arguments`` with ``/work`` as its folder."""

    module: str
    arguments: tuple[str, ...] = ()
    mounts: tuple[Binding, ...] = ()
    """Read-only. The host side lies in a folder from :meth:`Sandbox.new_folder`."""
    python_path: tuple[str, ...] = ()
    """Inside paths put in front of ``sys.path``, for child processes too."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables besides the fixed, clean ones."""
    limits: Limits
    collect: tuple[str, ...] = ()
    """Output files to read out at the end, relative to ``/work``."""
    copy_to_work: str | None = None
    """An inside path whose content is copied into ``/work`` first, where it can be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One output file that was asked for."""

    name: str
    content: bytes | None
    problem: str | None
    """Why there is no content: ``missing``, ``link``, ``not a regular file``, its size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a job ended. Nothing here but the collected files and the text was said by the job."""

    exit_code: int | None
    """None when it was killed; negative when a signal of its own making ended it."""
    cause: Cause | None
    """None when it ended by itself, whatever its exit code."""
    message: str
    """One line on why it was killed, or what of the sandbox failed."""
    stdout: str
    stderr: str
    """The first 64 KiB and the last 16 KiB of what was printed, as is ``stdout``."""
    files: tuple[Collected, ...]
    """In the order asked for."""
    seconds: float
    """From its first own instruction to the end of its last process."""
    cpu_seconds: float
    memory_mb: float
    """Peak of the whole tree, without what a warm parent had imported before."""
    processes: int
    """Most at one time."""


class LiveJob(Protocol):
    """A job that serves. It is ended at the latest when the ``with`` block is left."""

    @property
    def ended(self) -> bool:
        """Whether the job has ended by itself, or was ended; told without waiting."""

    def connect(self, port: int, *, timeout: float) -> socket.socket:
        """Return a connection to that port on the inside's 127.0.0.1.

        :raises ConnectionRefusedError: nobody listens, yet or any more
        :raises TimeoutError: no answer within that many seconds
        """

    def finish(self) -> Result:
        """End the job where it still runs, and say how it ended. May be asked again."""

    def __enter__(self) -> Self:
        """Return the job."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the job."""


class Sandbox(Protocol):
    """Runs jobs that nobody vouches for. All methods may be called from several threads at once."""

    @property
    def level(self) -> str:
        """How jobs are held: ``warm``, ``cold`` or ``none``."""

    def new_folder(self, name: str) -> Path:
        """Return a fresh folder that jobs can be given mounts from; gone when the sandbox closes.

        No other user of the machine can look into it. A job that mounts it can learn its name.
        """

    def run(self, job: Job) -> Result:
        """Run a job to its end.

        :raises SandboxError: the job asks for what no job may have, such as a foreign folder
        """

    def open(self, job: Job) -> LiveJob:
        """Start a job that serves.

        :raises SandboxError: as :meth:`run`
        """

    def close(self) -> None:
        """End all jobs and remove all folders."""

    def __enter__(self) -> Self:
        """Return the sandbox."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the sandbox."""
