"""Seccomp: system calls that no model needs and that have opened sandboxes before, refused.

A list of what is refused rather than of what is allowed: scientific Python and its C libraries
call widely, and differently from release to release. The namespaces and mounts hold on their own;
this takes away the kernel's less trodden paths. Numbers: the kernel's ``syscall_64.tbl`` and
``unistd.h``; the form of the program: ``Documentation/userspace-api/seccomp_filter.rst``.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from collections.abc import Mapping

from . import kernel

_SHARED = {
    "bpf": {"x86_64": 321, "aarch64": 280},
    "ptrace": {"x86_64": 101, "aarch64": 117},
    "process_vm_readv": {"x86_64": 310, "aarch64": 270},
    "process_vm_writev": {"x86_64": 311, "aarch64": 271},
    "mount": {"x86_64": 165, "aarch64": 40},
    "umount2": {"x86_64": 166, "aarch64": 39},
    "pivot_root": {"x86_64": 155, "aarch64": 41},
    "chroot": {"x86_64": 161, "aarch64": 51},
    "setns": {"x86_64": 308, "aarch64": 268},
    "unshare": {"x86_64": 272, "aarch64": 97},
    "perf_event_open": {"x86_64": 298, "aarch64": 241},
    "userfaultfd": {"x86_64": 323, "aarch64": 282},
    "keyctl": {"x86_64": 250, "aarch64": 219},
    "add_key": {"x86_64": 248, "aarch64": 217},
    "request_key": {"x86_64": 249, "aarch64": 218},
    "kexec_load": {"x86_64": 246, "aarch64": 104},
    "kexec_file_load": {"x86_64": 320, "aarch64": 294},
    "init_module": {"x86_64": 175, "aarch64": 105},
    "finit_module": {"x86_64": 313, "aarch64": 273},
    "delete_module": {"x86_64": 176, "aarch64": 106},
    "reboot": {"x86_64": 169, "aarch64": 142},
    "swapon": {"x86_64": 167, "aarch64": 224},
    "swapoff": {"x86_64": 168, "aarch64": 225},
    "sethostname": {"x86_64": 170, "aarch64": 161},
    "setdomainname": {"x86_64": 171, "aarch64": 162},
    "acct": {"x86_64": 163, "aarch64": 89},
    "quotactl": {"x86_64": 179, "aarch64": 60},
    "syslog": {"x86_64": 103, "aarch64": 116},
    "settimeofday": {"x86_64": 164, "aarch64": 170},
    "clock_settime": {"x86_64": 227, "aarch64": 112},
    "clock_adjtime": {"x86_64": 305, "aarch64": 266},
    "adjtimex": {"x86_64": 159, "aarch64": 171},
    "open_by_handle_at": {"x86_64": 304, "aarch64": 265},
    "name_to_handle_at": {"x86_64": 303, "aarch64": 264},
    "kcmp": {"x86_64": 312, "aarch64": 272},
    "fanotify_init": {"x86_64": 300, "aarch64": 262},
    "personality": {"x86_64": 135, "aarch64": 92},
    "mbind": {"x86_64": 237, "aarch64": 235},
    "set_mempolicy": {"x86_64": 238, "aarch64": 237},
    "migrate_pages": {"x86_64": 256, "aarch64": 238},
    "move_pages": {"x86_64": 279, "aarch64": 239},
    "vmsplice": {"x86_64": 278, "aarch64": 75},
    "shmget": {"x86_64": 29, "aarch64": 194},
    "msgget": {"x86_64": 68, "aarch64": 186},
    "semget": {"x86_64": 64, "aarch64": 190},
    "mq_open": {"x86_64": 240, "aarch64": 180},
}
_SAME_EVERYWHERE = {
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "statmount": 457,
    "listmount": 458,
    "lsm_set_self_attr": 460,
    "open_tree_attr": 467,
}
_ONE_KIND_ONLY = {
    "x86_64": {
        "iopl": 172,
        "ioperm": 173,
        "modify_ldt": 154,
        "uselib": 134,
        "nfsservctl": 180,
        "lookup_dcookie": 212,
        "memfd_secret": 447,
        "map_shadow_stack": 453,
    },
    "aarch64": {"nfsservctl": 42, "lookup_dcookie": 18, "memfd_secret": 447},
}
_UNKNOWN_TO_PROGRAMS = {
    # Programs ask for these and have another way when the kernel does not know them. Memory held by
    # memfd_create belongs to no process, and clone3 hides its flags from this filter.
    "x86_64": {"memfd_create": 319, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435},
    "aarch64": {"memfd_create": 279, "io_uring_setup": 425, "pidfd_open": 434, "clone3": 435},
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_SOCKET = {"x86_64": 41, "aarch64": 198}
_IOCTL = {"x86_64": 16, "aarch64": 29}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_NAMESPACE_FLAGS = 0x7E020080
"""Every CLONE_NEW* flag."""
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
_TERMINAL_INJECTION = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into a terminal."""
_FIRST_X32 = 0x40000000

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERROR = 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE, _OFFSET_ARGUMENT = 0, 4, 16
_SET_FILTER = 1

