"""Attempts that a sandbox must defeat, made by a job on itself; standard library alone.

Run twice on the same bait: outside, where each attempt of :data:`OUTSIDE` must succeed, or its
failure inside would show nothing; then inside, where each must fail and each check of
:data:`INSIDE` must hold. Usage: ``python traps.py BAIT ANSWERS``, both JSON files.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

Bait = dict[str, Any]
Trap = Callable[[Bait], None]

_NEW_USER_NAMESPACE = 0x10000000
_IO_URING_SETUP = 425
_STREAMS = ("0", "1", "2")
_MEGABYTE = 1 << 20
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Try all that the bait's ``where`` asks for, and write what became of each."""
    bait = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    answers = {name: _try(trap, bait) for name, trap in OUTSIDE.items()}
    if bait["where"] == "inside":
        answers |= {name: _try(trap, bait) for name, trap in INSIDE.items()}
    Path(sys.argv[2]).write_text(json.dumps(answers), encoding="utf-8")


def _try(trap: Trap, bait: Bait) -> str:
    """Return what stopped a trap; empty when it went through."""
    try:
        trap(bait)
    except Exception as error:  # noqa: BLE001 - any failure at all is the answer
        return f"{type(error).__name__}: {error}"
    return ""


# ----------------------------------------------- must succeed outside and must be stopped inside


def _read_host_file(bait: Bait) -> None:
    Path(bait["secret"]).read_bytes()


def _list_host_folder(bait: Bait) -> None:
    secret = Path(bait["secret"])
    if secret not in secret.parent.iterdir():
        raise LookupError("not in sight")


def _reach_tcp(bait: Bait) -> None:
    socket.create_connection(("127.0.0.1", bait["port"]), 1).close()


def _reach_abstract_socket(bait: Bait) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect("\0" + bait["abstract"])


def _reach_socket_file(bait: Bait) -> None:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(bait["socket"])


def _read_others_variables(bait: Bait) -> None:
    wanted = bait["variable"].encode()
    if any(wanted in _variables(process) for process in Path("/proc").iterdir()):
        return
    raise LookupError("in no process in sight")


def _make_user_namespace(_: Bait) -> None:
    pid = os.fork()
    if not pid:
        os._exit(0 if _libc.unshare(_NEW_USER_NAMESPACE) == 0 else 1)
    if os.waitpid(pid, 0)[1]:
        raise PermissionError("refused")


def _hold_memory_unseen(_: Bait) -> None:
    os.close(os.memfd_create("unseen"))


OUTSIDE: dict[str, Trap] = {
    "read-host-file": _read_host_file,
    "list-host-folder": _list_host_folder,
    "reach-tcp": _reach_tcp,
    "reach-abstract-socket": _reach_abstract_socket,
    "reach-socket-file": _reach_socket_file,
    "read-others-variables": _read_others_variables,
    "make-user-namespace": _make_user_namespace,
    "hold-memory-unseen": _hold_memory_unseen,
}

# -------------------------------------------------------------------------- must hold inside


def _own_namespaces(bait: Bait) -> None:
    shared = [
        name
        for name, link in bait["namespaces"].items()
        if str(Path("/proc/self/ns", name).readlink()) == link
    ]
    _demand(not shared, f"shared with the host: {', '.join(shared)}")


def _no_rights(_: Bait) -> None:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kept = [name for name in status if name.startswith("Cap") and int(status[name], 16)]
    _demand(not kept, f"capabilities kept: {', '.join(kept)}")
    _demand(status["NoNewPrivs"].strip() == "1", "new rights can be gained")
    _demand(status["Seccomp"].strip() == "2", "no system call is refused")


def _no_io_uring(_: Bait) -> None:
    _demand(
        _libc.syscall(_IO_URING_SETUP, 1, ctypes.create_string_buffer(256)) < 0, "io_uring answers"
    )


def _no_descriptors(_: Bait) -> None:
    found = list(Path("/proc/self/fd").iterdir())
    # The listing held one open itself, which is gone by now.
    held = [path.name for path in found if path.is_symlink() and path.name not in _STREAMS]
    _demand(not held, f"inherited: {held}")


def _only_own_processes(_: Bait) -> None:
    seen = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}
    _demand(seen <= {1, os.getpid()}, f"{len(seen)} processes in sight")


def _nothing_else_writable(bait: Bait) -> None:
    for folder in ("/", "/etc", str(Path(sys.argv[1]).parent), bait["environment"]):
        _refused(partial(Path(folder, "planted").write_text, "x"))
    _refused(lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)))


def _fork_limit(bait: Bait) -> None:
    children: list[int] = []
    try:
        for _ in range(bait["processes"] + 1):
            pid = os.fork()
            if not pid:
                time.sleep(60)
                os._exit(0)
            children.append(pid)
    except BlockingIOError:
        return
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    raise AssertionError(f"{len(children)} processes were allowed")


def _disk_limit(bait: Bait) -> None:
    for folder in ("/work", "/tmp", "/dev/shm"):  # noqa: S108 - the job's own
        _refused(partial(_fill, Path(folder, "filling"), bait["disk_mb"] + 1))


def _file_count_limit(_: Bait) -> None:
    made: list[Path] = []
    try:
        _refused(lambda: _scatter(Path("/work"), made))
    finally:
        for path in made:
            path.unlink()


def _works(_: Bait) -> None:
    Path("/work/kept").write_text("1", encoding="ascii")
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), 1).close()
    subprocess.run([sys.executable, "-I", "-S", "-c", "1"], check=True)


INSIDE: dict[str, Trap] = {
    "own-namespaces": _own_namespaces,
    "no-rights": _no_rights,
    "no-io-uring": _no_io_uring,
    "no-descriptors": _no_descriptors,
    "only-own-processes": _only_own_processes,
    "nothing-else-writable": _nothing_else_writable,
    "fork-limit": _fork_limit,
    "disk-limit": _disk_limit,
    "file-count-limit": _file_count_limit,
    "programs-work": _works,
}


def _variables(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""  # no process, gone meanwhile, or not to be read: nothing was learnt from it


def _demand(held: object, otherwise: str) -> None:
    if not held:
        raise AssertionError(otherwise)


def _refused(attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except OSError:
        return
    raise AssertionError("allowed")


def _fill(path: Path, megabytes: int) -> None:
    try:
        with path.open("wb", buffering=0) as handle:
            for _ in range(megabytes):
                if handle.write(bytes(_MEGABYTE)) < _MEGABYTE:
                    raise OSError("full")
    finally:
        path.unlink(missing_ok=True)


def _scatter(folder: Path, made: list[Path], count: int = 30_000) -> None:
    for number in range(count):
        path = folder / f"empty-{number}"
        path.touch()
        made.append(path)


if __name__ == "__main__":
    main()
