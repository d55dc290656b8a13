from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.checkout import remote
from grader.errors import SourceError
from grader.model import Checkout

from .conftest import commit, git, write

Out = Callable[..., Checkout]


def put(repository: Path, kind: bytes, content: bytes, size: int | None = None) -> str:
    """Write a loose object, which git itself would not write, and return its id."""
    raw = b"%s %d\0" % (kind, len(content) if size is None else size) + content
    sha = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
    path = repository / ".git" / "objects" / sha[:2] / sha[2:]
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(zlib.compress(raw, 1))
    return sha


def put_tree(repository: Path, *entries: tuple[bytes, str]) -> str:
    """Commit a tree of raw entries, each a mode with a name and an id."""
    tree = b"".join(name + b"\0" + bytes.fromhex(sha) for name, sha in entries)
    return put_commit(repository, put(repository, b"tree", tree))


def put_commit(repository: Path, tree: str, message: bytes = b"x") -> str:
    who = b"Ada <ada@example.org> 1700000000 +0000"
    head = b"tree %s\nauthor %s\ncommitter %s\n\n" % (tree.encode(), who, who)
    return put(repository, b"commit", head + message)


def slug(out: Out, source: str) -> str:
    with pytest.raises(SourceError) as caught:
        out(source)
    return caught.value.slug


@pytest.mark.parametrize(
    "name", [b"..", b".git", b".GIT", b"git~1", b".g\xe2\x80\x8cit", b"", b"."]
)
def test_unsafe_entry_is_refused(name: bytes, repository: Path, out: Out) -> None:
    inner = put(
        repository, b"tree", b"100644 config\0" + bytes.fromhex(put(repository, b"blob", b""))
    )
    made = put_tree(repository, (b"40000 " + name, inner))
    assert slug(out, f"{repository}@{made}") in {"unsafe-name", "repository-damaged"}


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"A", b"a"), (b"a/b", b"a")])
def test_entries_must_not_collide(names: tuple[bytes, bytes], repository: Path, out: Out) -> None:
    blob = put(repository, b"blob", b"x")
    made = put_tree(repository, *((b"100644 " + name, blob) for name in names))
    assert slug(out, f"{repository}@{made}") == "name-collision"


def test_name_must_be_utf8(repository: Path, out: Out) -> None:
    made = put_tree(repository, (b"100644 \xff", put(repository, b"blob", b"")))
    assert slug(out, f"{repository}@{made}") == "unsafe-name"


def test_device_is_refused(repository: Path, out: Out) -> None:
    made = put_tree(repository, (b"020666 null", put(repository, b"blob", b"")))
    assert slug(out, f"{repository}@{made}") == "special-file"


def test_link_out_is_refused(repository: Path, out: Out) -> None:
    made = put_tree(repository, (b"120000 link", put(repository, b"blob", b"/etc/passwd")))
    assert slug(out, f"{repository}@{made}") == "link-leads-tree".replace("leads", "leaves")


def test_folders_without_end_are_refused(repository: Path, out: Out) -> None:
    tree = put(repository, b"tree", b"")
    for _ in range(20):
        tree = put(
            repository,
            b"tree",
            b"".join(b"40000 %d\0" % number + bytes.fromhex(tree) for number in range(10)),
        )
    assert slug(out, f"{repository}@{put_commit(repository, tree)}") == "too-many-files"


def test_size_in_header_is_not_believed(repository: Path, out: Out) -> None:
    bomb = put(repository, b"blob", bytes(200 * 2**20), size=5)
    made = put_tree(repository, (b"100644 zeros", bomb))
    assert slug(out, f"{repository}@{made}") == "source-too-large"


def test_endless_message_is_refused(repository: Path, out: Out) -> None:
    tree = git(repository, "rev-parse", "HEAD^{tree}")
    made = put_commit(repository, tree, bytes(2**21))
    assert slug(out, f"{repository}@{made}") == "source-too-large"


def test_object_must_be_what_id_says(repository: Path, out: Out) -> None:
    blob = git(repository, "rev-parse", "HEAD:README.md")
    loose = repository / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(0o644)
    loose.write_bytes(zlib.compress(b"blob 4\0evil"))
    assert slug(out, f"{repository}@main") == "repository-damaged"


