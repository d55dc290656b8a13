from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.checkout import check_out
from grader.errors import SourceError
from grader.model import Checkout

from .conftest import PROJECT, commit, git, tarred, write, zipped

Out = Callable[..., Checkout]


def names(checkout: Checkout) -> list[str]:
    return [file.path.as_posix() for file in checkout.tree.files]


def test_each_way_gives_same_digest(tmp_path: Path, repository: Path, out: Out) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare.git")
    sources = [
        repository,
        tmp_path / "bare.git",
        f"file://{repository}",
        write(tmp_path / "plain"),
        zipped(tmp_path / "port.zip"),
        tarred(tmp_path / "port.tar.gz"),
        tarred(tmp_path / "port.tar", mode="w"),
        tarred(tmp_path / "port.tar.bz2", mode="w:bz2"),
        tarred(tmp_path / "port.tar.xz", mode="w:xz"),
    ]
    assert len({out(source).tree_digest for source in sources}) == 1


def test_tree_is_read_only(repository: Path, out: Out) -> None:
    root = out(repository).tree.root
    modes = {path.stat().st_mode & 0o777 for path in root.rglob("*")}
    assert modes == {0o555, 0o444}


def test_no_git_folder_inside(repository: Path, out: Out) -> None:
    assert names(out(repository)) == sorted(PROJECT)


def test_single_top_folder_is_lifted(tmp_path: Path, out: Out) -> None:
    wrapped = {f"port-1.0/{name}": content for name, content in PROJECT.items()}
    assert names(out(zipped(tmp_path / "port.zip", wrapped))) == sorted(PROJECT)


def test_only_folder_of_repository_stays(tmp_path: Path, out: Out) -> None:
    folder = write(tmp_path / "repository", {"src/port/model.py": b"x = 1\n"})
    git(folder, "init", "--quiet")
    commit(folder)
    assert names(out(folder)) == ["src/port/model.py"]


def test_revision_names_branch_tag_commit(repository: Path, out: Out) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1")
    write(repository, {"more.py": b"x = 1\n"})
    commit(repository, "More")
    for revision in ("v1", first, first[:9]):
        assert out(f"{repository}@{revision}").commit == first
    assert out(f"{repository}@main").commit != first


def test_unknown_revision_is_refused(repository: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="no revision 'v9'"):
        out(f"{repository}@v9")


def test_uncommitted_changes_are_noted(repository: Path, out: Out) -> None:
    write(repository, {"README.md": b"changed\n", "new.py": b"x = 1\n"})
    checkout = out(repository)
    assert "2 files are not committed" in checkout.notes[0]
    assert (checkout.tree.root / "README.md").read_bytes() == PROJECT["README.md"]


def test_working_tree_is_taken_as_lies(repository: Path, out: Out) -> None:
    write(repository, {"new.py": b"x = 1\n", ".gitignore": b".venv/\n", ".venv/a": b"b"})
    checkout = out(repository, working_tree=True)
    assert "new.py" in names(checkout)
    assert ".venv/a" not in names(checkout)
    assert checkout.commit is None


def test_clean_working_tree_keeps_commit(repository: Path, out: Out) -> None:
    checkout = out(repository, working_tree=True)
    assert checkout.commit == git(repository, "rev-parse", "HEAD")


def test_history_is_newest_first(repository: Path, out: Out) -> None:
    write(repository, {"src/port/model.py": b"RATE = 1.25\nFLOOR = 100\n"})
    commit(repository, "Add the floor")
    git(repository, "tag", "v0.1.0")
    history = out(repository).history
    assert history is not None
    assert [item.subject for item in history.commits] == ["Add the floor", "Start the port"]
    assert (history.commits[0].files, history.commits[0].lines) == (1, 1)
    assert history.tags == ("v0.1.0",)


def test_plain_directory_has_no_history(tmp_path: Path, out: Out) -> None:
    checkout = out(write(tmp_path / "plain"))
    assert (checkout.history, checkout.commit) == (None, None)


