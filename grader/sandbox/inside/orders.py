"""What the outside orders and what it is told: the content of the messages."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 5.0
"""How many times its wall limit a job may last in all, where others had the processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all jobs of one parent share."""

    preload: tuple[str, ...]
    """Modules imported once, before any job."""
    readable: tuple[str, ...]
    """Paths of the environment, as parent and job alike see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One job, in the words of the inside."""

    module: str
    arguments: tuple[str, ...]
    python_path: tuple[str, ...]
    environment: dict[str, str]
    mounts: tuple[tuple[str, str], ...]
    """(path that the parent sees, path that the job sees)."""
    copy_to_work: str | None
    collect: tuple[str, ...]
    wall_seconds: float
    cpu_seconds: int
    memory_mb: int
    disk_mb: int
    output_mb: int
    processes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended, as its supervisor saw it."""

    status: int | None
    """What ``os.wait`` gave for the job's own process; None where it had to be killed."""
    killed: str
    """Why the supervisor killed it: ``wall``, ``cpu``, ``memory``, ``asked``, or empty."""
    broken: str
    """What of the sandbox failed; empty when it held."""
    started: float
    """Seconds from the order to the job's first own instruction."""
    seconds: float
    cpu_seconds: float
    memory_mb: float
    processes: int
