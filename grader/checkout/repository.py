"""Git, read object by object.

The git program obeys a repository's own configuration, down to running commands that it names. So
objects are read with Dulwich, which runs no hook, filter or helper, and every object is asked for
its size before it is inflated, along its whole chain of deltas.
"""

from __future__ import annotations

import heapq
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from dulwich.errors import NotGitRepository
from dulwich.object_store import BaseObjectStore, DiskObjectStore
from dulwich.objects import Commit as GitCommit
from dulwich.objects import ObjectID, ShaFile
from dulwich.objects import Tree as GitTree
from dulwich.objectspec import AmbiguousShortId, parse_commit
from dulwich.repo import Repo

from grader.checkout.tree import MAX_BYTES, MAX_FILES, TreeWriter
from grader.errors import SourceError
from grader.model import Commit, History

MAX_COMMITS = 500
_MAX_CHAIN = 512
"""Deltas upon deltas; git itself makes at most 50."""
_MAX_ENTRIES = 10 * MAX_FILES
"""Entries of trees that are looked at: trees of trees can hold no file and never end."""
_MAX_READ = 4 * MAX_BYTES
"""Bytes read to count the lines of the history; beyond it they stay uncounted."""
_HEADER = 64
_GITLINK = 0o160000
_OFFSET_DELTA, _REFERENCE_DELTA = 6, 7


@contextmanager
def opened(path: Path) -> Iterator[Repo]:
    """Open a working or bare repository.

    :raises SourceError: it is none, or borrows its objects from another one
    """
    try:
        repository = Repo(str(path))
    except NotGitRepository as error:
        raise SourceError(
            "not-a-repository",
            f"{path} is not a git repository.",
            remedy="Name a directory, an archive, a repository or a URL.",
        ) from error
    with repository:
        if (Path(repository.commondir()) / "objects" / "info" / "alternates").exists():
            raise SourceError(
                "borrowed-objects",
                f"The repository {path} borrows objects from another one.",
                remedy="Make it whole with 'git repack -a -d' and remove objects/info/alternates.",
            )
        yield repository


def find_commit(repository: Repo, revision: str | None) -> GitCommit:
    """Return the commit of a branch, tag, full or abbreviated id; HEAD without one.

    :raises SourceError: there is none
    """
    try:
        if revision is None:
            return parse_commit(repository, repository.head())
        return parse_commit(repository, revision)
    except (KeyError, ValueError, AmbiguousShortId) as error:
        wanted = f"revision {revision!r}" if revision else "commit"
        raise SourceError(
            "unknown-revision",
            f"The repository has no {wanted}.",
            remedy="Name a branch, a tag or a commit that was pushed.",
        ) from error


def write_tree(repository: Repo, commit: GitCommit, writer: TreeWriter) -> tuple[str, ...]:
    """Write a commit's files, and return what a person should know of what was left out."""
    objects = Objects(repository.object_store)
    submodules = []
    for path, mode, sha in objects.walk(commit.tree):
        name = path.decode("utf-8", "surrogateescape")
        if mode == _GITLINK:
            submodules.append(name)
        elif S_ISLNK(mode):
            writer.link(name, objects.content(sha).decode("utf-8", "surrogateescape"))
        elif S_ISREG(mode):
            writer.add(name, [objects.content(sha)])
    listed = ", ".join(sorted(submodules))
    return (f"Submodules are left out: {listed}.",) if submodules else ()


def read_history(repository: Repo, commit: GitCommit) -> History:
    """Return the newest commits that lead to one, newest first, and the names of all tags."""
    objects = Objects(repository.object_store)
    commits = tuple(_describe(objects, found) for found in _ancestors(objects, commit))
    tags = sorted(
        ref.removeprefix(b"refs/tags/").decode("utf-8", "replace")
        for ref in repository.refs.allkeys()
        if ref.startswith(b"refs/tags/")
    )
    return History(commits=commits, tags=tuple(tags))


def blob_ids(repository: Repo, commit: GitCommit) -> dict[str, bytes]:
    """Return the files of a commit: path to blob id."""
    objects = Objects(repository.object_store)
    return {
        path.decode("utf-8", "surrogateescape"): sha
        for path, mode, sha in objects.walk(commit.tree)
        if S_ISREG(mode) or S_ISLNK(mode)
    }


