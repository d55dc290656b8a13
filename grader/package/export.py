"""What teams receive of a challenge: everything that is not hidden, and nothing that is."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.errors import UsageError
from grader.model import Challenge
from grader.package.files import names_of, read

_KITS = Path(__file__).parents[2] / "starter_kits"
_PUBLIC = ("challenge.toml", "brief.md", "PROVENANCE.md", "legacy", "data/train", "cases/public")
"""A list of what goes out, not of what stays: a new kind of file is hidden until named here."""


def export_public(challenge: Challenge, destination: Path) -> tuple[Path, ...]:
    """Write a challenge's public export, whole or not at all.

    ::

        <destination>/
        ├── challenge.toml, brief.md, PROVENANCE.md, legacy/, data/train/, cases/public/
        └── export.toml      the slug, the digest of the whole package, the files above

    :param destination: a folder that is new or empty
    :return: the files written, relative to it, sorted
    :raises UsageError: the folder holds something, or cannot be written to
    :raises ChallengeError: a link is among the files
    """
    try:
        _refuse_occupied(destination)
        contents = dict(_contents(challenge))
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".export-", dir=destination.parent) as folder:
            unfinished = Path(folder) / "export"
            for path, content in contents.items():
                target = unfinished / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            if destination.exists():
                destination.rmdir()
            shutil.move(unfinished, destination)
    except OSError as error:
        raise UsageError(
            "cannot-export",
            f"{destination} cannot be written: {error.strerror}.",
            remedy="Name a folder that you may write to.",
        ) from error
    return tuple(sorted(contents))


@functools.lru_cache(maxsize=32)
def public_digests(challenge: Challenge) -> frozenset[str]:
    """Return SHA-256 of every file of the public export, which a team may keep as they are."""
    return frozenset(hashlib.sha256(content).hexdigest() for _, content in _contents(challenge))


@functools.lru_cache(maxsize=16)
def given_lines(challenge: Challenge) -> frozenset[bytes]:
    """Return the lines of text that a team is given: by the challenge, and by its starter kits.

    Whoever commits them has taken no step yet. Of a kit, what is not filled in by its answers.
    """
    folders = [_KITS / kit / "template" for kit in challenge.kits]
    templates = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    texts = [*(content for _, content in _contents(challenge)), *map(read, templates)]
    return frozenset(line for text in texts for line in text.splitlines())


def _refuse_occupied(destination: Path) -> None:
    occupied = destination.exists() and (not destination.is_dir() or any(destination.iterdir()))
    if occupied:
        raise UsageError(
            "destination-not-empty",
            f"{destination} holds something already.",
            remedy="Name a folder that is new or empty.",
        )


def _contents(challenge: Challenge) -> Iterator[tuple[Path, bytes]]:
    root = challenge.root
    files = sorted(path for name in _PUBLIC for path in _files(root / name))
    for path in files:
        yield path.relative_to(root), read(path)
    manifest = _manifest(challenge, (path.relative_to(root) for path in files))
    yield Path("export.toml"), manifest.encode()


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        yield from (path / name for name in names_of(path))
    elif path.is_symlink() or path.is_file():
        yield path


def _manifest(challenge: Challenge, files: Iterable[Path]) -> str:
    # A JSON text is a TOML text, except for what no path here holds.
    listed = "".join(f"    {json.dumps(path.as_posix())},\n" for path in files)
    return (
        "# What teams receive of a challenge. The digest is that of the whole package.\n"
        f'slug = "{challenge.slug}"\ndigest = "{challenge.digest}"\nfiles = [\n{listed}]\n'
    )
