"""The trusted process beside each job: gives it its place, watches it, reads out what it wrote.

It stands outside the job's process and user namespaces, where the job can neither see nor signal
it, and inside its mount and network namespaces, where it can open the job's files and sockets.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import time
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from . import child, files, kernel, seccomp, usage, wire
from .orders import LONGEST, Ending, Order

LOOK_EVERY = 0.05
"""Seconds between two looks at what a job uses."""

_STATUS = struct.Struct("i")
_CONNECT_MILLISECONDS = 20
"""On loopback a connection stands at once or not at all; a full queue must not blind the watch."""
_LARGEST_COMPLAINT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a supervisor has from the parent it was forked from."""

    readable: tuple[str, ...]
    system_calls: bytes
    inherited: int
    """Bytes of memory that every process starts with."""


def supervise(
    order: Order, place: Place, channel: socket.socket, stdout: int, stderr: int
) -> NoReturn:
    """Run one job from its order to its ending, tell the outside, and end this process."""
    watch = _Watch(order, place, channel)
    try:
        watch.start(stdout, stderr)
        watch.follow()
    except OSError as error:
        watch.broken = str(error)
    watch.stop()
    watch.tell()
    os._exit(0)


class _Watch:
    """One job under supervision."""

    def __init__(self, order: Order, place: Place, channel: socket.socket) -> None:
        self.order = order
        self.place = place
        self.channel = channel
        self.began = time.monotonic()
        self.started = 0.0
        self.ended = 0.0
        self.reaper = 0
        self.status: int | None = None
        self.killed = ""
        self.broken = ""
        self.cpu = 0.0
        self.starved = Starved()
        self.memory = 0
        self.processes = 0

    # ---------------------------------------------------------------------------- the start

    def start(self, stdout: int, stderr: int) -> None:
        """Fork the job into namespaces of its own."""
        kernel.die_with_parent()
        kernel.forbid_inspection()
        kernel.unshare(
            kernel.NEW_PROCESSES
            | kernel.NEW_MOUNTS
            | kernel.NEW_NETWORK
            | kernel.NEW_IPC
            | kernel.NEW_HOSTNAME
            | kernel.NEW_CGROUP
        )
        kernel.raise_loopback()
        socket.sethostname("drydock")
        files.lay_out(self.place.readable, self.order.mounts, self.order.disk_mb)
        self.start_pipe, start = os.pipe()
        self.status_pipe, status = os.pipe()
        self.reaper = os.fork()
        if not self.reaper:
            pipes = child.Pipes(stdout=stdout, stderr=stderr, start=start)
            _reap(self.order, pipes, status, self.place.system_calls)
        for descriptor in (start, status, stdout, stderr):
            os.close(descriptor)

    # ---------------------------------------------------------------------------- the watch

    def follow(self) -> None:
        """Wait until the job ends, or has to be ended."""
        poll = select.poll()
        for descriptor in (self.start_pipe, self.status_pipe, self.channel.fileno()):
            poll.register(descriptor, select.POLLIN)
        while self.status is None and not self.killed and not self.broken:
            ready = [descriptor for descriptor, _ in poll.poll(LOOK_EVERY * 1000)]
            if self.start_pipe in ready:
                self._hear_of_start()
                poll.unregister(self.start_pipe)
            if self.status_pipe in ready:
                self._hear_of_end()
            elif self.channel.fileno() in ready:
                self._obey()
            self._look()

    def _hear_of_start(self) -> None:
        said = os.read(self.start_pipe, _LARGEST_COMPLAINT)
        if said == child.STARTED:
            self.started = time.monotonic() - self.began
        else:
            self.broken = said.decode(errors="replace") or "the job ended before it began"

    def _hear_of_end(self) -> None:
        said = os.read(self.status_pipe, _STATUS.size)
        if len(said) == _STATUS.size:
            (self.status,) = _STATUS.unpack(said)
        else:
            self.broken = self.broken or "the job's process 1 ended before the job"

    def _obey(self) -> None:
        message, _ = wire.receive(self.channel)
        if message is None or message["do"] == "kill":
            self.killed = "asked"
        else:
            self._connect(message["port"])

    def _connect(self, port: int) -> None:
        """Hand out a connection to a port that the job serves."""
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as link:
            link.connect_ex(("127.0.0.1", port))
            poll = select.poll()
            poll.register(link, select.POLLOUT)
            poll.poll(_CONNECT_MILLISECONDS)
            try:
                link.getpeername()
            except OSError:
                wire.send(self.channel, {"told": "refused"})
                return
            wire.send(self.channel, {"told": "connected"}, [link.fileno()])

    def _look(self) -> None:
        if not self.started:
            if time.monotonic() - self.began > self.order.wall_seconds * LONGEST:
                self.broken = "the job could not be started in time"
            return
        most = self.order.memory_mb << 20
        now = usage.look(self.place.inherited, most)
        self.cpu = max(self.cpu, now.cpu)
        self.memory = max(self.memory, now.memory)
        self.processes = max(self.processes, now.processes)
        lasted = time.monotonic() - self.began - self.started
        self.starved.look(usage.waits(), lasted)
        if self.status is not None:
            return
        if now.memory > most:
            self.killed = "memory"
        elif now.cpu > self.order.cpu_seconds:
            self.killed = "cpu"
        elif self.starved.over(lasted, self.order.wall_seconds):
            self.killed = "wall"

    # ------------------------------------------------------------------------------ the end

    def stop(self) -> None:
        """End every process of the job: with its process 1 the kernel ends the whole namespace."""
        if self.reaper:
            os.kill(self.reaper, signal.SIGKILL)
            _, _, used = os.wait4(self.reaper, 0)
            self.cpu = max(self.cpu, used.ru_utime + used.ru_stime)
        self.ended = time.monotonic()

    def tell(self) -> None:
        """Send the outputs and the ending. Nobody of the job is alive to change them."""
        try:
            if not self.broken:
                self._tell_outputs()
            wire.send(self.channel, {"told": "end", "ending": asdict(self._ending())})
        except BrokenPipeError:
            return  # the outside has left: nobody to tell

    def _tell_outputs(self) -> None:
        largest = self.order.output_mb << 20
        for name in self.order.collect:
            handle, problem = files.open_output(files.WORK, name, largest)
            message: dict[str, Any] = {"told": "output", "name": name, "problem": problem}
            wire.send(self.channel, message, [] if handle is None else [handle])
            if handle is not None:
                os.close(handle)

    def _ending(self) -> Ending:
        return Ending(
            status=self.status,
            killed=self.killed,
            broken=self.broken,
            started=self.started,
            seconds=max(0.0, self.ended - self.began - self.started),
            cpu_seconds=self.cpu,
            memory_mb=self.memory / (1 << 20),
            processes=self.processes,
        )


