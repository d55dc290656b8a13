"""Jobs as plain processes of this user: limits, and no walls. Typed for, never fallen back to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from grader.errors import SandboxError
from grader.model import Binding, Cause, Environment
from grader.sandbox.inside import files
from grader.sandbox.isolated import variables
from grader.sandbox.jobs import Collected, Job, Result
from grader.sandbox.quarters import INSIDE
from grader.sandbox.running import Printed
from grader.scratch import Scratch

_START = "import sys; sys.path[0] = sys.argv.pop(1); from inside import unwalled; unwalled.main()"
_LOOK_EVERY = 0.01
_READ = 64 << 10
_ADDRESS_SPACE_FOR_LIBRARIES = 4 << 30


class BareSandbox:
    """A sandbox in name: what a job can do, this user can do.

    Inside paths are host paths here. Those in a job's arguments, variables and paths are put in
    place of the inside ones wherever a word begins with one.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._scratch = Scratch()

    @property
    def level(self) -> str:
        """``none``."""
        return "none"

    def new_folder(self, name: str) -> Path:
        """Return a fresh folder to give to jobs."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._scratch.folder))

    def run(self, job: Job) -> Result:
        """Run a job to its end."""
        return self.open(job).wait()

    def open(self, job: Job) -> BareJob:
        """Start a job that serves."""
        work = self.new_folder("work")
        return BareJob(job, self._environment, work)

    def close(self) -> None:
        """Remove all folders."""
        self._scratch.close()

    def __enter__(self) -> Self:
        """Return the sandbox itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


class BareJob:
    """A plain process with limits; a :class:`~grader.sandbox.jobs.LiveJob`."""

    def __init__(self, job: Job, environment: Environment, work: Path) -> None:
        self._job = job
        self._work = work
        self._began = time.monotonic()
        self._stopped = ""
        self._result: Result | None = None
        self._streams = (tempfile.TemporaryFile(), tempfile.TemporaryFile())  # noqa: SIM115
        self._process = _start(job, environment, work, self._streams)

    def wait(self) -> Result:
        """Return how the job ended, when it has."""
        while self._result is None:
            pid, status, used = os.wait4(self._process.pid, os.WNOHANG)
            if pid:
                self._kill()  # what it left behind
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self._result = self._conclude(used.ru_utime + used.ru_stime, used.ru_maxrss)
            elif time.monotonic() - self._began > self._job.limits.wall_seconds:
                self._stopped = self._stopped or "wall"
                self._kill()
            time.sleep(_LOOK_EVERY)
        return self._result

    @property
    def ended(self) -> bool:
        """Whether it has ended; told without waiting, and without taking its figures."""
        state = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return state is not None

    def connect(self, port: int, *, timeout: float) -> socket.socket:
        """Return a connection to that port of this machine's loopback."""
        return socket.create_connection(("127.0.0.1", port), timeout)

    def finish(self) -> Result:
        """End the job where it still runs and return its result."""
        if self._result is None:
            self._stopped = self._stopped or "asked"
            self._kill()
        return self.wait()

    def __enter__(self) -> Self:
        """Return the job itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the job."""
        self.finish()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _conclude(self, cpu_seconds: float, peak_kb: int) -> Result:
        stdout, stderr = (_text(stream) for stream in self._streams)
        code = self._process.returncode
        cause, message = None, ""
        if self._stopped == "wall":
            cause = Cause.TIMEOUT
            message = f"It ran longer than {self._job.limits.wall_seconds:g} s."
        elif code == -signal.SIGXCPU:
            cause = Cause.TIMEOUT
            message = f"It used more than {self._job.limits.cpu_seconds} s of processor time."
        return Result(
            exit_code=None if cause or self._stopped else code,
            cause=cause,
            message=message,
            stdout=stdout,
            stderr=stderr,
            files=tuple(self._collect(name) for name in self._job.collect),
            seconds=time.monotonic() - self._began,
            cpu_seconds=cpu_seconds,
            memory_mb=peak_kb / 1024,
            processes=1,
        )

    def _collect(self, name: str) -> Collected:
        largest = self._job.limits.output_mb << 20
        handle, problem = files.open_output(str(self._work), name, largest)
        if handle is None:
            return Collected(name=name, content=None, problem=problem)
        with open(handle, "rb") as stream:  # noqa: PTH123 - a descriptor
            return Collected(name=name, content=stream.read(largest), problem=None)


def _start(
    job: Job, environment: Environment, work: Path, streams: tuple[IO[bytes], IO[bytes]]
) -> subprocess.Popen[bytes]:
    seen = (*job.mounts, Binding(host=work, inside=Path(files.WORK)))
    given = variables(environment, job)
    order = {
        "module": job.module,
        "arguments": [_on_host(word, seen) for word in job.arguments],
        "python_path": [_on_host(path, seen) for path in job.python_path],
        "copy_to_work": job.copy_to_work and _on_host(job.copy_to_work, seen),
        "work": str(work),
        "limits": _limits(job),
    }
    try:
        return subprocess.Popen(  # noqa: S603 - what the user asked for by name
            [str(environment.python), "-c", _START, str(INSIDE.parent), json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=streams[0],
            stderr=streams[1],
            env=_variables_on_host(given, seen),
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError("sandbox-lost", f"No job can be started: {error.strerror}.") from error


def _variables_on_host(given: Mapping[str, str], seen: tuple[Binding, ...]) -> dict[str, str]:
    return {
        name: ":".join(_on_host(part, seen) for part in value.split(":"))
        for name, value in given.items()
    }


def _on_host(word: str, seen: tuple[Binding, ...]) -> str:
    for binding in seen:
        inside = str(binding.inside)
        if word == inside or word.startswith(f"{inside}/"):
            return str(binding.host) + word[len(inside) :]
    return word


def _limits(job: Job) -> dict[str, tuple[int, int]]:
    """Return (soft, hard) by name. Past the soft one on time comes a signal that says so."""
    limits = job.limits
    memory = (limits.memory_mb << 20) + _ADDRESS_SPACE_FOR_LIBRARIES
    disk = limits.disk_mb << 20
    return {
        "RLIMIT_AS": (memory, memory),
        "RLIMIT_CPU": (limits.cpu_seconds, limits.cpu_seconds + 1),
        "RLIMIT_FSIZE": (disk, disk),
        "RLIMIT_CORE": (0, 0),
    }


def _text(stream: IO[bytes]) -> str:
    printed = Printed()
    stream.seek(0)
    while data := stream.read(_READ):
        printed.add(data)
    stream.close()
    return printed.text()
