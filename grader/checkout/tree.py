"""The tree being made: the one place that decides which names and sizes may enter it."""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.errors import SourceError
from grader.model import Tree, TreeFile

MAX_FILES = 2_000
MAX_BYTES = 50 * 2**20
_MAX_NAME = 255
_MAX_PATH = 1_024
_MAX_LINKS = 40
"""Links that may lead to one another, as in the kernel."""
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@dataclass(slots=True)
class TreeWriter:
    """Writes a tree file by file, and refuses what may not be in one.

    Sizes are counted as the bytes arrive; what a header announces is never believed.
    """

    root: Path
    lift: bool = True
    """Whether a single top folder is dropped, as forges put one around a project's archive."""
    _files: dict[str, TreeFile] = field(default_factory=dict)
    _links: dict[str, str] = field(default_factory=dict)
    _folded: dict[str, str] = field(default_factory=dict)
    """Files by the name that a file system without case would know them by, and links."""
    _folders: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0

    def add(self, path: str, chunks: Iterable[bytes]) -> None:
        """Write a regular file.

        :raises SourceError: its name or its size cannot be taken
        """
        name = self._take(path)
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with target.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                self._bytes += len(chunk)
                if self._bytes > MAX_BYTES:
                    raise SourceError(
                        "source-too-large",
                        f"The source holds more than {MAX_BYTES // 2**20} MB; {name!r} goes over.",
                        remedy="Leave data, models and environments out of the repository.",
                    )
                digest.update(chunk)
                file.write(chunk)
        self._files[name] = TreeFile(path=PurePosixPath(name), size=size, digest=digest.hexdigest())

    def link(self, path: str, target: str) -> None:
        """Note a symbolic link; it becomes a copy of the file it leads to.

        :raises SourceError: it leaves the tree
        """
        name = self._take(path)
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if target.startswith("/") or inside == ".." or inside.startswith("../"):
            raise SourceError(
                "link-leaves-tree",
                f"The link {name!r} leads out of the source.",
                remedy="Put a copy of the file in its place.",
            )
        self._links[name] = inside

    def finish(self) -> Tree:
        """Resolve links, lift a single top folder, make all read-only, and return the tree.

        :raises SourceError: a link leads nowhere, or there is no file at all
        """
        for name in self._links:
            target = self._follow(name)
            del self._folded[_fold(name)]
            self.add(name, [(self.root / target).read_bytes()])
        if not self._files:
            raise SourceError(
                "source-empty", "The source holds no file.", remedy="Commit the project first."
            )
        if self.lift:
            self._lift_single_top()
        lock(self.root)
        return Tree(root=self.root, files=tuple(self._files[name] for name in sorted(self._files)))

    def _lift_single_top(self) -> None:
        """Move everything up, if one folder holds it all."""
        tops = {name.split("/", 1)[0] for name in self._files}
        if len(tops) != 1 or not all("/" in name for name in self._files):
            return
        top = tops.pop()
        aside = self.root.with_name(f"{self.root.name}.lifted")
        (self.root / top).rename(aside)
        self.root.rmdir()
        aside.rename(self.root)
        self._files = {
            name.removeprefix(f"{top}/"): replace(
                file, path=PurePosixPath(name.removeprefix(f"{top}/"))
            )
            for name, file in self._files.items()
        }

    def _follow(self, name: str) -> str:
        target = name
        for _ in range(_MAX_LINKS):
            if target in self._files:
                return target
            target = self._links.get(target, "")
        raise SourceError(
            "link-leads-nowhere",
            f"The link {name!r} does not lead to a file of the source.",
            remedy="Put a copy of the file in its place; links to folders are not taken.",
        )

    def _take(self, path: str) -> str:
        name = safe_name(path)
        if len(self._folded) >= MAX_FILES:
            raise SourceError(
                "too-many-files",
                f"The source holds more than {MAX_FILES:,} files.",
                remedy="Leave environments, caches and data out of the repository.",
            )
        folded = _fold(name)
        if taken := self._folded.get(folded):
            raise _collision(f"{name!r} and {taken!r} are one file on some systems")
        if taken := self._folders.get(folded):
            raise _collision(f"{name!r} is a file, and the folder {taken!r} is there too")
        for parent in _parents(name):
            self._enter(parent, name)
        self._folded[folded] = name
        return name

    def _enter(self, folder: str, name: str) -> None:
        """Note a folder, unless it is a file as well or is spelled in another way elsewhere."""
        folded = _fold(folder)
        if taken := self._folded.get(folded):
            raise _collision(f"{taken!r} is a file, and {name!r} needs it to be a folder")
        if (taken := self._folders.setdefault(folded, folder)) != folder:
            raise _collision(f"The folders {folder!r} and {taken!r} are one on some systems")


def safe_name(path: str) -> str:
    """Return a path inside the tree, or refuse it.

    :raises SourceError: it leaves the tree, or some system would read it as another path
    """
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _refused(path, "is not UTF-8") from error
    parts = path.split("/")
    problems = (
        (path.startswith("/") or re.match("[A-Za-z]:", path), "is an absolute path"),
        (".." in parts, "leads out of the source"),
        ("" in parts or "." in parts, "has an empty part"),
        ("\\" in path, "holds a backslash"),
        (any(unicodedata.category(letter) == "Cc" for letter in path), "holds a control character"),
        (any(map(_is_git, parts)), "lies in a .git folder"),
        (len(raw) > _MAX_PATH or any(len(p.encode()) > _MAX_NAME for p in parts), "is too long"),
    )
    for found, problem in problems:
        if found:
            raise _refused(path, problem)
    return path


def tree_of(path: Path) -> Tree:
    """Return the tree of a folder that is clean already, sorted by path.

    :raises SourceError: it holds something other than regular files and folders
    """
    return Tree(root=path, files=tuple(_listed(path)))


def tree_digest(tree: Tree) -> str:
    """Return SHA-256 over the sorted paths and contents."""
    lines = (f"{file.path.as_posix()}\0{file.digest}\n" for file in tree.files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def lock(root: Path) -> None:
    """Make a tree read-only."""
    for path in root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    root.chmod(0o555)


def remove(root: Path) -> None:
    """Remove a tree that may be read-only."""
    if not root.exists():
        return
    for path in (root, *root.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(root)


def _listed(root: Path) -> Iterator[TreeFile]:
    for path in sorted(root.rglob("*"), key=lambda item: item.relative_to(root).as_posix()):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise _refused(path.relative_to(root).as_posix(), "is not a regular file")
        if path.is_file():
            content = path.read_bytes()
            yield TreeFile(
                path=PurePosixPath(path.relative_to(root).as_posix()),
                size=len(content),
                digest=hashlib.sha256(content).hexdigest(),
            )


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _collision(problem: str) -> SourceError:
    return SourceError("name-collision", f"{problem}.", remedy="Rename one of them.")


def _refused(path: str, problem: str) -> SourceError:
    shown = path.encode("utf-8", "backslashreplace").decode()[:120]
    return SourceError(
        "unsafe-name", f"The path {shown!r} {problem}.", remedy="Rename it, or leave it out."
    )


def _is_git(part: str) -> bool:
    """Say whether some file system would read this name as ``.git``."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", part)).casefold()
    return plain.split(":")[0].rstrip(". ") in {".git", "git~1"}


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
