"""What the kernel offers beyond Python's own ``os``: namespaces, mounts, capabilities.

Each function raises OSError, naming what was tried.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import socket
import struct
from collections.abc import Iterable

NEW_MOUNTS = 0x00020000
NEW_CGROUP = 0x02000000
NEW_HOSTNAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PROCESSES = 0x20000000
NEW_NETWORK = 0x40000000

READ_ONLY = 1
NO_SETUID = 2
NO_DEVICES = 4
NO_PROGRAMS = 8
REMOUNT = 32
BIND = 4096
RECURSIVE = 16384
PRIVATE = 1 << 18

_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_OPENAT2 = 437
_STAY_BENEATH = 0x01 | 0x02 | 0x04 | 0x08
"""RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS and BENEATH."""
_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SIGKILL = 9
_SET_INTERFACE_FLAGS = 0x8914
_INTERFACE_UP_RUNNING = 0x41
_LARGE_PAGE = 2 << 20
_COLLAPSE = 25

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object, what: str) -> int:
    """Make a system call the C library has no name for.

    :param what: names it in the error
    """
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def unshare(namespaces: int) -> None:
    """Leave the named namespaces for fresh ones. Processes: from the next child on."""
    _checked(_libc.unshare(namespaces), f"unshare {namespaces:#x}")


def mount(
    source: str, target: str, kind: str | None = None, flags: int = 0, options: str = ""
) -> None:
    """Mount a file system, or change a mount."""
    done = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(done, f"mount {source} on {target}")


def bind_read_only(source: str, target: str) -> None:
    """Show a file or folder at a second place, where nothing can be written."""
    mount(source, target, flags=BIND)
    mount("none", target, flags=BIND | REMOUNT | READ_ONLY | NO_SETUID | NO_DEVICES)


def enter_root(root: str, machine: str) -> None:
    """Make a folder the root of the file system and let go of all that lay outside it."""
    os.chdir(root)
    # The old root lands on top of the new one and is lifted off it: pivot_root(2), "." and ".".
    syscall(_PIVOT_ROOT[machine], b".", b".", what="pivot_root")
    _checked(_libc.umount2(b".", _DETACH), "umount of the old root")
    os.chdir("/")


def open_beneath(folder: int, name: str, flags: int) -> int:
    """Open a file below a folder without following any link or leaving its file system."""
    how = struct.pack("QQQ", flags | os.O_CLOEXEC, 0, _STAY_BENEATH)
    size = ctypes.c_size_t(len(how))
    return syscall(_OPENAT2, folder, os.fsencode(name), how, size, what=f"open {name}")


def raise_loopback() -> None:
    """Bring up 127.0.0.1 in a fresh network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = struct.pack("16sh14x", b"lo", _INTERFACE_UP_RUNNING)
        fcntl.ioctl(handle, _SET_INTERFACE_FLAGS, request)


def map_user(uid: int, gid: int) -> None:
    """Name the one user of a fresh user namespace. It stands for whoever made the namespace."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} 0 1"),
        ("gid_map", f"{gid} 0 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as handle:  # noqa: PTH123 - /proc
            handle.write(text)


def die_with_parent() -> None:
    """Be killed as soon as the process that started this one is gone."""
    _control(_PR_SET_PDEATHSIG, _SIGKILL)


def forbid_inspection() -> None:
    """Let no process of the same user read this one's memory, environment or descriptors."""
    _control(_PR_SET_DUMPABLE, 0)


def allow_inspection() -> None:
    """Give a process its own ``/proc/self`` back."""
    _control(_PR_SET_DUMPABLE, 1)


def forbid_new_rights() -> None:
    """Let no program started from here on gain rights by being started."""
    _control(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Give up every capability, for good."""
    for number in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # past the last one that this kernel knows
    _control(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("II", _CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def gather_in_large_pages() -> None:
    """Gather this process's own memory in pages of 2 MiB where whole ones lie together.

    A fork copies one entry for each page, and the end of the fork frees it: with fewer pages both
    take less time. Where a kernel has no such call (before Linux 6.1) nothing is gained or lost.
    """
    with open("/proc/self/maps", encoding="utf-8") as handle:  # noqa: PTH123 - /proc
        regions = [line.split() for line in handle]
    for bounds, rights, _, _, inode, *name in regions:
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            first, last = (int(bound, 16) for bound in bounds.split("-"))
            begin = -(-first // _LARGE_PAGE) * _LARGE_PAGE
            size = last // _LARGE_PAGE * _LARGE_PAGE - begin
            if size > 0:
                _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(size), _COLLAPSE)


def close_descriptors(*, keep: Iterable[int] = ()) -> None:
    """Close every descriptor above 2 but those to keep."""
    low = 3
    for number in sorted(keep):
        os.closerange(low, number)
        low = number + 1
    os.closerange(low, resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _control(*arguments: int) -> None:
    padded = [ctypes.c_ulong(item) for item in (*arguments, 0, 0, 0)]
    _checked(_libc.prctl(*padded[:5]), f"prctl {arguments}")


def _checked(returned: int, what: str) -> int:
    if returned < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return returned
