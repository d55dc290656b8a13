"""Running a module in this very process, as ``python -m`` would run it in its own."""

from __future__ import annotations

import atexit
import os
import random
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import NoReturn

WRITE_FAILED = 120
"""Python's own exit status when what was printed could not be written at the end."""


def become(module: str, arguments: Sequence[str], python_path: Sequence[str]) -> NoReturn:
    """Run the module as the main program, then end the process with its exit status."""
    _start_afresh(module, arguments, python_path)
    status = _run(module)
    status = _finish(status)
    os._exit(status)


def _start_afresh(module: str, arguments: Sequence[str], python_path: Sequence[str]) -> None:
    """Make this process look newly started."""
    sys.argv = [module, *arguments]
    sys.path[:0] = python_path
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(  # noqa: SIM115 - a descriptor, open to the end
        1, "w", encoding="utf-8", buffering=1, closefd=False
    )
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", buffering=1, errors="backslashreplace", closefd=False
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        # Drawn before the fork, it would make every unseeded program look reproducible.
        numpy_random.seed()


def _run(module: str) -> int:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as request:
        return _status(request.code)
    except BaseException as error:  # noqa: BLE001 - the program's end, as Python itself takes it
        traceback.print_exception(error.with_traceback(_own_part(error)))
        return 1
    return 0


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)  # noqa: T201 - what Python does with it
    return 1


def _own_part(error: BaseException) -> TracebackType | None:
    own = error.__traceback__
    return own.tb_next if own is not None else None


def _finish(status: int) -> int:
    """Do what the interpreter does last: wait for threads, run exit handlers, write all out."""
    # Both are what multiprocessing, too, calls at the end of a forked process.
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            status = WRITE_FAILED
    return status
