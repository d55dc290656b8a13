"""The host's side of one running job."""

from __future__ import annotations

import errno
import os
import queue
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from grader.errors import SandboxError
from grader.model import Cause
from grader.sandbox.inside import wire
from grader.sandbox.inside.orders import LONGEST, Ending, Order
from grader.sandbox.jobs import Collected, Result

PRINT_LIMIT = 4 << 20
"""Bytes that a job may print to either stream before it is ended."""

_HEAD, _TAIL = 64 << 10, 16 << 10
_READ = 64 << 10
_GRACE_SECONDS = 15.0
"""How much later than the job's own limit the outside gives up on its supervisor."""
_DRAIN_SECONDS = 5.0


class Printed:
    """What a job prints to one stream: all of it counted, its beginning and end kept."""

    def __init__(self) -> None:
        self.size = 0
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_size = 0

    def add(self, data: bytes) -> None:
        """Take what was read."""
        self.size += len(data)
        room = _HEAD - len(self._head)
        self._head += data[:room]
        if rest := data[room:]:
            self._tail.append(rest)
            self._tail_size += len(rest)
        while self._tail and self._tail_size - len(self._tail[0]) >= _TAIL:
            self._tail_size -= len(self._tail.popleft())

    def text(self) -> str:
        """Return what was kept, saying where something was left out."""
        tail = b"".join(self._tail)[-_TAIL:]
        left_out = self.size - len(self._head) - len(tail)
        gap = f"\n[... {left_out} bytes left out ...]\n".encode() if left_out else b""
        return (bytes(self._head) + gap + tail).decode("utf-8", errors="replace")


