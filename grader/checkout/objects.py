"""Git's objects, none trusted: each is measured before it is inflated, and is what its id says.

Dulwich finds, inflates and resolves them. What it is handed is bounded here first: a packed object
announces its size, and so does each base along its chain of deltas; Dulwich stops at what was
announced. A loose object is inflated here, as Dulwich would take one whatever its size.
"""

from __future__ import annotations

import hashlib
import os
import re
import traceback
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from stat import S_ISDIR
from typing import Final

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile, Tag, parse_tree
from dulwich.pack import Pack

from grader.checkout.tree import MAX_BYTES, MAX_FILES
from grader.errors import SourceError

MAX_READ = 4 * MAX_BYTES
"""Bytes read of one repository before it wearies; its files need a quarter of that at most."""
_MAX_META = 2**20
"""Bytes of one commit, tag or folder."""
_MAX_KEPT = 2**24
"""Bytes of objects that are kept, as a folder is read again for each commit that leaves it be."""
_MAX_CHAIN = 512
"""Deltas upon deltas; git itself makes at most 50."""
_MAX_ENTRIES = 10 * MAX_FILES
"""Entries of folders that are looked at: folders of folders can hold no file and never end."""
_MAX_TAGS = 16
"""Tags upon tags."""
_HEADER = 64
_HEAD = 1024
_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7
_COMMIT, _TREE, _BLOB, _TAG = 1, 2, 3, 4
_KINDS: Final = {b"commit": _COMMIT, b"tree": _TREE, b"blob": _BLOB, b"tag": _TAG}
_NAMES: Final = {number: name for name, number in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a folder, or of a whole tree."""

    path: bytes
    mode: int
    id: ObjectID


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitObject:
    """What is read of a commit."""

    id: ObjectID
    tree: ObjectID
    parents: tuple[ObjectID, ...]
    author: str
    when: datetime
    committed: int
    """Seconds since 1970."""
    subject: str


@dataclass(slots=True)
class Objects:
    """The objects of one repository.

    Every method raises ``SourceError`` for an object that is missing, damaged, of another kind or
    too large.
    """

    store: DiskObjectStore
    read: int = 0
    """Bytes inflated so far."""
    _packs: list[Pack] = field(default_factory=list)
    _kept: dict[ObjectID, tuple[int, bytes]] = field(default_factory=dict)
    _kept_bytes: int = 0
    _sound: set[tuple[str, int]] = field(default_factory=set)
    """Places in packs whose chain of deltas was measured already."""

    def __post_init__(self) -> None:
        """Look once which packs there are."""
        with reading("the list of packs"):
            self._packs = list(self.store.packs)

    def __contains__(self, sha: ObjectID) -> bool:
        """Say whether the repository holds an object; a shallow clone lacks parents."""
        with reading(_shown(sha)):
            return self._packed(sha) is not None or self._loose(sha).is_file()

    def walk(self, tree: ObjectID) -> Iterator[Entry]:
        """Yield everything that is no folder, by its whole path, in git's order."""
        left = _MAX_ENTRIES
        stack = [(b"", tree)]
        while stack:
            base, sha = stack.pop()
            inner = []
            for entry in self.entries(sha):
                left -= 1
                if left < 0:
                    raise SourceError(
                        "too-many-files",
                        f"The commit's folders hold more than {_MAX_ENTRIES:,} entries.",
                        remedy="Leave environments, caches and data out of the repository.",
                    )
                if S_ISDIR(entry.mode):
                    inner.append((base + entry.path + b"/", entry.id))
                else:
                    yield Entry(path=base + entry.path, mode=entry.mode, id=entry.id)
            stack += inner[::-1]

    def entries(self, sha: ObjectID) -> tuple[Entry, ...]:
        """Return the entries of a folder."""
        content = self._content(sha, _TREE)
        with reading(_shown(sha)):
            return tuple(
                Entry(path=name, mode=mode, id=ObjectID(child))
                for name, mode, child in parse_tree(content, 20)
            )

    def content(self, sha: ObjectID) -> bytes:
        """Return the content of a file."""
        return self._content(sha, _BLOB)

    def commit(self, sha: ObjectID) -> CommitObject:
        """Return a commit."""
        content = self._content(sha, _COMMIT)
        with reading(_shown(sha)):
            found = ShaFile.from_raw_string(_COMMIT, content)
            if not isinstance(found, GitCommit):
                raise _damaged(f"{_shown(sha)} is no commit")
            return _commit(sha, found)

    def peeled(self, sha: ObjectID) -> ObjectID:
        """Return the commit that a tag leads to, or the commit itself."""
        for _ in range(_MAX_TAGS):
            kind, content = self._object(sha)
            if kind == _COMMIT:
                return sha
            with reading(_shown(sha)):
                found = ShaFile.from_raw_string(kind, content)
                if not isinstance(found, Tag):
                    break
                sha = found.object[1]
        raise SourceError(
            "unknown-revision",
            f"{_shown(sha)} is no commit but a {_NAMES[kind].decode()}.",
            remedy="Name a branch, a tag or a commit that was pushed.",
        )

    @property
    def weary(self) -> bool:
        """Whether so much was read that no more should be, where it can be done without."""
        return self.read > MAX_READ

    def _content(self, sha: ObjectID, kind: int) -> bytes:
        found, content = self._object(sha)
        if found != kind:
            raise _damaged(f"{_shown(sha)} is no {_NAMES[kind].decode()}")
        return content

    def _object(self, sha: ObjectID) -> tuple[int, bytes]:
        if sha in self._kept:
            return self._kept[sha]
        with reading(_shown(sha)):
            place = self._packed(sha)
            kind, content = self._inflate_loose(sha) if place is None else self._unpack(sha, place)
            if _id(kind, content) != sha:
                raise _damaged(f"{_shown(sha)} does not hold what its name says")
        if kind != _BLOB and len(content) > _MAX_META:
            raise _too_large(_MAX_META)
        self.read += len(content)
        if self._kept_bytes + len(content) <= _MAX_KEPT:
            self._kept[sha] = kind, content
            self._kept_bytes += len(content)
        return kind, content

    def _loose(self, sha: ObjectID) -> Path:
        return Path(self.store.path) / sha[:2].decode("ascii") / sha[2:].decode("ascii")

    def _inflate_loose(self, sha: ObjectID) -> tuple[int, bytes]:
        """Inflate a loose object; the format: git's documentation, gitformat-loose(5)."""
        inflater = zlib.decompressobj()
        raw = inflater.decompress(self._loose(sha).read_bytes(), MAX_BYTES + _HEADER)
        if not inflater.eof:
            raise _too_large(MAX_BYTES) if inflater.unconsumed_tail else zlib.error("cut short")
        header = re.match(rb"(commit|tree|blob|tag) \d+\0", raw)
        if header is None:
            raise _damaged(f"{_shown(sha)} has no header")
        return _KINDS[header[1]], raw[header.end() :]

    def _unpack(self, sha: ObjectID, place: _Place) -> tuple[int, bytes]:
        self._measure(place)
        return place.pack.get_raw(sha)

    def _measure(self, place: _Place | None) -> None:
        """Refuse what announces too large a size, in itself or in the bases of its deltas.

        The format: git's documentation, gitformat-pack(5).
        """
        for _ in range(_MAX_CHAIN):
            if place is None or (place.file, place.offset) in self._sound:
                return
            self._sound.add((place.file, place.offset))
            place = self._measure_one(place)
        raise _damaged("deltas lead to deltas without end")

    def _measure_one(self, place: _Place) -> _Place | None:
        """Measure one packed object, and return where the base of its delta is."""
        head = _head(place)
        kind, size, used = _kind_and_size(head)
        if kind not in {_OFFSET_DELTA, _REFERENCE_DELTA}:
            _refuse_large(size)
            return None
        if kind == _OFFSET_DELTA:
            back, skip = _offset(head[used:])
            base: _Place | None = _Place(pack=place.pack, offset=place.offset - back)
        else:
            skip = 20
            base = self._packed(ObjectID(head[used : used + skip].hex().encode()))
        delta = zlib.decompressobj().decompress(head[used + skip :], _HEADER)
        _, first = _varint(delta)
        result, _ = _varint(delta[first:])
        _refuse_large(size)
        _refuse_large(result)
        return base

    def _packed(self, sha: ObjectID) -> _Place | None:
        for pack in self._packs:
            try:
                return _Place(pack=pack, offset=pack.index.object_offset(sha))
            except KeyError:
                continue
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a packed object lies."""

    pack: Pack
    offset: int

    @property
    def file(self) -> str:
        return str(self.pack.data.path)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever Dulwich makes of damaged bytes into one error.

    :raises SourceError: the bytes are damaged
    """
    try:
        yield
    except (SourceError, MemoryError):
        raise
    except Exception as error:
        # Dulwich gives no bound on what damaged bytes raise. Where it stopped, it holds views of a
        # pack, and a pack cannot be closed while one is held.
        traceback.clear_frames(error.__traceback__)
        raise _damaged(f"{what} cannot be read ({type(error).__name__})") from error


# ------------------------------------------------------------------------------ the format


def _commit(sha: ObjectID, found: GitCommit) -> CommitObject:
    zone = timezone(timedelta(seconds=max(-86_399, min(86_399, found.author_timezone))))
    try:
        when = datetime.fromtimestamp(found.author_time, tz=zone)
    except (OverflowError, ValueError, OSError):
        when = datetime.fromtimestamp(0, tz=UTC)  # a forged date is no reason to stop
    message = found.message.decode("utf-8", "replace").strip()
    return CommitObject(
        id=sha,
        tree=found.tree,
        parents=tuple(found.parents),
        author=found.author.decode("utf-8", "replace"),
        when=when,
        committed=found.commit_time,
        subject=(message.splitlines() or [""])[0][:200],
    )


def _id(kind: int, content: bytes) -> bytes:
    header = b"%s %d\0" % (_NAMES[kind], len(content))
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest().encode()


def _head(place: _Place) -> bytes:
    handle = os.open(place.file, os.O_RDONLY)
    try:
        return os.pread(handle, _HEAD, place.offset)
    finally:
        os.close(handle)


def _kind_and_size(head: bytes) -> tuple[int, int, int]:
    size, shift, used = head[0] & 0x0F, 4, 1
    while head[used - 1] & 0x80:
        size |= (head[used] & 0x7F) << shift
        shift, used = shift + 7, used + 1
    return (head[0] >> 4) & 7, size, used


def _varint(data: bytes) -> tuple[int, int]:
    size = shift = used = 0
    while True:
        size |= (data[used] & 0x7F) << shift
        shift, used = shift + 7, used + 1
        if not data[used - 1] & 0x80:
            return size, used


def _offset(data: bytes) -> tuple[int, int]:
    found, used = data[0] & 0x7F, 1
    while data[used - 1] & 0x80:
        found = ((found + 1) << 7) | (data[used] & 0x7F)
        used += 1
    return found, used


# ------------------------------------------------------------------------------ errors


def _shown(sha: ObjectID) -> str:
    return f"object {sha.decode('ascii', 'replace')}"


def _refuse_large(size: int) -> None:
    if size > MAX_BYTES:
        raise _too_large(MAX_BYTES)


def _too_large(limit: int) -> SourceError:
    return SourceError(
        "source-too-large",
        f"The repository holds an object of more than {limit // 2**20} MB.",
        remedy="Leave data, models and environments out of its history.",
    )


def _damaged(what: str) -> SourceError:
    return SourceError(
        "repository-damaged",
        f"The repository is damaged: {what}.",
        remedy="Check it with 'git fsck', and clone it anew.",
    )
