"""What git remembers of how a submission came to be."""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator
from stat import S_ISDIR

from dulwich.objects import ObjectID
from dulwich.repo import Repo

from grader.checkout.objects import CommitObject, Entry, Objects, reading
from grader.checkout.tree import MAX_FILES
from grader.model import Commit, History

MAX_COMMITS = 500
_MAX_COMPARED = 10 * MAX_FILES
"""Entries of folders that are compared for one commit."""
_MAX_TEXT = 2**20
"""Bytes of a file whose lines are counted; what is larger is data, not text that a person wrote."""
_WRITTEN = re.compile(
    r"\.(py|r|sas|sps|m|sql|sh|md|rst|txt|toml|cfg|ini|ya?ml|html|css|js)$"
    r"|(^|/)(docker|container|make|just)file$",
    re.IGNORECASE,
)
"""Files that people write. Data and lock files say nothing of how the work grew."""
_GITLINK = 0o160000

_Side = Entry | None


def read_history(
    repository: Repo,
    objects: Objects,
    commit: CommitObject,
    given: frozenset[bytes] = frozenset(),
) -> History:
    """Return the newest commits that lead to one, newest first, and the names of all tags.

    Of a repository that is very large, the oldest commits count as having changed nothing.

    :param given: lines that are not counted, whoever adds them

    :raises SourceError: an object is missing or damaged
    """
    commits = tuple(_describe(objects, found, given) for found in _ancestors(objects, commit))
    with reading("the list of tags"):
        tags = sorted(
            ref.removeprefix(b"refs/tags/").decode("utf-8", "replace")
            for ref in repository.refs.allkeys()
            if ref.startswith(b"refs/tags/")
        )
    return History(commits=commits, tags=tuple(tags))


def _ancestors(objects: Objects, commit: CommitObject) -> Iterator[CommitObject]:
    """Yield a commit and what led to it, newest first; equal times are told apart by id."""
    heap = [(-commit.committed, commit.id, commit)]
    seen = {commit.id}
    for _ in range(MAX_COMMITS):
        if not heap:
            return
        _, _, newest = heapq.heappop(heap)
        yield newest
        for sha in newest.parents:
            # A shallow clone names parents that it does not hold.
            if sha not in seen and sha in objects:
                seen.add(sha)
                parent = objects.commit(sha)
                heapq.heappush(heap, (-parent.committed, sha, parent))


def _describe(objects: Objects, commit: CommitObject, given: frozenset[bytes]) -> Commit:
    files, lines = _changes(objects, commit, given)
    return Commit(
        id=commit.id.decode(),
        author=commit.author,
        when=commit.when,
        subject=commit.subject,
        files=files,
        lines=lines,
        parents=len(commit.parents),
    )


def _changes(objects: Objects, commit: CommitObject, given: frozenset[bytes]) -> tuple[int, int]:
    """Return files changed and lines added against the first parent; merges change nothing."""
    if len(commit.parents) > 1 or objects.weary:
        return 0, 0
    before = None
    if commit.parents and commit.parents[0] in objects:
        before = objects.commit(commit.parents[0]).tree
    files = lines = 0
    for old, new in _differences(objects, before, commit.tree):
        files += 1
        if new is not None and new.mode != _GITLINK and not objects.weary:
            lines += _added(objects, old, new, given)
    return files, lines


def _differences(
    objects: Objects, before: ObjectID | None, after: ObjectID | None
) -> Iterator[tuple[_Side, _Side]]:
    """Yield files that differ, before and after; folders that are equal are not entered."""
    stack = [(before, after)]
    left = _MAX_COMPARED
    while stack:
        old, new = (_entries(objects, sha) for sha in stack.pop())
        left -= len(old) + len(new)
        if left < 0:
            return
        pairs = [(old.get(name), new.get(name)) for name in sorted({*old, *new})]
        changed = [(was, is_) for was, is_ in pairs if was != is_]
        stack += filter(any, [(_folder(was), _folder(is_)) for was, is_ in changed])
        yield from filter(any, [(_file(was), _file(is_)) for was, is_ in changed])


def _entries(objects: Objects, sha: ObjectID | None) -> dict[bytes, Entry]:
    return {} if sha is None else {entry.path: entry for entry in objects.entries(sha)}


def _folder(side: _Side) -> ObjectID | None:
    return side.id if side and S_ISDIR(side.mode) else None


def _file(side: _Side) -> _Side:
    return None if side and S_ISDIR(side.mode) else side


def _added(objects: Objects, old: _Side, new: Entry, given: frozenset[bytes]) -> int:
    """Return how many lines are new, and were not given, of a file that people write."""
    if not _WRITTEN.search(new.path.decode("utf-8", "replace")):
        return 0
    after = objects.content(new.id)
    if b"\0" in after[:8000] or len(after) > _MAX_TEXT:  # as git tells binary files
        return 0
    new_lines = Counter(after.splitlines())
    if old is not None and old.mode != _GITLINK:
        new_lines -= Counter(objects.content(old.id)[:_MAX_TEXT].splitlines())
    return sum(count for line, count in new_lines.items() if line not in given)