class Running:
    """A job that a supervisor inside is watching; a :class:`~grader.sandbox.jobs.LiveJob`.

    :param parent: the channel that takes orders
    :raises SandboxError: the parent is gone
    """

    def __init__(self, order: Order, parent: socket.socket) -> None:
        self._order = order
        self._printed: dict[str, Printed] = {}
        self._outputs: dict[str, Collected] = {}
        self._ending: Ending | None = None
        self._broken = ""
        self._ended_for = ""
        self._replies: queue.SimpleQueue[socket.socket | None] = queue.SimpleQueue()
        self._asking = Lock()
        self._selector = selectors.DefaultSelector()
        self._thread: Thread | None = None
        self._then: Callable[[], None] | None = None
        self._result: Result | None = None
        self._channel, far_end = wire.pair()
        with far_end:
            self._send(parent, far_end)
        self._selector.register(self._channel, selectors.EVENT_READ)

    def _send(self, parent: socket.socket, far_end: socket.socket) -> None:
        writers = []
        for name in ("stdout", "stderr"):
            reader, writer = os.pipe()
            writers.append(writer)
            self._printed[name] = Printed()
            self._selector.register(reader, selectors.EVENT_READ, name)
        try:
            wire.send(parent, asdict(self._order), [*writers, far_end.fileno()])
        except (OSError, ValueError) as error:
            self._release()
            raise SandboxError(
                "sandbox-lost", f"The sandbox takes no order: {error}.", remedy="Grade again."
            ) from error
        finally:
            for writer in writers:
                os.close(writer)

    # ------------------------------------------------------------------------ what callers do

    def wait(self) -> Result:
        """Return how the job ended, when it has."""
        if self._result is None:
            self._follow()
            self._result = self._conclude()
        return self._result

    def follow_in_background(self, then: Callable[[], None]) -> None:
        """Read what the job says in a thread of its own, and call back when it has ended."""
        self._then = then
        self._thread = Thread(target=self._background, name="drydock-job", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it has ended; told without waiting, as ``LiveJob`` promises."""
        return self._result is not None

    def connect(self, port: int, *, timeout: float) -> socket.socket:
        """Return a connection to a port of the job's loopback, as ``LiveJob`` promises."""
        refused = ConnectionRefusedError(errno.ECONNREFUSED, f"nobody serves port {port}")
        with self._asking:
            while not self._replies.empty():
                if (late := self._replies.get()) is not None:
                    late.close()
            if self._result is not None:
                raise refused
            try:
                wire.send(self._channel, {"do": "connect", "port": port})
                link = self._replies.get(timeout=timeout)
            except queue.Empty as error:
                raise TimeoutError(f"no answer from port {port}") from error
            except OSError as error:
                raise refused from error
        if link is None:
            raise refused
        link.settimeout(timeout)
        return link

    def finish(self) -> Result:
        """End the job where it still runs and return its result."""
        self._end_for("asked")
        if self._thread is not None:
            self._thread.join()
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

    # ----------------------------------------------------------------- what the job's side says

    def _background(self) -> None:
        self.wait()
        self._replies.put(None)
        if self._then is not None:
            self._then()

    def _follow(self) -> None:
        """Read until the supervisor has said its last word and both streams are closed."""
        give_up = time.monotonic() + self._order.wall_seconds * 2 * LONGEST + _GRACE_SECONDS
        while self._selector.get_map():
            if time.monotonic() > give_up:
                if self._ending is None:
                    self._broken = "the supervisor gave no answer"
                break
            if not self._hear_and_read():
                self._selector.unregister(self._channel)
                give_up = min(give_up, time.monotonic() + _DRAIN_SECONDS)
        self._release()

    def _hear_and_read(self) -> bool:
        """Take what has come on any stream; whether the supervisor may have more to say."""
        more = True
        for key, _ in self._selector.select(timeout=1.0):
            if key.fileobj is self._channel:
                more = self._hear()
            else:
                self._read(key.fd, key.data)
        return more

    def _hear(self) -> bool:
        """Take one message; False after the last."""
        message, descriptors = wire.receive(self._channel)
        if message is None:
            self._broken = "the supervisor ended without a word"
            return False
        told = message["told"]
        if told == "output":
            self._keep(message, descriptors)
        elif told == "end":
            self._ending = Ending(**message["ending"])
            return False
        else:
            link = socket.socket(fileno=descriptors[0]) if told == "connected" else None
            self._replies.put(link)
        return True

    def _keep(self, message: dict[str, Any], descriptors: list[int]) -> None:
        content, problem = None, message["problem"] or None
        if descriptors:
            with open(descriptors[0], "rb") as handle:  # noqa: PTH123 - a descriptor
                content = handle.read(self._order.output_mb << 20)
        name = message["name"]
        self._outputs[name] = Collected(name=name, content=content, problem=problem)

    def _read(self, descriptor: int, name: str) -> None:
        data = os.read(descriptor, _READ)
        if not data:
            self._selector.unregister(descriptor)
            os.close(descriptor)
            return
        printed = self._printed[name]
        printed.add(data)
        if printed.size > PRINT_LIMIT:
            self._end_for("output")
            # Whatever still comes is not wanted; a closed pipe ends the writer's wait for room.
            self._selector.unregister(descriptor)
            os.close(descriptor)

    def _end_for(self, reason: str) -> None:
        self._ended_for = self._ended_for or reason
        with suppress(OSError):  # the job has ended by itself meanwhile
            wire.send(self._channel, {"do": "kill"})

    def _release(self) -> None:
        for key in list((self._selector.get_map() or {}).values()):
            self._selector.unregister(key.fileobj)
            if key.fileobj is not self._channel:
                os.close(key.fd)
        self._selector.close()
        self._channel.close()

    # --------------------------------------------------------------------------- the conclusion

    def _conclude(self) -> Result:
        ending = self._ending or Ending(
            status=None,
            killed="",
            broken=self._broken,
            started=0.0,
            seconds=0.0,
            cpu_seconds=0.0,
            memory_mb=0.0,
            processes=0,
        )
        cause, message = judge(ending, self._order, self._ended_for)
        code = None if ending.status is None else os.waitstatus_to_exitcode(ending.status)
        missing = "not collected"
        return Result(
            exit_code=None if cause is not None else code,
            cause=cause,
            message=message,
            stdout=self._printed["stdout"].text(),
            stderr=self._printed["stderr"].text(),
            files=tuple(
                self._outputs.get(name, Collected(name=name, content=None, problem=missing))
                for name in self._order.collect
            ),
            seconds=ending.seconds,
            cpu_seconds=ending.cpu_seconds,
            memory_mb=ending.memory_mb,
            processes=ending.processes,
        )


def judge(ending: Ending, order: Order, ended_for: str) -> tuple[Cause | None, str]:
    """Return why a job was killed, with one line for people; (None, "") when it was not.

    :param ended_for: why the host asked for its end: ``output``, ``asked`` or nothing
    """
    if ending.broken:
        return Cause.SANDBOX, f"The sandbox failed: {ending.broken}."
    if ended_for == "output":
        return Cause.OUTPUT_LIMIT, f"It printed more than {PRINT_LIMIT >> 20} MB."
    killed = "cpu" if _out_of_processor_time(ending, order) else ending.killed
    return {
        "memory": (Cause.MEMORY, f"It used more than {order.memory_mb} MB of memory."),
        "wall": (Cause.TIMEOUT, f"It ran longer than {order.wall_seconds:g} s."),
        "cpu": (Cause.TIMEOUT, f"It used more than {order.cpu_seconds} s of processor time."),
        "asked": (None, "It was ended when it was no longer needed."),
        "": (None, ""),
    }[killed]


def _out_of_processor_time(ending: Ending, order: Order) -> bool:
    if ending.status is None or not os.WIFSIGNALED(ending.status):
        return False
    by = os.WTERMSIG(ending.status)
    return by == signal.SIGXCPU or (
        by == signal.SIGKILL and ending.cpu_seconds >= order.cpu_seconds
    )