# ------------------------------------------------------------------------------ objects


@dataclass(slots=True)
class Objects:
    """Objects of a repository, none larger than a source may be."""

    store: BaseObjectStore
    _read: int = field(default=0)

    def walk(self, tree: ObjectID, base: bytes = b"") -> Iterator[tuple[bytes, int, ObjectID]]:
        """Yield path, mode and id of everything that is no folder, in git's order."""
        left = _MAX_ENTRIES
        stack = [(base, tree)]
        while stack:
            folder, sha = stack.pop()
            inner = []
            for entry in self.tree(sha).iteritems(name_order=True):
                left -= 1
                if left < 0:
                    raise SourceError(
                        "too-many-files",
                        f"The commit's folders hold more than {_MAX_ENTRIES:,} entries.",
                        remedy="Leave environments, caches and data out of the repository.",
                    )
                name, mode, child = entry.path or b"", entry.mode or 0, entry.sha or ObjectID(b"")
                if S_ISDIR(mode):
                    inner.append((folder + name + b"/", child))
                else:
                    yield folder + name, mode, child
            stack += inner[::-1]

    def tree(self, sha: ObjectID) -> GitTree:
        """Return a tree."""
        found = self[sha]
        if not isinstance(found, GitTree):
            raise _damaged(f"{sha.decode()} is no tree")
        return found

    def content(self, sha: ObjectID) -> bytes:
        """Return the content of a blob."""
        return self[sha].as_raw_string()

    def __getitem__(self, sha: ObjectID) -> ShaFile:
        """Return an object, its size looked at first."""
        try:
            self._check_size(sha)
            found = self.store[sha]
        except (KeyError, IndexError, zlib.error, ValueError, AssertionError, OSError) as error:
            raise _damaged(f"object {sha.decode('ascii', 'replace')} cannot be read") from error
        self._read += found.raw_length()
        return found

    @property
    def weary(self) -> bool:
        """Whether so much was read that no more should be, where it can be done without."""
        return self._read > _MAX_READ

    def _check_size(self, sha: ObjectID) -> None:
        if not isinstance(self.store, DiskObjectStore):
            return
        if any(size > MAX_BYTES for size in self._sizes(self.store, sha)):
            raise SourceError(
                "source-too-large",
                f"The repository holds an object of more than {MAX_BYTES // 2**20} MB.",
                remedy="Leave data, models and environments out of its history.",
            )

    def _sizes(self, store: DiskObjectStore, sha: ObjectID) -> Iterator[int]:
        """Yield what an object and the bases of its deltas announce, read from their headers.

        The format: git's documentation, gitformat-pack(5).
        """
        place = _packed(store, sha)
        if place is None:
            yield from _loose_size(store, sha)
        for _ in range(_MAX_CHAIN):
            if place is None:
                return
            sizes, place = _step(store, *place)
            yield from sizes
        raise _damaged("deltas lead to deltas without end")


_Place = tuple[str, int]
"""A pack file and an offset in it."""


def _packed(store: DiskObjectStore, sha: ObjectID) -> _Place | None:
    for pack in store.packs:
        if sha in pack:
            return str(pack.data.path), pack.index.object_offset(sha)
    return None


def _loose_size(store: DiskObjectStore, sha: ObjectID) -> Iterator[int]:
    loose = Path(store.path) / sha[:2].decode() / sha[2:].decode()
    if loose.is_file():
        with loose.open("rb") as file:
            header = zlib.decompressobj().decompress(file.read(4096), _HEADER)
        kind_and_size = re.match(rb"[a-z]+ (\d+)\0", header)
        yield int(kind_and_size[1]) if kind_and_size else MAX_BYTES + 1


def _step(store: DiskObjectStore, pack: str, offset: int) -> tuple[list[int], _Place | None]:
    """Return the sizes that one packed object announces, and where the base of its delta is."""
    with Path(pack).open("rb") as file:
        file.seek(offset)
        head = file.read(4096)
    kind, size, used = _kind_and_size(head)
    if kind == _OFFSET_DELTA:
        back, skip = _offset(head[used:])
        base: _Place | None = (pack, offset - back)
    elif kind == _REFERENCE_DELTA:
        skip = 20
        base = _packed(store, ObjectID(head[used : used + skip].hex().encode()))
    else:
        return [size], None
    delta = zlib.decompressobj().decompress(head[used + skip :], _HEADER)
    _, first = _varint(delta)
    result, _ = _varint(delta[first:])
    return [size, result], base


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


