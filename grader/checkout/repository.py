"""A repository on this machine, read without the git program.

The git program obeys a repository's own configuration, down to running commands that it names. So
git is read with Dulwich, which runs no hook, filter or helper, and nothing outside of a repository
is read because the repository says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISLNK, S_ISREG

from dulwich.errors import NotGitRepository
from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID
from dulwich.objectspec import parse_ref
from dulwich.refs import HEADREF
from dulwich.repo import Repo

from grader.checkout.archive import special
from grader.checkout.objects import CommitObject, Objects, reading
from grader.checkout.tree import TreeWriter
from grader.errors import SourceError

_GITLINK = 0o160000
_SHORTEST = 4
"""Letters of an abbreviated commit id, at least."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[Repo, Objects]]:
    """Open a working or bare repository.

    :raises SourceError: it is none, or borrows from another one
    """
    with reading(str(path)):
        try:
            repository = Repo(str(path))
        except NotGitRepository as error:
            raise SourceError(
                "not-a-repository",
                f"{path} is not a git repository.",
                remedy="Name a directory, an archive, a repository or a URL.",
            ) from error
    with repository:
        with reading(str(path)):
            _refuse_borrowing(repository, path)
        if not isinstance(repository.object_store, DiskObjectStore):
            raise TypeError("a repository on disk has its objects on disk")
        yield repository, Objects(repository.object_store)


def _refuse_borrowing(repository: Repo, path: Path) -> None:
    """Refuse a repository that would have another one read in its place.

    A linked working tree is none of these: the repository that it belongs to names it.
    """
    common, control = (
        Path(folder).resolve() for folder in (repository.commondir(), repository.controldir())
    )
    here = path.resolve()
    linked = control / "gitdir"
    if control in {here, here / ".git"}:
        borrowed = common != control
    else:
        borrowed = control.parent != common / "worktrees" or not linked.is_file()
        borrowed = borrowed or (control / linked.read_text().strip()).resolve() != here / ".git"
    if borrowed or (common / "objects" / "info" / "alternates").exists():
        raise SourceError(
            "borrowed-objects",
            f"The repository {path} borrows its objects from another one.",
            remedy="Name the other one, or make this one whole with 'git repack -a -d' and "
            "remove objects/info/alternates.",
        )


def find_commit(repository: Repo, objects: Objects, revision: str | None) -> CommitObject:
    """Return the commit of a branch, tag, full or abbreviated id; HEAD without one.

    :raises SourceError: there is none
    """
    sha = _named(repository, revision) or _abbreviated(objects, revision or "")
    if sha is None:
        wanted = f"revision {revision!r}" if revision is not None else "commit"
        raise SourceError(
            "unknown-revision",
            f"The repository has no {wanted}.",
            remedy="Name a branch, a tag or a commit that was pushed.",
        )
    return objects.commit(objects.peeled(sha))


def write_tree(objects: Objects, commit: CommitObject, writer: TreeWriter) -> tuple[str, ...]:
    """Write a commit's files, and return what a person should know of what was left out.

    :raises SourceError: it holds what may not be in a tree
    """
    submodules = []
    for entry in objects.walk(commit.tree):
        name = entry.path.decode("utf-8", "surrogateescape")
        if entry.mode == _GITLINK:
            submodules.append(name)
        elif S_ISLNK(entry.mode):
            writer.link(name, objects.content(entry.id).decode("utf-8", "surrogateescape"))
        elif S_ISREG(entry.mode):
            writer.add(name, [objects.content(entry.id)])
        else:
            raise special(name)
    listed = ", ".join(ascii(name)[1:-1] for name in sorted(submodules))
    return (f"Submodules are left out: {listed}.",) if submodules else ()


def tracked(objects: Objects, commit: CommitObject) -> dict[str, ObjectID]:
    """Return the files of a commit, submodules among them: path to id."""
    return {
        entry.path.decode("utf-8", "surrogateescape"): entry.id
        for entry in objects.walk(commit.tree)
    }


def _named(repository: Repo, revision: str | None) -> ObjectID | None:
    """Return what a branch, a tag or HEAD stands at; tags come before branches, as in git."""
    safe = revision is None or (re.fullmatch(r"[^\0-\x20\x7f~^:?*\[\\]+", revision) is not None)
    if not safe or ".." in (revision or ""):
        return None
    with reading("the list of branches and tags"):
        try:
            name = HEADREF if revision is None else parse_ref(repository.refs, revision)
            return ObjectID(repository.refs[name])
        except (KeyError, UnicodeEncodeError):
            return None


def _abbreviated(objects: Objects, revision: str) -> ObjectID | None:
    """Return the one object whose id starts so, if it is a commit or leads to one."""
    if not re.fullmatch(rf"[0-9A-Fa-f]{{{_SHORTEST},40}}", revision):
        return None
    with reading("the list of objects"):
        found = set(objects.store.iter_prefix(revision.lower().encode()))
    commits = [ObjectID(sha) for sha in found if _is_commit(objects, ObjectID(sha), len(found))]
    return commits[0] if len(commits) == 1 else None


def _is_commit(objects: Objects, sha: ObjectID, of: int) -> bool:
    """Say whether an object is a commit; the only candidate is, until it is looked at."""
    if of == 1:
        return True
    try:
        return objects.peeled(sha) == sha
    except SourceError:
        return False