def test_revision_must_lead_to_commit(repository: Path, out: Out) -> None:
    blob = git(repository, "rev-parse", "HEAD:README.md")
    assert slug(out, f"{repository}@{blob}") == "unknown-revision"


def test_annotated_tag_leads_to_commit(repository: Path, out: Out) -> None:
    git(repository, "tag", "--annotate", "--message", "One", "v1")
    assert out(f"{repository}@v1").commit == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("revision", ["../config", "HEAD~1", "a b", "", "0" * 40, "\udcff", "zz"])
def test_no_such_revision_is_named(revision: str, repository: Path, out: Out) -> None:
    assert slug(out, f"{repository}@{revision}") == "unknown-revision"


def test_empty_repository_has_no_commit(tmp_path: Path, out: Out) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(SourceError, match="has no commit"):
        out(tmp_path / "empty")


def test_pointer_to_other_repository_is_refused(repository: Path, tmp_path: Path, out: Out) -> None:
    thief = write(tmp_path / "thief")
    (thief / ".git").write_text(f"gitdir: {repository / '.git'}\n")
    assert slug(out, str(thief)) == "borrowed-objects"


def test_link_to_other_repository_is_refused(repository: Path, tmp_path: Path, out: Out) -> None:
    thief = write(tmp_path / "thief")
    (thief / ".git").symlink_to(repository / ".git")
    assert slug(out, str(thief)) == "borrowed-objects"


def test_common_folder_elsewhere_is_refused(repository: Path, tmp_path: Path, out: Out) -> None:
    thief = tmp_path / "thief"
    git(tmp_path, "init", "--quiet", "--bare", str(thief))
    (thief / "commondir").write_text(str(repository / ".git"))
    assert slug(out, str(thief)) == "borrowed-objects"


@pytest.mark.parametrize(
    "text", ["[core\n", "[core]\nrepositoryformatversion = 9\n", "[include]\npath = /etc/passwd\n"]
)
def test_bad_configuration_is_one_error(text: str, repository: Path, out: Out) -> None:
    (repository / ".git" / "config").write_text(text)
    assert slug(out, str(repository)) == "repository-damaged"


def test_shallow_clone_has_short_history(repository: Path, tmp_path: Path, out: Out) -> None:
    write(repository, {"more.py": b"x = 1\n"})
    commit(repository, "More")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{repository}", "shallow")
    history = out(tmp_path / "shallow").history
    assert history is not None
    assert [item.subject for item in history.commits] == ["More"]


def test_merge_adds_no_lines(repository: Path, out: Out) -> None:
    git(repository, "switch", "--quiet", "--create", "side")
    write(repository, {"side.py": b"x = 1\n"})
    commit(repository, "Side")
    git(repository, "switch", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--no-edit", "side")
    history = out(repository).history
    assert history is not None
    (merge,) = (item for item in history.commits if item.parents == 2)
    assert (merge.files, merge.lines) == (0, 0)
    assert len(history.commits) == 3


def test_binary_files_have_no_lines(repository: Path, out: Out) -> None:
    write(repository, {"model.bin": b"\0\n" * 100})
    commit(repository, "Add a model")
    history = out(repository).history
    assert history is not None
    assert (history.commits[0].files, history.commits[0].lines) == (1, 0)


def test_password_stays_out_of_errors(out: Out) -> None:
    with pytest.raises(SourceError) as caught:
        out("http://ada:sesame@127.0.0.1:1/port.git?token=sesame@v1")
    assert "sesame" not in str(caught.value)


def test_damaged_pack_is_one_error(repository: Path, out: Out) -> None:
    git(repository, "gc", "--quiet")
    (pack,) = (repository / ".git" / "objects" / "pack").glob("*.pack")
    pack.chmod(0o644)
    content = bytearray(pack.read_bytes())
    content[12:-20] = bytes(len(content) - 32)
    pack.write_bytes(content)
    assert slug(out, f"{repository}@main") == "repository-damaged"


def test_bound_hides_behind_later_error() -> None:
    bound, later = MemoryError(), BufferError("views are held")
    later.__context__ = bound
    assert remote._is_too_large(later)
    assert not remote._is_too_large(BufferError())
