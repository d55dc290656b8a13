from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.checkout import MAX_FILES, check_out
from grader.checkout.tree import safe_name
from grader.errors import SourceError
from grader.model import Checkout

from .conftest import PROJECT, tarred, zipped

Out = Callable[..., Checkout]

UNSAFE = [
    "../up.py",
    "a/../../up.py",
    "/etc/passwd",
    "C:/windows.py",
    "a\\b.py",
    "a//b.py",
    "./a/./b.py",
    ".git/config",
    "a/.GIT/config",
    "git~1/config",
    ".git /config",
    ".g\u200cit/config",
    "bell\x07.py",
    "a" * 256,
    "/".join(["deep"] * 300),
]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_name_is_refused(name: str, tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError) as caught:
        out(zipped(tmp_path / "port.zip", {**PROJECT, name: b""}))
    assert caught.value.slug == "unsafe-name"


@pytest.mark.parametrize(
    "names", [("A.py", "a.py"), ("caf\u00e9.py", "cafe\u0301.py"), ("a", "a/b"), ("a/b", "a")]
)
def test_collision_is_refused(names: tuple[str, str], tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError) as caught:
        out(zipped(tmp_path / "port.zip", dict.fromkeys(names, b"")))
    assert caught.value.slug == "name-collision"


def test_too_many_files_are_refused(tmp_path: Path, out: Out) -> None:
    files = {f"{number}.txt": b"" for number in range(MAX_FILES + 1)}
    with pytest.raises(SourceError, match="more than 2,000 files"):
        out(zipped(tmp_path / "port.zip", files))


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_bomb_is_refused(pack: Callable[..., Path], tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="50 MB"):
        out(pack(tmp_path / "bomb", {"zeros.bin": bytes(120 * 2**20)}))


def test_bomb_in_header_is_refused(tmp_path: Path, out: Out) -> None:
    item = tarfile.TarInfo("x")
    item.pax_headers = {"comment": "a" * (130 * 2**20)}
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.addfile(item)
    with pytest.raises(SourceError, match="without measure"):
        out(tmp_path / "bomb.tar.gz")


def with_member(path: Path, item: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        archive.addfile(item)
        content = PROJECT["README.md"]
        readme = tarfile.TarInfo("README.md")
        readme.size = len(content)
        archive.addfile(readme, io.BytesIO(content))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    item = tarfile.TarInfo(name)
    item.type, item.linkname = kind, target
    return item


def test_link_inside_becomes_copy(tmp_path: Path, out: Out) -> None:
    source = with_member(tmp_path / "a.tar", link("docs/index.md", "../README.md"))
    copied = out(source).tree.root / "docs" / "index.md"
    assert copied.read_bytes() == PROJECT["README.md"]
    assert not copied.is_symlink()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc/passwd", ".."])
def test_link_outside_is_refused(target: str, tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="leads out of the source"):
        out(with_member(tmp_path / "a.tar", link("docs", target)))


@pytest.mark.parametrize("target", ["nothing", "docs", "loop"])
def test_link_to_nowhere_is_refused(target: str, tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="does not lead to a file"):
        out(with_member(tmp_path / "a.tar", link("loop", target)))


def test_hard_link_is_refused(tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="hard link"):
        out(with_member(tmp_path / "a.tar", link("x", "/etc/passwd", tarfile.LNKTYPE)))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_device_is_refused(kind: bytes, tmp_path: Path, out: Out) -> None:
    with pytest.raises(SourceError, match="device, pipe or socket"):
        out(with_member(tmp_path / "a.tar", link("x", "", kind)))


def test_link_in_zip_is_seen(tmp_path: Path, out: Out) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        item = zipfile.ZipInfo("secret")
        item.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(item, "/etc/shadow")
    with pytest.raises(SourceError, match="leads out of the source"):
        out(tmp_path / "a.zip")


def test_encrypted_member_is_refused(tmp_path: Path, out: Out) -> None:
    path = zipped(tmp_path / "a.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(SourceError, match="encrypted"):
        out(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9"])
def test_damaged_archive_is_refused(content: bytes, tmp_path: Path, out: Out) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        out(tmp_path / "a")
    assert caught.value.slug in {"archive-damaged", "source-empty"}


def test_cut_archive_is_refused(tmp_path: Path, out: Out) -> None:
    path = tarred(tmp_path / "a.tar.xz", {"a": bytes(range(256)) * 400}, mode="w:xz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(SourceError, match="cannot be unpacked"):
        out(path)


NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
    | st.sampled_from([*UNSAFE, "a/b.py", "a/c.py", "A/b.py", "README.md"]),
    min_size=1,
    max_size=6,
    unique=True,
)


def is_safe(name: str) -> bool:
    try:
        safe_name(name)
    except SourceError:
        return False
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=NAMES)
def test_any_names_become_tree_or_error(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        source = tarred(folder / "a.tar", dict.fromkeys(names, b"x"), mode="w")
    except (ValueError, UnicodeError):
        return  # tarfile itself cannot write such a name
    try:
        tree = check_out(str(source), folder / "out").tree
    except SourceError:
        assert not (folder / "out").exists()
    else:
        assert all(is_safe(name.removeprefix("./")) for name in names if not name.endswith("/"))
        assert len(tree.files) <= len(names)