_Line = tuple[int, int, int, int]


def machine() -> str:
    """Return this machine's kind.

    :raises OSError: the filter has no numbers for it
    """
    found = platform.machine()
    if found not in _ARCHITECTURE:
        raise OSError(errno.ENOSYS, f"no system call filter for {found}")
    return found


def program(kind: str) -> bytes:
    """Return the filter for a kind of machine, as the kernel loads it."""
    lines = [
        *_same_architecture(kind),
        *_refuse(_refused(kind), errno.EPERM),
        *_refuse(_UNKNOWN_TO_PROGRAMS[kind], errno.ENOSYS),
        *_refuse_flags(_CLONE[kind], _NAMESPACE_FLAGS),
        *_only_families(_SOCKET[kind]),
        *_refuse_requests(_IOCTL[kind]),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def load(instructions: bytes, kind: str) -> None:
    """Put this process and all it starts under the filter, for good."""
    kernel.forbid_new_rights()
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    header = struct.pack("HxxxxxxQ", len(instructions) // 8, ctypes.addressof(buffer))
    kernel.syscall(_SECCOMP[kind], _SET_FILTER, 0, header, what="seccomp")


def _refused(kind: str) -> Mapping[str, int]:
    shared = {name: numbers[kind] for name, numbers in _SHARED.items()}
    return shared | _SAME_EVERYWHERE | _ONE_KIND_ONLY[kind]


def _same_architecture(kind: str) -> list[_Line]:
    """Kill a caller that speaks another architecture's numbers, which this list does not name."""
    lines = [
        (_LOAD, 0, 0, _OFFSET_ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURE[kind]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _OFFSET_NUMBER),
    ]
    if kind == "x86_64":
        lines += [(_AT_LEAST, 0, 1, _FIRST_X32), (_RETURN, 0, 0, _KILL)]
    return lines


def _refuse(calls: Mapping[str, int], error: int) -> list[_Line]:
    return [
        line
        for number in sorted(calls.values())
        for line in ((_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERROR | error))
    ]


def _refuse_flags(call: int, flags: int) -> list[_Line]:
    return [
        (_EQUAL, 0, 4, call),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        (_ANY_BIT, 0, 1, flags),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _only_families(call: int) -> list[_Line]:
    count = len(_FAMILIES)
    matches = [(_EQUAL, count - i, 0, int(family)) for i, family in enumerate(_FAMILIES)]
    return [
        (_EQUAL, 0, count + 3, call),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT),
        *matches,
        (_RETURN, 0, 0, _ERROR | errno.EAFNOSUPPORT),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _refuse_requests(call: int) -> list[_Line]:
    first, second = _TERMINAL_INJECTION
    return [
        (_EQUAL, 0, 5, call),
        (_LOAD, 0, 0, _OFFSET_ARGUMENT + 8),
        (_EQUAL, 1, 0, first),
        (_EQUAL, 0, 1, second),
        (_RETURN, 0, 0, _ERROR | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
