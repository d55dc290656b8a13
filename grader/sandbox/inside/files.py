"""The files a job sees, and the reading of what it leaves behind.

::

    /            an empty, read-only root of this job's own, holding nothing but
    ├── ...      the environment, at the paths it was built for       read-only
    ├── ...      the job's mounts                                     read-only
    ├── etc      four short files that name one user and one host     read-only
    ├── dev      null, zero, full, random, urandom; shm is writable
    ├── proc     this job's processes
    ├── tmp      writable, on one small file system
    └── work     writable, on the same; gone with the job
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable

from . import kernel

WORK = "/work"
WRITABLE = (WORK, "/tmp", "/dev/shm")  # noqa: S108 - the job's own, not this machine's
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

ROOT = "/root-of-job"
"""Where the parent's file system has room for a new root."""
SCRATCH = "/scratch-of-job"

_MOST_FILES = 20_000
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


def lay_out(readable: Iterable[str], mounts: Iterable[tuple[str, str]], disk_mb: int) -> None:
    """Build a job's root below :data:`ROOT`; only ``/proc`` is still empty."""
    kernel.mount("none", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    harmless = kernel.NO_SETUID | kernel.NO_DEVICES
    kernel.mount("tmpfs", ROOT, "tmpfs", harmless, "size=1m,nr_inodes=2000,mode=755")
    disk = f"size={disk_mb}m,nr_inodes={_MOST_FILES},mode=755"
    kernel.mount("tmpfs", SCRATCH, "tmpfs", harmless, disk)
    os.mkdir(f"{ROOT}/proc")  # noqa: PTH102 - plain os calls: this runs once per job
    for number, path in enumerate(WRITABLE):
        os.mkdir(f"{SCRATCH}/{number}", 0o700)  # noqa: PTH102
        _bind(f"{SCRATCH}/{number}", path)
    for path in (*DEVICES, "/etc", *readable):
        _bind(path, path)
    for name, target in _LINKS.items():
        os.symlink(target, f"{ROOT}/dev/{name}")  # noqa: PTH211
    for source, path in mounts:
        _make_place(source, ROOT + path)
        kernel.bind_read_only(source, ROOT + path)


def enter(machine: str) -> None:
    """Make the laid-out folder the root, with a ``/proc`` of the calling process's namespace."""
    # While the old one is still in sight: the kernel shows no more of /proc than was there before.
    unable = kernel.NO_SETUID | kernel.NO_DEVICES | kernel.NO_PROGRAMS
    kernel.mount("proc", f"{ROOT}/proc", "proc", unable)
    kernel.bind_read_only(f"{ROOT}/proc/sys", f"{ROOT}/proc/sys")
    kernel.enter_root(ROOT, machine)
    sealed = kernel.REMOUNT | kernel.BIND | kernel.READ_ONLY
    kernel.mount("none", "/", flags=sealed | kernel.NO_SETUID | kernel.NO_DEVICES)


def copy_tree(source: str, target: str) -> None:
    """Copy a read-only tree so that its owner may write in it. Links stay links."""
    with os.scandir(source) as entries:
        for entry in entries:
            path = f"{target}/{entry.name}"
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), path)  # noqa: PTH115, PTH211
            elif entry.is_dir():
                os.mkdir(path)  # noqa: PTH102
                copy_tree(entry.path, path)
            else:
                shutil.copyfile(entry.path, path)


def open_output(root: str, name: str, largest: int) -> tuple[int | None, str]:
    """Open a file that a job left, without following a link.

    :param largest: bytes it may hold
    :returns: (descriptor, "") or (None, what is wrong with it)
    """
    folder = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        handle = kernel.open_beneath(folder, name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        return None, _explain(error)
    finally:
        os.close(folder)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        problem = "not a regular file"
    elif found.st_size > largest:
        problem = f"larger than {largest >> 20} MB"
    else:
        return handle, ""
    os.close(handle)
    return None, problem


def _explain(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.EXDEV):
        return "link"
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return "missing"
    if error.errno == errno.ENXIO:  # a socket
        return "not a regular file"
    return os.strerror(error.errno or 0)


def _bind(source: str, path: str) -> None:
    """Show a path at the same place below the new root, as read-only as it was."""
    _make_place(source, ROOT + path)
    kernel.mount(source, ROOT + path, flags=kernel.BIND)


def _make_place(source: str, place: str) -> None:
    if os.path.isdir(source):  # noqa: PTH112
        os.makedirs(place, exist_ok=True)  # noqa: PTH103
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
