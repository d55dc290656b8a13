"""What teams receive of a challenge: everything that is not hidden, and nothing that is."""

from __future__ import annotations

import functools
import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grader.errors import UsageError
from grader.model import Challenge

_PUBLIC = ("challenge.toml", "brief.md", "PROVENANCE.md", "legacy", "data/train", "cases/public")
"""A list of what goes out, not of what stays: a new kind of file is hidden until named here."""


def export_public(challenge: Challenge, destination: Path) -> tuple[Path, ...]:
    """Write a challenge's public export, whole or not at all.

    :param destination: a folder that is new or empty
    :return: the files written, relative to it, sorted
    :raises UsageError: the folder holds something
    """
    if destination.exists() and any(destination.iterdir()):
        raise UsageError(
            "destination-not-empty",
            f"{destination} holds files already.",
            remedy="Name a folder that is new or empty.",
        )
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=destination.parent) as folder:
        unfinished = Path(folder) / "export"
        for path, content in _contents(challenge):
            target = unfinished / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if destination.exists():
            destination.rmdir()
        shutil.move(unfinished, destination)
    return tuple(path for path, _ in _contents(challenge))


@functools.lru_cache(maxsize=32)
def public_digests(challenge: Challenge) -> frozenset[str]:
    """Return SHA-256 of every file of the public export, which a team may keep as they are."""
    return frozenset(hashlib.sha256(content).hexdigest() for _, content in _contents(challenge))


def _contents(challenge: Challenge) -> Iterator[tuple[Path, bytes]]:
    root = challenge.root
    files = [path for name in _PUBLIC for path in _files(root / name)]
    for path in sorted(files):
        yield path.relative_to(root), path.read_bytes()
    yield Path("export.toml"), _manifest(challenge).encode()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for inner in path.rglob("*"):
        if inner.is_file() and "__pycache__" not in inner.parts:
            yield inner


def _manifest(challenge: Challenge) -> str:
    return (
        "# What teams receive of a challenge. The digest is that of the whole package.\n"
        f'slug = "{challenge.slug}"\ndigest = "{challenge.digest}"\n'
    )
