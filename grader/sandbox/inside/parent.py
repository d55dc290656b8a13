"""One process per environment: imports what is slow to import, then forks a job on each order.

It holds nothing a job could want: no variable, no file but those of the environment, no network.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import os
import signal
import socket
import sys
import time
from pathlib import Path

from . import kernel, landlock, seccomp, supervisor, usage, wire
from .orders import Order, Setting

_FONT_FOLDER = "MPLCONFIGDIR"


def main() -> None:
    """Serve orders from the channel named on the command line until its other end is gone."""
    kernel.die_with_parent()
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_IGN)  # children are forgotten as they end
    channel = socket.socket(fileno=int(sys.argv[1]))
    wire.send(channel, {"told": "alive"})
    message, _ = wire.receive(channel)
    if message is None:
        return
    setting = Setting(**message)
    began = time.monotonic()
    _preload(setting.preload)
    place = supervisor.Place(
        readable=tuple(setting.readable),
        system_calls=seccomp.program(seccomp.machine()),
        inherited=usage.resident("self"),
    )
    ready = {
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "landlock": landlock.version(),
        "seconds": time.monotonic() - began,
    }
    wire.send(channel, ready)
    while _serve(channel, place):
        pass


def _preload(modules: tuple[str, ...]) -> None:
    # Matplotlib keeps its list of fonts in a file, and insists on a folder for it.
    os.environ[_FONT_FOLDER] = "/tmp"  # noqa: S108 - the parent's own
    for module in modules:
        with contextlib.suppress(ModuleNotFoundError):  # not every environment holds everything
            importlib.import_module(module)
    del os.environ[_FONT_FOLDER]
    _excuse_plugins_from_rewriting()
    del sys.path[0]  # where this package lies; jobs do not see it
    gc.collect()
    gc.freeze()  # so that a job's collector does not touch, and so copy, what is shared
    kernel.gather_in_large_pages()


def _excuse_plugins_from_rewriting() -> None:
    """Mark what pytest would have liked to import itself, in the way that pytest documents.

    It rewrites the assertions of its plugins as it imports them, and warns of one that was imported
    before: an error wherever a team's settings turn warnings into errors.
    """
    for plugin in importlib.metadata.entry_points(group="pytest11"):
        package = sys.modules.get(plugin.module.partition(".")[0])
        if package is not None:
            package.__doc__ = f"{package.__doc__ or ''}\n\nPYTEST_DONT_REWRITE"


def _serve(channel: socket.socket, place: supervisor.Place) -> bool:
    message, descriptors = wire.receive(channel)
    if message is None:
        return False
    if os.fork() == 0:
        for number in (signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        channel.close()
        stdout, stderr, control = descriptors
        order = Order(**message)
        supervisor.supervise(order, place, socket.socket(fileno=control), stdout, stderr)
    for descriptor in descriptors:
        os.close(descriptor)
    return True