def _damaged(what: str) -> SourceError:
    return SourceError(
        "repository-damaged",
        f"The repository is damaged: {what}.",
        remedy="Check it with 'git fsck', and clone it anew.",
    )


# ------------------------------------------------------------------------------ history


def _ancestors(objects: Objects, commit: GitCommit) -> Iterator[GitCommit]:
    """Yield a commit and what led to it, newest first; equal times are told apart by id."""
    heap = [(-commit.commit_time, commit.id, commit)]
    seen = {commit.id}
    for _ in range(MAX_COMMITS):
        if not heap:
            return
        _, _, newest = heapq.heappop(heap)
        yield newest
        for sha in newest.parents:
            # A shallow clone names parents that it does not hold.
            if sha not in seen and sha in objects.store:
                seen.add(sha)
                parent = objects[sha]
                if isinstance(parent, GitCommit):
                    heapq.heappush(heap, (-parent.commit_time, sha, parent))


def _describe(objects: Objects, commit: GitCommit) -> Commit:
    files, lines = _changes(objects, commit)
    zone = timezone(timedelta(seconds=max(-86_399, min(86_399, commit.author_timezone))))
    try:
        when = datetime.fromtimestamp(commit.author_time, tz=zone)
    except (OverflowError, ValueError, OSError):
        when = datetime.fromtimestamp(0, tz=UTC)  # a forged date is no reason to stop
    message = commit.message.decode("utf-8", "replace").strip()
    return Commit(
        id=commit.id.decode(),
        author=commit.author.decode("utf-8", "replace"),
        when=when,
        subject=(message.splitlines() or [""])[0][:200],
        files=files,
        lines=lines,
        parents=len(commit.parents),
    )


def _changes(objects: Objects, commit: GitCommit) -> tuple[int, int]:
    """Return files changed and lines added against the first parent; merges change nothing."""
    if len(commit.parents) > 1 or objects.weary:
        return 0, 0
    parent = commit.parents[0] if commit.parents else None
    before: ObjectID | None = None
    if parent is not None and parent in objects.store:
        found = objects[parent]
        before = found.tree if isinstance(found, GitCommit) else None
    files = lines = 0
    for old, new in _differences(objects, before, commit.tree):
        files += 1
        if new is not None and not objects.weary:
            lines += _added(objects, old, new)
    return files, lines


def _differences(
    objects: Objects, before: ObjectID | None, after: ObjectID | None
) -> Iterator[tuple[ObjectID | None, ObjectID | None]]:
    """Yield blob ids before and after, of files that differ; equal folders are not entered."""
    stack = [(before, after)]
    left = _MAX_ENTRIES
    while stack:
        one, other = stack.pop()
        old, new = (_entries(objects, sha) for sha in (one, other))
        for name in sorted({*old, *new}):
            left -= 1
            if left < 0:
                return
            was, is_ = old.get(name), new.get(name)
            if was == is_:
                continue
            folders = [item and S_ISDIR(item[0]) for item in (was, is_)]
            if any(folders):
                stack.append((was[1] if folders[0] and was else None,
                              is_[1] if folders[1] and is_ else None))  # fmt: skip
            if (was and not folders[0]) or (is_ and not folders[1]):
                yield (
                    was[1] if was and not folders[0] else None,
                    is_[1] if is_ and not folders[1] and is_[0] != _GITLINK else None,
                )


def _entries(objects: Objects, sha: ObjectID | None) -> dict[bytes, tuple[int, ObjectID]]:
    if sha is None:
        return {}
    return {
        entry.path: (entry.mode or 0, entry.sha)
        for entry in objects.tree(sha).iteritems()
        if entry.path is not None and entry.sha is not None
    }


def _added(objects: Objects, old: ObjectID | None, new: ObjectID) -> int:
    """Return how many lines of a text file are new."""
    after = objects.content(new)
    if b"\0" in after[:8000]:  # as git tells binary files
        return 0
    before = objects.content(old) if old is not None else b""
    return (Counter(after.splitlines()) - Counter(before.splitlines())).total()
