"""What the user named → a checkout: which way in, and what goes along with the tree."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grader.checkout import repository as git
from grader.checkout.archive import unpack
from grader.checkout.folder import Folder
from grader.checkout.history import read_history
from grader.checkout.remote import fetch
from grader.checkout.tree import TreeWriter, remove, tree_digest
from grader.errors import SourceError
from grader.model import Checkout

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[\w.-]+@[\w.-]+:(?!//)")
_FILE = "file://"


def check_out(
    source: str,
    destination: Path,
    *,
    working_tree: bool = False,
    given: Collection[bytes] = frozenset(),
) -> Checkout:
    """Make any source into a tree under ``destination/tree``.

    :param source: a directory, an archive, a working or bare repository, each as a path with an
        optional ``@revision``, or a URL with one
    :param destination: a folder; on an error it is as it was before, or gone if it was not there
    :param working_tree: take a working repository's files as they lie
    :param given: lines that whoever made the source was given: its history doesn't count them
    :raises SourceError: what is wrong with the source, and what to do
    """
    root = destination / "tree"
    existed = destination.exists()
    root.mkdir(parents=True)
    try:
        return _check_out(source, root, frozenset(given), working_tree=working_tree)
    except BaseException:
        remove(root if existed else destination)
        raise


def _check_out(source: str, root: Path, given: frozenset[bytes], *, working_tree: bool) -> Checkout:
    if _URL.match(source) and not source.startswith(_FILE):
        _refuse_working_tree(source, asked=working_tree)
        return _from_address(source, root, given)
    path, revision = _split_path(source)
    if not path.exists():
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
        return _from_archive(path, root, source) if path.is_file() else _plain(path, root, source)
    bare = not (path / ".git").exists()
    _refuse_working_tree(source, asked=working_tree and (bare or revision is not None))
    if working_tree:
        return _from_working_tree(path, root, source, given)
    return _from_repository(path, root, source, revision, given)


def _split_path(source: str) -> tuple[Path, str | None]:
    if source.startswith(_FILE):
        source = unquote(source.removeprefix(_FILE))
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


def _without_secrets(address: str) -> str:
    """Return an address that can stand in a report: no name, password or token of whoever asked."""
    if "://" not in address:
        return address
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()


def _is_repository(path: Path) -> bool:
    return (path / ".git").exists() or all((path / name).is_dir() for name in ("objects", "refs"))


def _refuse_working_tree(source: str, *, asked: bool) -> None:
    if asked:
        raise SourceError(
            "no-working-tree",
            f"{_without_secrets(source)} names commits, not files as they lie.",
            remedy="Leave --working-tree away, or name the folder of a working repository.",
        )


# ------------------------------------------------------------------------------ ways in


def _from_address(source: str, root: Path, given: frozenset[bytes]) -> Checkout:
    shown = _without_secrets(source)
    address, revision = _split_url(source)
    with tempfile.TemporaryDirectory(prefix="drydock-fetch-") as folder:
        target = Path(folder) / "fetched.git"
        fetch(address, target, shown=shown)
        return _from_repository(target, root, shown, revision, given)


def _from_archive(path: Path, root: Path, source: str) -> Checkout:
    writer = TreeWriter(root)
    unpack(path, writer)
    return _without_history(writer, source)


def _plain(path: Path, root: Path, source: str) -> Checkout:
    writer = TreeWriter(root)
    Folder(path).copy(writer)
    return _without_history(writer, source)


def _without_history(writer: TreeWriter, source: str) -> Checkout:
    tree = writer.finish()
    return Checkout(
        tree=tree, source=source, commit=None, tree_digest=tree_digest(tree), history=None
    )


def _from_repository(
    path: Path, root: Path, source: str, revision: str | None, given: frozenset[bytes]
) -> Checkout:
    with git.opened(path) as (repository, objects):
        commit = git.find_commit(repository, objects, revision)
        writer = TreeWriter(root, lift=False)
        notes = git.write_tree(objects, commit, writer)
        tree = writer.finish()
        if revision is None and (path / ".git").exists():
            notes += _changed(Folder(path, git.tracked(objects, commit)))
        return Checkout(
            tree=tree,
            source=source,
            commit=commit.id.decode(),
            tree_digest=tree_digest(tree),
            history=read_history(repository, objects, commit, given),
            notes=notes,
        )


def _from_working_tree(path: Path, root: Path, source: str, given: frozenset[bytes]) -> Checkout:
    with git.opened(path) as (repository, objects):
        commit = git.find_commit(repository, objects, None)
        folder = Folder(path, git.tracked(objects, commit))
        writer = TreeWriter(root, lift=False)
        folder.copy(writer)
        tree = writer.finish()
        found = Checkout(
            tree=tree,
            source=source,
            commit=commit.id.decode(),
            tree_digest=tree_digest(tree),
            history=read_history(repository, objects, commit, given),
        )
    if not (differing := folder.differing()):
        return found
    note = f"The working tree is graded as it lies: {_count(differing)} not committed."
    return replace(found, commit=None, notes=(note,))


def _changed(folder: Folder) -> tuple[str, ...]:
    if not (differing := folder.differing()):
        return ()
    how = "Commit them, or grade the files as they lie with --working-tree."
    return (f"The last commit is graded: {_count(differing)} not committed. {how}",)


def _count(files: int) -> str:
    return "1 file is" if files == 1 else f"{files} files are"
