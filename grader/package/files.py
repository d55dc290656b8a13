"""The files of a challenge package: which count, and which may be there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.errors import ChallengeError

REFERENCES = "references"
DATA = ("data/", "cases/")
CACHES = frozenset({"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".hypothesis"})
"""Folders that tools leave behind where they ran: never part of a package."""


def challenge_digest(root: Path) -> str:
    """Return SHA-256 over the sorted paths and contents of a package.

    Hidden files and tools' caches are left out, except that a reference's own hidden files are
    part of what it is. A reference may hold links; what counts is where they say they lead.

    :raises ChallengeError: there is a link elsewhere in the package
    """
    return _digest(root, names_of(root, whole_folder=REFERENCES))


def data_digest(root: Path) -> str:
    """Return SHA-256 over a package's data: training data, and the inputs and outputs of its cases.

    :raises ChallengeError: there is a link among them
    """
    return _digest(root, (name for name in names_of(root) if name.startswith(DATA)))


def _digest(root: Path, names: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for name in sorted(names):
        path = root / name
        if path.is_symlink() and name.startswith(f"{REFERENCES}/"):
            content = b"link to " + os.fsencode(path.readlink())
        else:
            content = read(path)
        digest = hashlib.sha256(content).hexdigest()
        whole.update(f"{name}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def names_of(root: Path, *, whole_folder: str = "") -> Iterator[str]:
    """Yield the files and links in a folder, hidden ones and tools' caches left out.

    :param whole_folder: a folder in it whose hidden files count as well
    """
    folders = [""]
    while folders:
        folder = folders.pop()
        whole = bool(whole_folder) and folder.startswith(f"{whole_folder}/")
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.name in CACHES or (entry.name.startswith(".") and not whole):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{folder}{entry.name}/")
                elif entry.is_symlink() or entry.is_file():
                    yield f"{folder}{entry.name}"


def read(path: Path) -> bytes:
    """Return the content of a package's file.

    :raises ChallengeError: it is a link, which could lead anywhere, or cannot be read
    """
    if path.is_symlink():
        raise ChallengeError(
            "link-in-package",
            f"{path} is a link.",
            remedy="Put a copy of the file in its place: what a package holds must be in it.",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise ChallengeError(
            "missing-file",
            f"{path} cannot be read: {error.strerror}.",
            remedy="Mend its permissions.",
        ) from error
