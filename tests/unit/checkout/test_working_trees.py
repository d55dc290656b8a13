from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SourceError
from grader.model import Checkout

from .conftest import PROJECT, commit, git, write

Out = Callable[..., Checkout]


def names(checkout: Checkout) -> list[str]:
    return [file.path.as_posix() for file in checkout.tree.files]


@pytest.mark.parametrize("pattern", ["data/\n", "*.csv\n", "data/*\n!data/other.csv\n"])
def test_tracked_file_counts_though_ignored(pattern: str, repository: Path, out: Out) -> None:
    write(repository, {".gitignore": pattern.encode(), "data/train.csv": b"a\n1\n"})
    git(repository, "add", "--force", "data/train.csv")
    commit(repository, "Add the data")
    committed, lying = out(repository), out(repository, working_tree=True)
    assert committed.notes == lying.notes == ()
    assert lying.tree_digest == committed.tree_digest


def test_exception_to_ignored_folder_counts(repository: Path, out: Out) -> None:
    write(repository, {".gitignore": b"out/*\n!out/keep.md\n", "out/keep.md": b"", "out/x": b""})
    assert "out/keep.md" in names(out(repository, working_tree=True))
    assert "out/x" not in names(out(repository, working_tree=True))


def test_ignored_files_are_not_counted(repository: Path, out: Out) -> None:
    write(repository, {".gitignore": b".venv/\n"})
    commit(repository, "Ignore the environment")
    write(repository, {f".venv/{number}.py": b"" for number in range(5)})
    assert out(repository).notes == ()


def test_removed_file_is_counted(repository: Path, out: Out) -> None:
    (repository / "README.md").unlink()
    assert "1 file is not committed" in out(repository).notes[0]


def test_pipe_does_not_block(repository: Path, out: Out) -> None:
    os.mkfifo(repository / "pipe")
    assert "1 file is not committed" in out(repository).notes[0]
    with pytest.raises(SourceError, match="'pipe' is neither"):
        out(repository, working_tree=True)


def test_pipe_for_ignore_file_does_not_block(tmp_path: Path, out: Out) -> None:
    folder = write(tmp_path / "plain")
    os.mkfifo(folder / ".gitignore")
    with pytest.raises(SourceError, match=r"'\.gitignore' is neither"):
        out(folder)


def test_link_out_of_folder_is_refused(tmp_path: Path, out: Out) -> None:
    folder = write(tmp_path / "plain")
    (folder / "data").symlink_to("/etc")
    with pytest.raises(SourceError, match="leads out"):
        out(folder)


def test_link_in_folder_becomes_copy(repository: Path, out: Out) -> None:
    (repository / "index.md").symlink_to("README.md")
    commit(repository, "Link the index")
    committed, lying = out(repository), out(repository, working_tree=True)
    assert (lying.tree.root / "index.md").read_bytes() == PROJECT["README.md"]
    assert lying.tree_digest == committed.tree_digest


def test_repository_inside_is_left_out(repository: Path, out: Out) -> None:
    inner = write(repository / "vendored", {"a.py": b""})
    git(inner, "init", "--quiet")
    assert out(repository).notes == ()
    assert names(out(repository, working_tree=True)) == sorted(PROJECT)


def test_subfolder_is_plain(repository: Path, out: Out) -> None:
    checkout = out(repository / "src" / "port")
    assert (checkout.commit, checkout.history) == (None, None)
    assert names(checkout) == ["__init__.py", "model.py"]


@pytest.mark.parametrize("ending", ["@main", ".git"])
def test_commits_are_no_working_tree(ending: str, repository: Path, out: Out) -> None:
    git(repository.parent, "clone", "--quiet", "--bare", str(repository), f"{repository}.git")
    with pytest.raises(SourceError) as caught:
        out(f"{repository}{ending}", working_tree=True)
    assert caught.value.slug == "no-working-tree"


def test_linked_working_tree_is_taken(repository: Path, tmp_path: Path, out: Out) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    assert out(tmp_path / "linked").commit == git(repository, "rev-parse", "HEAD")


def test_configured_working_tree_is_not(repository: Path, tmp_path: Path, out: Out) -> None:
    write(tmp_path / "elsewhere", {"secret.py": b""})
    git(repository, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert names(out(repository, working_tree=True)) == sorted(PROJECT)
    assert out(repository).notes == ()


def test_unreadable_folder_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "plain")
    (folder / "src").chmod(0)
    # Root reads everything, unless it gives that up.
    humbly = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    command = [sys.executable, "-m", "portal.cli", "standards", str(folder)]
    if os.geteuid() == 0:
        command = humbly + command
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot be read" in done.stderr
