"""What a job's processes use, read from the ``/proc`` that shows them alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REAPER = 1
"""The job's process 1 is ours: it waits for the others and holds nothing."""

_TICKS = os.sysconf("SC_CLK_TCK")
_WAITED, _NANO = 1, 1e9
_UTIME, _CSTIME = 11, 15
"""Where the four times stand in ``/proc/N/stat`` after the command's closing bracket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One look at a job."""

    memory: int = 0
    """Bytes of anonymous and shared memory."""
    cpu: float = 0.0
    """Seconds of processor time of all processes, past ones included where somebody waited."""
    processes: int = 0


def look(inherited: int, enough: int) -> Usage:
    """Look at all processes of a job.

    :param inherited: bytes that each process has from the parent it was forked from
    :param enough: bytes from which the slow, exact count is worth its time: pages that processes
        share count once there, and once for each process below
    """
    members = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    jobs_own = [pid for pid in members if pid != REAPER]
    memory = sum(max(0, resident(pid) - inherited) for pid in jobs_own)
    if memory > enough:
        # Their part of the parent's pages, which is at most all of them, is not the job's.
        memory = max(0, sum(_share(pid) for pid in jobs_own) - inherited)
    return Usage(
        memory=memory, cpu=sum(_processor_time(pid) for pid in members), processes=len(jobs_own)
    )


def waits() -> dict[int, float]:
    """Return how long each task of a job has stood ready without getting a processor, in seconds.

    By task, from its start; empty on a kernel that does not tell (``/proc/N/schedstat``, second
    field: https://docs.kernel.org/scheduler/sched-stats.html).
    """
    found = {}
    for process in Path("/proc").iterdir():
        for task in _tasks(process) if process.name.isdigit() else ():
            fields = _read(f"{task}/schedstat").split()
            if len(fields) > _WAITED:
                found[int(task.name)] = int(fields[_WAITED]) / _NANO
    return found


def _tasks(process: Path) -> list[Path]:
    """Return the tasks of a process; none when it has ended meanwhile."""
    try:
        return list((process / "task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return []


def resident(pid: int | str) -> int:
    """Return the bytes of anonymous and shared memory that a process holds; 0 when it is gone."""
    return _sum_of(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:"))


def _share(pid: int) -> int:
    return _sum_of(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))


def _sum_of(path: str, names: tuple[str, ...]) -> int:
    lines = _read(path).splitlines()
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(names))


def _processor_time(pid: int) -> float:
    text = _read(f"/proc/{pid}/stat")
    if not text:
        return 0.0
    fields = text[text.rindex(")") + 2 :].split()
    return sum(int(field) for field in fields[_UTIME:_CSTIME]) / _TICKS


def _read(path: str) -> str:
    """Return a file's text; empty when its process has ended meanwhile."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
