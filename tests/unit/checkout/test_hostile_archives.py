from __future__ import annotations

import io
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SourceError
from grader.model import Checkout

from .conftest import PROJECT, tarred, zipped

Out = Callable[..., Checkout]


def refusal(out: Out, source: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        out(source)
    return caught.value


def test_folders_collide_by_case(tmp_path: Path, out: Out) -> None:
    path = zipped(tmp_path / "a.zip", {"Docs/a.md": b"", "docs/b.md": b""})
    assert refusal(out, path).slug == "name-collision"


def test_link_is_not_read_whole(tmp_path: Path, out: Out) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        item = zipfile.ZipInfo("link")
        item.external_attr = 0o120777 << 16
        item.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(item, b"a" * (80 * 2**20))
    assert refusal(out, tmp_path / "a.zip").slug in {"link-leads-nowhere", "unsafe-name"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_method_without_bounds_is_refused(method: int, tmp_path: Path, out: Out) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("a.py", b"x = 1\n")
    assert refusal(out, tmp_path / "a.zip").slug == "archive-method"


def unmarked(path: Path, name: bytes) -> Path:
    """Write a zip whose one name carries no mark of being in UTF-8, as macOS does."""
    zipped(path, {"?" * len(name): b"x = 1\n"})
    path.write_bytes(path.read_bytes().replace(b"?" * len(name), name))
    return path


def test_unmarked_name_is_read(tmp_path: Path, out: Out) -> None:
    checkout = out(unmarked(tmp_path / "a.zip", "é.py".encode()))
    assert [file.path.as_posix() for file in checkout.tree.files] == ["é.py"]


def test_name_in_latin_is_refused(tmp_path: Path, out: Out) -> None:
    error = refusal(out, unmarked(tmp_path / "a.zip", b"\xe9.py"))
    assert error.slug == "unsafe-name"
    assert "not UTF-8" in error.message


def test_name_cut_by_null_is_refused(tmp_path: Path, out: Out) -> None:
    error = refusal(out, unmarked(tmp_path / "a.zip", b"ok.py\0../x"))
    assert error.slug in {"unsafe-name", "archive-damaged"}


def test_long_list_is_not_read(tmp_path: Path, out: Out) -> None:
    path = zipped(tmp_path / "a.zip")
    content = path.read_bytes()
    end = bytearray(content[-22:])
    end[12:20] = struct.pack("<LL", 30 * 2**20, len(content) - 22)
    path.write_bytes(content[:-22] + bytes(30 * 2**20) + bytes(end))
    assert refusal(out, path).slug == "too-many-files"


def test_overlapping_members_are_counted(tmp_path: Path, out: Out) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(12):
            archive.writestr(f"{number}", bytes(5 * 2**20))
    assert refusal(out, path).slug == "source-too-large"


def test_quadratic_header_is_not_searched(tmp_path: Path, out: Out) -> None:
    item = tarfile.TarInfo("x")
    item.type, item.size = tarfile.XHDTYPE, 2**20
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(item, io.BytesIO(b"1" * 2**20))
    started = time.monotonic()
    assert refusal(out, tmp_path / "a.tar").slug == "archive-header"
    assert time.monotonic() - started < 5


def test_headers_are_counted_together(tmp_path: Path, out: Out) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for number in range(600):
            item = tarfile.TarInfo(f"{number}")
            item.pax_headers = {"comment": "a" * 7000}
            archive.addfile(item)
    assert refusal(out, path).slug == "archive-header"


def test_folders_without_end_are_refused(tmp_path: Path, out: Out) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for number in range(20_001):
            item = tarfile.TarInfo(f"{number}")
            item.type = tarfile.DIRTYPE
            archive.addfile(item)
    assert refusal(out, path).slug == "too-many-files"


def test_sparse_file_is_counted(tmp_path: Path, out: Out) -> None:
    item = tarfile.TarInfo("x")
    item.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(2**60),
    }
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(item)
    assert refusal(out, tmp_path / "a.tar").slug in {"source-too-large", "archive-damaged"}


def test_damage_in_middle_is_seen(tmp_path: Path, out: Out) -> None:
    path = tarred(tmp_path / "a.tar", mode="w")
    content = bytearray(path.read_bytes())
    content[1024 + 10] ^= 0xFF  # in the header of the second member
    path.write_bytes(content)
    assert refusal(out, path).slug == "archive-damaged"


def test_cut_between_members_is_seen(tmp_path: Path, out: Out) -> None:
    path = tarred(tmp_path / "a.tar", mode="w")
    path.write_bytes(path.read_bytes()[:1024])
    assert refusal(out, path).slug == "archive-damaged"


def test_archive_has_no_revision(tmp_path: Path, out: Out) -> None:
    path = zipped(tmp_path / "a.zip", PROJECT)
    with pytest.raises(SourceError, match="has no revisions"):
        out(f"{path}@v1")