def test_submodules_are_left_out(repository: Path, out: Out) -> None:
    sha = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{sha},vendored")
    git(repository, "commit", "--quiet", "--message", "Add a submodule")
    checkout = out(f"{repository}@main")
    assert checkout.notes == ("Submodules are left out: vendored.",)


def test_repository_configuration_runs_nothing(repository: Path, out: Out, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for key in ("core.fsmonitor", "core.pager", "filter.x.smudge", "diff.external", "gpg.program"):
        git(repository, "config", key, f"touch {trap}; false")
    git(repository, "config", "core.fsmonitor", "false")
    write(repository, {".gitattributes": b"* filter=x\n"})
    git(repository, "-c", "filter.x.clean=cat", "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Filter everything")
    git(repository, "config", "core.fsmonitor", f"touch {trap}; false")
    trap.unlink(missing_ok=True)
    out(repository)
    out(repository, working_tree=True)
    assert not trap.exists()


def test_borrowed_objects_are_refused(repository: Path, tmp_path: Path, out: Out) -> None:
    git(tmp_path, "clone", "--quiet", "--shared", "--bare", str(repository), "shared.git")
    with pytest.raises(SourceError, match="borrows its objects"):
        out(tmp_path / "shared.git")


def test_huge_packed_object_is_refused(repository: Path, out: Out) -> None:
    write(repository, {"zeros.bin": bytes(60 * 2**20)})
    commit(repository, "Add zeros")
    git(repository, "repack", "-adq")
    with pytest.raises(SourceError, match="more than 50 MB"):
        out(f"{repository}@main")


def test_huge_loose_object_is_refused(repository: Path, out: Out) -> None:
    write(repository, {"zeros.bin": bytes(60 * 2**20)})
    commit(repository, "Add zeros")
    with pytest.raises(SourceError, match="more than 50 MB"):
        out(f"{repository}@main")


def test_damaged_object_is_refused(repository: Path, out: Out) -> None:
    blob = git(repository, "rev-parse", "HEAD:src/port/model.py")
    loose = repository / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(b"not zlib")
    with pytest.raises(SourceError, match="damaged"):
        out(f"{repository}@main")


def test_missing_source_is_named(tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="There is no"):
        out(tmp_path / "nothing")


def test_revision_needs_repository(tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="not a git repository"):
        out(f"{write(tmp_path / 'plain')}@main")


def test_empty_directory_is_refused(tmp_path: Path, out: Out) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no file"):
        out(tmp_path / "empty")


def test_special_file_is_refused(tmp_path: Path, out: Out) -> None:
    folder = write(tmp_path / "plain")
    os.mkfifo(folder / "pipe")
    with pytest.raises(SourceError, match="'pipe' is neither"):
        out(folder)


def test_unknown_scheme_is_refused(out: Out) -> None:
    with pytest.raises(SourceError, match="ext is not a way"):
        out("ext://sh -c touch% trap")


def test_nothing_is_left_after_error(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SourceError):
        check_out(str(zipped(tmp_path / "bad.zip", {"ok.py": b"", "../x": b""})), folder)
    assert list(folder.iterdir()) == []


@pytest.fixture
def served(repository: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the repository by the git protocol, on a port of its own."""
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "served.git")
    port = str(20_000 + os.getpid() % 20_000)
    command = ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen(
        [*command, f"--base-path={tmp_path}", "--export-all", "--verbose", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert server.stderr is not None
    assert "Ready" in server.stderr.readline()
    yield f"git://127.0.0.1:{port}/served.git"
    os.killpg(server.pid, 15)
    server.communicate()


def test_address_is_fetched(served: str, repository: Path, out: Out) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert out(served).commit == head
    assert out(f"{served}@main").commit == head


def test_unreachable_address_is_named(out: Out) -> None:
    with pytest.raises(SourceError, match="cannot be fetched"):
        out("git://127.0.0.1:1/nothing.git")


def test_data_lines_count_not(repository: Path, out: Out) -> None:
    write(repository, {"train.csv": b"a,b\n" * 500, "uv.lock": b"x\n" * 90, "notes.md": b"one\n"})
    commit(repository, "Bring the data")
    history = out(repository).history
    assert history is not None
    assert history.commits[0].lines == 1