class Starved:
    """How long a job could not go on because others had the processors.

    The wall limit is there for what sleeps. What stands ready and gets no processor does not
    sleep: how busy a machine is must never decide about what works.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waits: dict[int, float] = {}
        self._looked = 0.0

    def look(self, waits: dict[int, float], lasted: float) -> None:
        """Take what each task has waited since its start, at a moment of the job's life.

        Of several tasks the one counts that waited most, and no longer than the time that passed.
        """
        most = max((now - self._waits.get(task, 0.0) for task, now in waits.items()), default=0.0)
        self.seconds += min(max(most, 0.0), lasted - self._looked)
        self._waits, self._looked = waits, lasted

    def over(self, lasted: float, limit: float) -> bool:
        """Say whether a job has lasted too long."""
        return lasted - self.seconds > limit or lasted > limit * LONGEST


def _reap(order: Order, pipes: child.Pipes, status: int, system_calls: bytes) -> NoReturn:
    """Be the job's process 1: start the job, wait for every orphan, say how the job ended."""
    try:
        kernel.die_with_parent()
        files.enter(seccomp.machine())
        job = os.fork()
        if not job:
            child.run(order, pipes, system_calls)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor must hear of it
        _complain(pipes.start, error)
    kernel.close_descriptors(keep=[status])
    while True:
        pid, ending = os.wait()
        if pid == job:
            os.write(status, _STATUS.pack(ending))
            os._exit(0)


def _complain(pipe: int, error: BaseException) -> NoReturn:
    try:
        os.write(pipe, f"{type(error).__name__}: {error}".encode()[:_LARGEST_COMPLAINT])
    finally:
        os._exit(1)
