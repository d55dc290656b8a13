"""Temporary folders that go when their process has gone, however it went.

Who is killed clears nothing away. So each folder is held by a lock of its process, and whoever
makes the next one removes those that nobody holds any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "drydock-"
_LOCK = ".held"


class Scratch:
    """A folder of this process's own.

    :param base: where it lies; the system's place for temporary files without it
    """

    def __init__(self, base: Path | None = None) -> None:
        base = base or Path(tempfile.gettempdir())
        sweep(base)
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        lock = self.folder / _LOCK
        # It gets its name once it is held: under it, a lock that is free is one of the dead.
        self._held = lock.with_suffix(".new").open("w")
        fcntl.flock(self._held, fcntl.LOCK_EX)
        lock.with_suffix(".new").rename(lock)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._held.close()


def sweep(base: Path) -> None:
    """Remove the folders of this user whose processes have gone."""
    for lock in base.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError):  # another one is faster, or it is another user's
            if _own(lock.parent) and _free(lock):
                shutil.rmtree(lock.parent, ignore_errors=True)


def _own(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _free(lock: Path) -> bool:
    handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True
