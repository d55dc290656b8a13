"""Landlock: the process itself gives up what it will not need of the file system.

A second wall behind the namespaces and mounts, which hold without it where a kernel has none.
Source: the kernel's ``Documentation/userspace-api/landlock.rst``.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from . import kernel

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_BENEATH_PATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_OF_VERSION_1 = 0x1FFF
_REFER, _TRUNCATE, _DEVICE_CONTROL = 0x2000, 0x4000, 0x8000
_MAKE_DEVICES = 0x40 | 0x800
_ADDED_RIGHTS = ((2, _REFER), (3, _TRUNCATE), (5, _DEVICE_CONTROL))
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 3
_SCOPES_SINCE, _NETWORK_SINCE = 6, 4

_READING = _EXECUTE | _READ_FILE | _READ_DIR
_DEVICE = _WRITE_FILE | _READ_FILE | _DEVICE_CONTROL


def version() -> int:
    """Return the kernel's version of Landlock, 0 where it has none."""
    try:
        return kernel.syscall(
            _CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION, what="landlock"
        )
    except OSError:
        return 0


def restrict(*, writable: Iterable[str], devices: Iterable[str]) -> int:
    """Allow reading everywhere, writing only below the given folders and to the given devices.

    Signals and abstract sockets stay within the process and its children. Returns the version used;
    0 means that the kernel has no Landlock and nothing was restricted.
    """
    found = version()
    if not found:
        return 0
    known = _ALL_OF_VERSION_1 | sum(right for since, right in _ADDED_RIGHTS if found >= since)
    ruleset = _ruleset(found, known)
    _allow(ruleset, "/", _READING & known)
    for folder in writable:
        _allow(ruleset, folder, known & ~_MAKE_DEVICES & ~_DEVICE_CONTROL)
    for device in devices:
        _allow(ruleset, device, _DEVICE & known)
    kernel.forbid_new_rights()
    kernel.syscall(_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")
    os.close(ruleset)
    return found


def _ruleset(found: int, known: int) -> int:
    scopes = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS if found >= _SCOPES_SINCE else 0
    attributes = struct.pack("QQQ", known, 0, scopes)
    size = 24 if found >= _SCOPES_SINCE else 16 if found >= _NETWORK_SINCE else 8
    return kernel.syscall(
        _CREATE_RULESET, attributes, ctypes.c_size_t(size), 0, what="landlock_create_ruleset"
    )


def _allow(ruleset: int, path: str, rights: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, handle)
        kernel.syscall(_ADD_RULE, ruleset, _BENEATH_PATH, rule, 0, what=f"landlock_add_rule {path}")
    finally:
        os.close(handle)
