"""Small projects, and the ways they arrive."""

from __future__ import annotations

import io
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader.checkout import check_out
from grader.model import Checkout

Files = Mapping[str, bytes]
PROJECT: Files = {
    "pyproject.toml": b"[project]\nname = 'port'\n",
    "README.md": b"# Port\n",
    "src/port/__init__.py": b"",
    "src/port/model.py": b"RATE = 1.25\n",
}


def write(folder: Path, files: Files = PROJECT) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, subject: str = "Start the port") -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", subject)
    return git(folder, "rev-parse", "HEAD")


def zipped(path: Path, files: Files = PROJECT) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files = PROJECT, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # mode is a parameter
        for name, content in files.items():
            item = tarfile.TarInfo(name)
            item.size = len(content)
            archive.addfile(item, io.BytesIO(content))
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = write(tmp_path / "repository")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Callable[..., Checkout]:
    """Check a source out into a folder of its own."""
    numbers = iter(range(100))

    def check(source: object, *, working_tree: bool = False) -> Checkout:
        folder = tmp_path / f"out-{next(numbers)}"
        folder.mkdir()
        return check_out(str(source), folder, working_tree=working_tree)

    return check
