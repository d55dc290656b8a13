"""A job's own process: lets go of every right, then becomes the submitted program."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from typing import NoReturn

from . import MODULES, files, kernel, landlock, program, seccomp
from .orders import Order

NOBODY = 65534
STARTED = b"+"
"""Written to the start pipe when the next instruction is the submission's."""

_ADDRESS_SPACE_FOR_LIBRARIES = 2 << 30
"""Maps of files and reserved arenas that are never touched. What is touched, the watch counts."""
_OPEN_FILES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipes:
    """The ends that a job's process holds."""

    stdout: int
    stderr: int
    start: int
    """Takes :data:`STARTED`, or what went wrong before it."""


def run(order: Order, pipes: Pipes, system_calls: bytes) -> NoReturn:
    """Confine this process and run the order in it."""
    os.setsid()
    kernel.allow_inspection()
    start = _connect_streams(pipes)
    kernel.unshare(kernel.NEW_USER)
    kernel.map_user(NOBODY, NOBODY)
    _limit(order)
    kernel.drop_capabilities()
    landlock.restrict(writable=files.WRITABLE, devices=files.DEVICES)
    seccomp.load(system_calls, seccomp.machine())
    os.chdir(files.WORK)
    os.umask(0o022)
    os.environ.clear()
    os.environ.update(order.environment)
    os.write(start, STARTED)
    os.close(start)
    _copy(order.copy_to_work)
    _forget_machinery()
    program.become(order.module, order.arguments, (files.WORK, *order.python_path))


def _connect_streams(pipes: Pipes) -> int:
    """Keep three streams and the start pipe, close all else. Returns the start pipe's new place."""
    nothing = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    for descriptor, place in ((nothing, 0), (pipes.stdout, 1), (pipes.stderr, 2)):
        os.dup2(descriptor, place)
    kernel.close_descriptors(keep=[pipes.start])
    return pipes.start


def _forget_machinery() -> None:
    for name in (*(f"{__package__}.{module}" for module in MODULES), __package__):
        sys.modules.pop(name, None)


def _copy(source: str | None) -> None:
    if source is None:
        return
    try:
        files.copy_tree(source, files.WORK)
    except OSError as error:  # most likely larger than the disk that the order grants
        os.write(2, f"the files to work on cannot be copied: {error}\n".encode())
        os._exit(1)


def _limit(order: Order) -> None:
    memory = (order.memory_mb << 20) + _ADDRESS_SPACE_FOR_LIBRARIES + _address_space()
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, order.disk_mb << 20),
        (resource.RLIMIT_NPROC, order.processes),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, _OPEN_FILES),
    ):
        resource.setrlimit(what, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (order.cpu_seconds, order.cpu_seconds + 1))


def _address_space() -> int:
    """Return the bytes of address space that this process already has from its parent."""
    with open("/proc/self/statm", encoding="ascii") as handle:  # noqa: PTH123 - /proc
        return int(handle.read().split()[0]) * resource.getpagesize()
