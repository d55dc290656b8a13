"""Python programs for the shell, forked from a process that has imported what takes long.

``python`` in a step is a small client, which hands its arguments, folder, variables and streams
to this process, and ends as the fork of it ended.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CLIENT = """\
import array, json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect({socket!r})
request = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
link.sendmsg([len(request).to_bytes(4, "big")], streams)
link.sendall(request)
code = link.recv(4)
os._exit(int.from_bytes(code, "big") if len(code) == 4 else 1)
"""
LOOK_EVERY = 0.01
_MOST = 1 << 22


class Warm:
    """A server of forks.

    :param home: a folder for the socket and the client
    :param answer: what a fork does with its arguments; it never comes back from that
    """

    def __init__(self, home: Path, answer: Callable[[list[str]], None]) -> None:
        self.client = home / "client.py"
        self.client.write_text(CLIENT.format(socket=str(home / "socket")))
        self._answer = answer
        self._waiting: dict[int, socket.socket] = {}
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(home / "socket"))
        self._socket.listen(8)
        self._socket.settimeout(LOOK_EVERY)

    def serve(self, process: subprocess.Popen[str]) -> int:
        """Answer until a process has ended; return how it did."""
        while process.poll() is None:
            with suppress(TimeoutError, OSError, ValueError):
                self._take(self._socket.accept()[0])
            self._reap()
        return process.returncode

    def _take(self, link: socket.socket) -> None:
        link.settimeout(5)
        head, streams, _, _ = socket.recv_fds(link, 4, 3)
        size = int.from_bytes(head, "big")
        request = b""
        while len(request) < size <= _MOST and (part := link.recv(size - len(request))):
            request += part
        arguments, folder, variables = json.loads(request)
        pid = os.fork()
        if pid == 0:
            self._become(arguments, folder, variables, streams)
        for stream in streams:
            os.close(stream)
        self._waiting[pid] = link

    def _become(
        self, arguments: list[str], folder: str, variables: dict[str, str], streams: list[int]
    ) -> None:
        """Turn this fork into the program that was asked for."""
        for place, stream in enumerate(streams):
            os.dup2(stream, place)
        self._socket.close()
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        paths = variables.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [path for path in paths if path and path not in sys.path]
        try:
            self._answer(arguments)
        except SystemExit:
            raise
        except BaseException:  # noqa: BLE001 - the end of a program, told as Python tells it
            traceback.print_exc()
            sys.exit(1)
        sys.exit(0)

    def _reap(self) -> None:
        for pid in list(self._waiting):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                link = self._waiting.pop(pid)
                with suppress(OSError):
                    link.sendall((code if code >= 0 else 128 - code).to_bytes(4, "big"))
                link.close()

    def end(self) -> None:
        """Wait a moment for those that a step left running, and forget them."""
        until = time.monotonic() + 1
        while self._waiting and time.monotonic() < until:
            self._reap()
            time.sleep(LOOK_EVERY)


def run_module(module: str, arguments: list[str]) -> None:
    """Run a module as ``python -m`` would."""
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def run_file(path: str, arguments: list[str]) -> None:
    """Run a script as ``python script.py`` would."""
    sys.argv = [path, *arguments]
    sys.path.insert(0, str(Path(path).resolve().parent))
    runpy.run_path(path, run_name="__main__")
