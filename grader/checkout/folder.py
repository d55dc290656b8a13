"""Files as they lie in a folder: which of them count, and which differ from a commit."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from dulwich.ignore import IgnoreFilterManager

from grader.checkout.archive import special
from grader.checkout.tree import TreeWriter
from grader.errors import SourceError

_CHUNK = 2**16
_NOTHING: Mapping[str, bytes] = {}
_IGNORE = ".gitignore"


@dataclass(slots=True)
class Folder:
    """A project's folder, without ``.git`` and without what ``.gitignore`` leaves out."""

    root: Path
    tracked: Mapping[str, bytes] = field(default_factory=lambda: _NOTHING)
    """The last commit's files, path to id; they count whatever ``.gitignore`` says."""
    _ignored: IgnoreFilterManager = field(init=False)

    def __post_init__(self) -> None:
        """Read the project's own ignore files, when they are come across."""
        # The ignore files of whoever grades are left aside: they are not the project's.
        self._ignored = IgnoreFilterManager(str(self.root), [], ignorecase=False)

    def copy(self, writer: TreeWriter) -> None:
        """Write all files that count.

        :raises SourceError: one cannot be read, or may not be in a tree
        """
        for name in self._names():
            mode = (self.root / name).lstat().st_mode
            if stat.S_ISLNK(mode):
                writer.link(name, str((self.root / name).readlink()))
            elif stat.S_ISREG(mode):
                with _opened(self.root / name) as chunks:
                    writer.add(name, chunks)
            else:
                raise special(name)

    def differing(self) -> int:
        """Return how many files differ from the last commit, by their raw bytes."""
        found = set(self._names())
        same = {name for name in found if name in self.tracked and self._is_recorded(name)}
        # A submodule's folder holds no file of this project, and so differs in nothing.
        left_out = {name for name in set(self.tracked) - found if (self.root / name).is_dir()}
        return len((found | set(self.tracked)) - same - left_out)

    def _is_recorded(self, name: str) -> bool:
        path = self.root / name
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            chunks = [os.fsencode(path.readlink())]
            return _blob_id(len(chunks[0]), iter(chunks)) == self.tracked[name]
        if not stat.S_ISREG(about.st_mode):
            return False
        with _opened(path) as content:
            return _blob_id(about.st_size, content) == self.tracked[name]

    def _names(self) -> Iterator[str]:
        """Yield the files that count, folder by folder, in order."""
        kept = {parent for name in self.tracked for parent in _parents(name)}
        for folder, folders, files in os.walk(self.root, onerror=_unreadable):
            base = Path(folder)
            _refuse_special_ignore(base)
            linked = [name for name in folders if (base / name).is_symlink()]
            folders[:] = sorted(
                name for name in set(folders) - set(linked) if self._is_entered(base / name, kept)
            )
            whole = ((base / name).relative_to(self.root) for name in sorted([*files, *linked]))
            yield from filter(self._counts, (path.as_posix() for path in whole))

    def _counts(self, name: str) -> bool:
        """Whether a file is of the submission: tracked, or at least not ignored."""
        inside = name.rpartition("/")[2] != ".git"
        return inside and (name in self.tracked or not self._is_ignored(name))

    def _is_entered(self, folder: Path, kept: set[str]) -> bool:
        whole = folder.relative_to(self.root).as_posix()
        if folder.name == ".git" or (self.tracked and (folder / ".git").exists()):
            return False  # another repository within this one is none of its files
        return whole in kept or not _answer(self._ignored.may_prune_directory, f"{whole}/")

    def _is_ignored(self, name: str) -> bool:
        return _answer(self._ignored.is_ignored, name)


def _answer(question: Callable[[str], bool | None], name: str) -> bool:
    """Ask the ignore files about a name; they are read when they are first needed."""
    try:
        return bool(question(name))
    except OSError as error:
        _unreadable(error)


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _blob_id(size: int, chunks: Iterator[bytes]) -> bytes:
    """Return the id that git gives a file's content."""
    found = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    for chunk in chunks:
        found.update(chunk)
    return found.hexdigest().encode()


def _refuse_special_ignore(folder: Path) -> None:
    """Refuse to wait for a pipe that is named like an ignore file."""
    path = folder / _IGNORE
    if path.exists() and not path.is_symlink() and not path.is_file():
        raise special(_IGNORE)


def _unreadable(error: OSError) -> NoReturn:
    raise SourceError(
        "cannot-read",
        f"{error.filename} cannot be read: {error.strerror}.",
        remedy="Mend its permissions, or leave it out.",
    ) from error


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a regular file for reading in chunks, even if it is being swapped for a link."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        _unreadable(error)
    with os.fdopen(handle, "rb") as file:
        yield iter(lambda: file.read(_CHUNK), b"")
