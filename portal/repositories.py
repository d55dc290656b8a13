"""Teams' repositories: one bare repository per team and challenge, under the data folder.

git itself does the work. Its hooks and settings keep what was submitted: ``main`` only goes
forward, nothing is deleted, and objects that no client should send are refused.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.checkout import check_out
from grader.checkout.remote import fetch
from portal.errors import PortalError

BRANCH = "main"
MAX_FILE = 5 * 2**20
"""Bytes of the largest file that a push may hold."""
MAX_PUSH = 100 * 2**20
"""Bytes that one push may send."""
APPROVALS = "drydock/"
"""Tags that are ours begin with this."""
_PATIENCE = 60
_ASIDE = ".withdrawn"
"""Where repositories of teams lie that were withdrawn."""
_HOOK = Path(__file__).parent / "hooks" / "receive.py"
_SETTINGS = {
    "http.receivepack": "true",
    "receive.denyNonFastForwards": "true",
    "receive.denyDeletes": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": str(MAX_PUSH),
    "uploadpack.allowFilter": "true",
    "gc.auto": "0",
}


@dataclass(frozen=True, slots=True)
class Repositories:
    """The folder of all repositories."""

    root: Path

    def place(self, team: str, challenge: str) -> Path:
        """Return where the repository of a team for a challenge lies, by their slugs."""
        return self.root / team / f"{challenge}.git"

    def ensure(self, team: str, challenge: str) -> Path:
        """Return the repository, made where it was not there: whole, or not at all."""
        place = self.place(team, challenge)
        if (place / "HEAD").exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as folder:
            new = Path(folder) / "new.git"
            git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(new))
            for name, value in _SETTINGS.items():
                git("config", name, value, at=new)
            self._write_hooks(new / "hooks")
            git("config", "core.hooksPath", str(place.absolute() / "hooks"), at=new)
            try:
                new.rename(place)
            except OSError:
                if not (place / "HEAD").exists():  # else somebody else was faster
                    raise
        return place

    def set_aside(self, team: str) -> None:
        """Move a team's repositories to where none is looked for, so that another may be so called.

        Nothing in them goes away.
        """
        place = self.root / team
        if place.exists():
            aside = self.root / _ASIDE
            aside.mkdir(exist_ok=True)
            place.rename(Path(tempfile.mkdtemp(prefix=f"{team}-", dir=aside)) / team)

    def settle(self) -> None:
        """Write every repository's hooks and settings anew: code and folder may have moved."""
        for place in sorted(self.root.glob("*/*.git")):
            for name, value in _SETTINGS.items():
                git("config", name, value, at=place)
            git("config", "core.hooksPath", str(place.absolute() / "hooks"), at=place)
            self._write_hooks(place / "hooks")

    def _write_hooks(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for name in ("pre-receive", "post-receive"):
            call = shlex.join([sys.executable, "-I", str(_HOOK), name])
            hook = folder / name
            hook.write_text(f"#!/bin/sh\nexec {call}\n", encoding="utf-8")
            hook.chmod(0o755)


def head(repository: Path) -> str | None:
    """Return the commit that ``main`` is at; None before the first push."""
    if not repository.exists():
        return None
    done = _run("rev-parse", "--verify", "--quiet", f"refs/heads/{BRANCH}", at=repository)
    return done.stdout.strip() or None


def file_lines(repository: Path, commit: str, path: str) -> list[str]:
    """Return the lines of a file as it was committed; none where it was not, or is no text."""
    done = _run("cat-file", "blob", f"{commit}:{path}", at=repository)
    if done.returncode or "\0" in done.stdout:
        return []
    return done.stdout.splitlines()


def holds(repository: Path, commit: str, path: str) -> bool:
    """Return whether a commit has a file or folder of this name."""
    return _run("cat-file", "-e", f"{commit}:{path}", at=repository).returncode == 0


def difference(repository: Path, old: str, new: str) -> str:
    """Return what changed between two commits, as a unified diff.

    :raises PortalError: git cannot tell (slug ``git-failed``)
    """
    return git("diff", "--no-color", "--no-ext-diff", "--no-textconv", old, new, at=repository)


def first_commit(repository: Path, commit: str) -> str:
    """Return where a commit's history begins: what the kit gave, where the team began with one."""
    return git("rev-list", "--max-parents=0", commit, at=repository).split()[-1]


def empty_tree(repository: Path) -> str:
    """Return the tree that holds nothing, to compare a first commit with."""
    return git("hash-object", "-t", "tree", "--stdin", at=repository).strip()


def tag(repository: Path, name: str, commit: str, message: str, by: str) -> None:
    """Tag a commit, with who did it; the same tag again changes nothing."""
    reference = f"refs/tags/{APPROVALS}{name}"
    if not _run("rev-parse", "--verify", "--quiet", reference, at=repository).returncode:
        return
    git("tag", "--annotate", "-m", message, f"{APPROVALS}{name}", commit, at=repository, by=by)


def commit_archive(repository: Path, archive: Path, message: str, by: str) -> str:
    """Make the files of an archive the next commit on ``main``, and return it.

    Where nothing in it differs from ``main``, that is the commit: sent again, it is no other one.

    :raises SourceError: the archive cannot become a tree
    """
    with tempfile.TemporaryDirectory(prefix="drydock-upload-") as folder:
        tree = check_out(str(archive), Path(folder) / "checkout").tree.root
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        work = ("--git-dir", str(repository), "--work-tree", str(tree))
        git(*work, "-c", "core.bare=false", "add", "--all", "--force", environment=index)
        written = git("write-tree", at=repository, environment=index).strip()
    parent = head(repository)
    if parent and git("rev-parse", f"{parent}^{{tree}}", at=repository).strip() == written:
        return parent
    parents = ("-p", parent) if parent else ()
    commit = git("commit-tree", written, *parents, "-m", message, at=repository, by=by).strip()
    git("update-ref", f"refs/heads/{BRANCH}", commit, parent or "0" * 40, at=repository)
    return commit


def bring(repository: Path, address: str, commit: str, *, shown: str) -> None:
    """Fetch a commit from elsewhere, and push it to ``main`` by the rules of any push.

    One that ``main`` has passed already changes nothing.

    :param shown: the address as errors name it
    :raises SourceError: the repository cannot be fetched
    :raises PortalError: it has no such commit (slug ``commit-unknown``), or the push is refused
        (slug ``push-refused``)
    """
    main = f"refs/heads/{BRANCH}"
    if not _run("merge-base", "--is-ancestor", commit, main, at=repository).returncode:
        return
    with tempfile.TemporaryDirectory(prefix="drydock-fetch-") as folder:
        fetched = Path(folder) / "fetched.git"
        fetch(address, fetched, shown=shown)
        if _run("cat-file", "-e", f"{commit}^{{commit}}", at=fetched).returncode:
            raise PortalError(
                "commit-unknown",
                f"{shown} has no commit {commit[:10]} on a branch or tag.",
                remedy="Push it there first.",
            )
        limits = {"DRYDOCK_MAX_FILE": str(MAX_FILE)}
        target = str(repository.absolute())
        pushed = _run("push", target, f"{commit}:{main}", at=fetched, environment=limits)
    if pushed.returncode:
        said = [line.removeprefix("remote: ").strip() for line in pushed.stderr.splitlines()]
        why = next((line for line in said if line and not line.startswith("To ")), "")
        raise PortalError(
            "push-refused",
            f"Commit {commit[:10]} cannot become that of {BRANCH} here: {why}",
            remedy=f"{BRANCH} only goes forward: let the commit descend from what was submitted.",
        )


def take_over(repository: Path, source: Path) -> str:
    """Make the head of another repository, with its history, that of ``main``; return the commit.

    Nothing that was submitted before goes away: its commits stay, under a reference of their own.
    """
    before = head(repository)
    if before is not None:
        git("update-ref", f"refs/drydock/before/{before}", before, at=repository)
    git("fetch", "--quiet", str(source), f"+HEAD:refs/heads/{BRANCH}", at=repository)
    return git("rev-parse", f"refs/heads/{BRANCH}", at=repository).strip()


def git(
    *arguments: str,
    at: Path | None = None,
    by: str = "Drydock",
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run git and return what it printed.

    :param at: a repository
    :param by: in whose name commits and tags are made
    :raises PortalError: git refuses (slug ``git-failed``)
    """
    done = _run(*arguments, at=at, by=by, environment=environment)
    if done.returncode:
        raise PortalError(
            "git-failed",
            f"git {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}",
            remedy="Look into the repository with git fsck.",
        )
    return done.stdout


def _run(
    *arguments: str,
    at: Path | None = None,
    by: str = "Drydock",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    where = ("--git-dir", str(at)) if at else ()
    return subprocess.run(  # noqa: S603 - git, with arguments of ours
        ["git", *where, *arguments],  # noqa: S607 - whichever git the machine has
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_PATIENCE,
        check=False,
        env={**quiet(by), **(environment or {})},
    )


def quiet(by: str) -> Mapping[str, str]:
    """Return the environment that git runs in here: nobody's own settings, nobody to ask."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": by,
        "GIT_AUTHOR_EMAIL": "drydock@localhost",
        "GIT_COMMITTER_NAME": "Drydock",
        "GIT_COMMITTER_EMAIL": "drydock@localhost",
        "LC_ALL": "C.UTF-8",
    }
