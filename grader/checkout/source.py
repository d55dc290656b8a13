"""What the user named → a checkout: which way in, and what goes along with the tree."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from dulwich.errors import NotGitRepository
from dulwich.ignore import IgnoreFilterManager
from dulwich.objects import Blob
from dulwich.repo import Repo

from grader.checkout import repository as git
from grader.checkout.archive import special, unpack
from grader.checkout.remote import fetch
from grader.checkout.tree import TreeWriter, remove, tree_digest
from grader.errors import SourceError
from grader.model import Checkout

_CHUNK = 2**16
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[\w.-]+@[\w.-]+:(?!//)")


def check_out(source: str, destination: Path, *, working_tree: bool = False) -> Checkout:
    """Make any source into a tree under ``destination/tree``.

    :param source: a directory, an archive, a working or bare repository, each as a path with an
        optional ``@revision``, or a URL with one
    :param destination: an existing folder; on an error nothing is left in it
    :param working_tree: take a working repository's files as they lie
    :raises SourceError: what is wrong with the source, and what to do
    """
    root = destination / "tree"
    root.mkdir(parents=True)
    try:
        return _check_out(source, root, working_tree=working_tree)
    except BaseException:
        remove(root)
        raise


def _check_out(source: str, root: Path, *, working_tree: bool) -> Checkout:
    if _URL.match(source) and not source.startswith("file://"):
        address, revision = _split_url(source)
        with tempfile.TemporaryDirectory(prefix="drydock-fetch-") as folder:
            return _from_repository(fetch(address, Path(folder)), root, source, revision)
    path, revision = _split_path(source.removeprefix("file://"))
    if path.is_file():
        return _from_archive(path, root, source)
    if not path.is_dir():
        raise SourceError(
            "no-such-source",
            f"There is no {path}.",
            remedy="Name a directory, an archive, a repository or a URL.",
        )
    if not _is_repository(path):
        if revision is not None:
            raise SourceError(
                "not-a-repository",
                f"{path} has no revisions: it is not a git repository.",
                remedy="Leave @REV away, or name a repository.",
            )
        return _from_directory(path, root, source)
    if working_tree:
        return _from_working_tree(path, root, source)
    return _from_repository(path, root, source, revision)


def _split_path(source: str) -> tuple[Path, str | None]:
    if "@" in source and not Path(source).exists():
        name, revision = source.rsplit("@", 1)
        return Path(name), revision
    return Path(source), None


def _split_url(source: str) -> tuple[str, str | None]:
    """Split ``URL@rev``; an ``@`` before the path belongs to the address."""
    if "://" in source:
        parts = urlsplit(source)
        path, at, revision = parts.path.rpartition("@")
        return (parts._replace(path=path).geturl(), revision) if at else (source, None)
    host, colon, path = source.partition(":")
    name, at, revision = path.rpartition("@")
    return (f"{host}{colon}{name}", revision) if at else (source, None)


def _is_repository(path: Path) -> bool:
    try:
        Repo(str(path)).close()
    except NotGitRepository:
        return False
    return True


# ------------------------------------------------------------------------------ ways in


def _from_archive(path: Path, root: Path, source: str) -> Checkout:
    writer = TreeWriter(root)
    unpack(path, writer)
    return _plain(writer, source)


def _from_directory(path: Path, root: Path, source: str) -> Checkout:
    writer = TreeWriter(root)
    ignored = IgnoreFilterManager(str(path), [], ignorecase=False)
    _copy(path, writer, ignored)
    return _plain(writer, source)


def _plain(writer: TreeWriter, source: str) -> Checkout:
    tree = writer.finish()
    return Checkout(
        tree=tree, source=source, commit=None, tree_digest=tree_digest(tree), history=None
    )


def _from_repository(path: Path, root: Path, source: str, revision: str | None) -> Checkout:
    with git.opened(path) as repository:
        commit = git.find_commit(repository, revision)
        writer = TreeWriter(root, lift=False)
        notes = git.write_tree(repository, commit, writer)
        if repository.has_index() and revision is None:
            notes += _changed(repository, path)
        tree = writer.finish()
        return Checkout(
            tree=tree,
            source=source,
            commit=commit.id.decode(),
            tree_digest=tree_digest(tree),
            history=git.read_history(repository, commit),
            notes=notes,
        )


def _from_working_tree(path: Path, root: Path, source: str) -> Checkout:
    with git.opened(path) as repository:
        writer = TreeWriter(root, lift=False)
        _copy(path, writer, IgnoreFilterManager.from_repo(repository))
        tree = writer.finish()
        commit = git.find_commit(repository, None)
        differing = _differing(repository, path)
        found = Checkout(
            tree=tree,
            source=source,
            commit=commit.id.decode(),
            tree_digest=tree_digest(tree),
            history=git.read_history(repository, commit),
        )
        if not differing:
            return found
        note = f"The working tree is graded as it lies: {_count(differing)} not committed."
        return replace(found, commit=None, notes=(note,))


# ------------------------------------------------------------------------------ files as they lie


def _changed(repository: Repo, path: Path) -> tuple[str, ...]:
    differing = _differing(repository, path)
    if not differing:
        return ()
    how = "Commit them, or grade the files as they lie with --working-tree."
    return (f"The last commit is graded: {_count(differing)} not committed. {how}",)


def _count(files: int) -> str:
    return "1 file is" if files == 1 else f"{files} files are"


def _differing(repository: Repo, path: Path) -> int:
    """Return how many files differ from the last commit, by their raw bytes."""
    recorded = git.blob_ids(repository, git.find_commit(repository, None))
    differing = set(recorded)
    for name in _names(path, IgnoreFilterManager.from_repo(repository), keep=frozenset(recorded)):
        file = path / name
        content = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
        if recorded.get(name) == Blob.from_string(content).id:
            differing.discard(name)
        else:
            differing.add(name)
    return len(differing)


def _copy(path: Path, writer: TreeWriter, ignored: IgnoreFilterManager) -> None:
    for name in _names(path, ignored):
        mode = (path / name).lstat().st_mode
        if stat.S_ISLNK(mode):
            writer.link(name, str((path / name).readlink()))
        elif stat.S_ISREG(mode):
            with _opened(path / name) as chunks:
                writer.add(name, chunks)
        else:
            raise special(name)


def _names(
    path: Path, ignored: IgnoreFilterManager, keep: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Yield what lies in a folder, without ``.git`` and what ``.gitignore`` leaves out.

    :param keep: names that are tracked, and so count whatever ``.gitignore`` says
    """
    for folder, folders, files in os.walk(path):
        base = Path(folder).relative_to(path)
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(
            name
            for name in set(folders) - set(linked)
            if name != ".git" and not ignored.is_ignored(f"{_joined(base, name)}/")
        )
        for name in sorted([*files, *linked]):
            whole = _joined(base, name)
            if name != ".git" and (whole in keep or not ignored.is_ignored(whole)):
                yield whole


def _joined(base: Path, name: str) -> str:
    return (base / name).as_posix()


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[bytes]]:
    """Open a regular file for reading in chunks, even if it is being swapped for a link."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SourceError(
            "cannot-read",
            f"{path} cannot be read: {error.strerror}.",
            remedy="Mend its permissions.",
        ) from error
    with os.fdopen(handle, "rb") as file:
        yield iter(lambda: file.read(_CHUNK), b"")
