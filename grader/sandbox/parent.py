"""The host's side of a parent of jobs: one bubblewrap, and the Python inside it that forks."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from grader.errors import SandboxError
from grader.model import Environment
from grader.sandbox.hints import remedy_for
from grader.sandbox.inside import files, wire
from grader.sandbox.inside.orders import Order, Setting
from grader.sandbox.quarters import SHOWN, Quarters
from grader.sandbox.running import Running

NAMESPACES = (
    "--unshare-user",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)
"""What the parent does not share with the host. Each job gets all of them once more."""

VARIABLES = {
    "HOME": files.WORK,
    "USER": "job",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 - the job's own
    "TZ": "UTC",
    # The same input gives the same score.
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    # Forked from one process: none of it may hold threads, and limits on memory need small arenas.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MALLOC_ARENA_MAX": "2",
}
"""The variables of every job, whatever those of the host are."""

_START = "import sys; sys.path[0] = sys.argv[2]; from inside import parent; parent.main()"
_FIRST_WORD_SECONDS = 20.0
_READY_SECONDS = 120.0
_LEAVE_SECONDS = 5.0


class Parent:
    """A process inside bubblewrap that runs a job for each order.

    :param preload: modules that it imports before the first job
    :raises SandboxError: this machine does not let it start; the remedy says what to change
    """

    def __init__(
        self, environment: Environment, quarters: Quarters, preload: tuple[str, ...]
    ) -> None:
        self.threads = 0
        self.landlock = 0
        self._ready = False
        self._lock = Lock()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the parent
        self._channel, far_end = wire.pair()
        with far_end:
            self._process = _start(environment, quarters, far_end, self._said.fileno())
        try:
            self._expect("start", _FIRST_WORD_SECONDS)
            readable = tuple(str(binding.inside) for binding in environment.readable)
            wire.send(self._channel, asdict(Setting(preload=preload, readable=readable)))
        except BaseException:
            self.close()
            raise

    def order(self, order: Order) -> Running:
        """Have a job started; the first one waits for the imports.

        :raises SandboxError: the parent is gone
        """
        self.wait()
        return Running(order, self._channel)

    def wait(self) -> None:
        """Wait for the imports.

        :raises SandboxError: the parent ended instead
        """
        with self._lock:
            if not self._ready:
                message = self._expect("become ready", _READY_SECONDS)
                self.threads = message["threads"]
                self.landlock = message["landlock"]
                self._ready = True

    def close(self) -> None:
        """End the process and, with it, every job it still runs."""
        self._channel.close()
        try:
            self._process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _expect(self, what: str, seconds: float) -> dict[str, int]:
        self._channel.settimeout(seconds)
        try:
            message, _ = wire.receive(self._channel)
        except TimeoutError:
            message = None
        self._channel.settimeout(None)
        if message is None:
            raise self._failure(what)
        return message

    def _failure(self, what: str) -> SandboxError:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        return SandboxError(
            "sandbox-cannot-hold",
            f"The sandbox cannot {what} on this machine: {last}.",
            remedy=remedy_for(last),
        )


def command(environment: Environment, quarters: Quarters, channel: int) -> list[str]:
    """Return the command line of bubblewrap and of the Python inside it."""
    options = [*NAMESPACES, "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
    options += ["--as-pid-1", "--new-session", "--hostname", "drydock", "--clearenv"]
    variables = VARIABLES | {"PATH": str(environment.python.parent)}
    for name, value in variables.items():
        options += ["--setenv", name, value]
    for device in files.DEVICES:
        options += ["--dev-bind", device, device]
    # For what imports leave behind; jobs have one of their own in its place.
    options += ["--tmpfs", "/tmp"]  # noqa: S108 - the parent's own
    for binding in environment.readable:
        options += ["--ro-bind", str(binding.host), str(binding.inside)]
    options += ["--ro-bind", str(quarters.etc), "/etc"]
    options += ["--ro-bind", str(quarters.shown), str(SHOWN)]
    options += ["--proc", "/proc", "--dir", files.ROOT, "--dir", files.SCRATCH]
    options += ["--remount-ro", "/", "--chdir", "/"]
    code = SHOWN / "code"
    python = [str(environment.python), "-c", _START, str(channel), str(code)]
    return [str(quarters.bwrap), *options, "--", *python]


def _start(
    environment: Environment, quarters: Quarters, channel: socket.socket, said: int
) -> subprocess.Popen[bytes]:
    user = quarters.user
    try:
        return subprocess.Popen(  # noqa: S603 - our own command, no shell
            command(environment, quarters, channel.fileno()),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            pass_fds=[channel.fileno()],
            # bubblewrap keeps the variables it was started with where jobs might look.
            env={},
            cwd=Path("/"),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            umask=0o022,
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxError(
            "sandbox-cannot-hold",
            f"bubblewrap cannot be started: {error.strerror}.",
            remedy=remedy_for(str(error)),
        ) from error
