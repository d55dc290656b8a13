from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from grader.checkout import tree_of, unpack_wheel
from grader.errors import SourceError

from .conftest import write

PURE = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
WHEEL = {
    "port/__init__.py": b"",
    "port-1.0.dist-info/WHEEL": PURE,
    "port-1.0.dist-info/METADATA": b"Name: port\nVersion: 1.0\n",
}


def packed(tmp_path: Path, files: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return (tmp_path / "a.whl").read_bytes()


def test_wheel_is_installed(tmp_path: Path) -> None:
    names = unpack_wheel(packed(tmp_path, WHEEL), tmp_path / "site")
    assert names == tuple(sorted(WHEEL))
    assert (tmp_path / "site" / "port" / "__init__.py").is_file()


def test_purelib_goes_to_root(tmp_path: Path) -> None:
    files = {**WHEEL, "port-1.0.data/purelib/port/extra.py": b""}
    assert "port/extra.py" in unpack_wheel(packed(tmp_path, files), tmp_path / "site")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({**WHEEL, "port-1.0.data/scripts/port": b""}, "installs into 'scripts'"),
        ({**WHEEL, "port-1.0.dist-info/WHEEL": PURE.replace(b"true", b"false")}, "not pure"),
        ({"port/__init__.py": b""}, "no WHEEL file"),
        ({**WHEEL, "../up.py": b""}, "leads out"),
    ],
)
def test_other_wheel_is_refused(files: dict[str, bytes], problem: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=problem):
        unpack_wheel(packed(tmp_path, files), tmp_path / "site")


def test_damaged_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="damaged"):
        unpack_wheel(b"PK\x03\x04nonsense", tmp_path / "site")


def test_tree_lists_sorted_files(tmp_path: Path) -> None:
    tree = tree_of(write(tmp_path / "clean"))
    names = [file.path.as_posix() for file in tree.files]
    assert names == sorted(names)
    assert tree.files[0].size == 7


def test_tree_refuses_links(tmp_path: Path) -> None:
    folder = write(tmp_path / "clean")
    (folder / "link").symlink_to("README.md")
    with pytest.raises(SourceError, match="not a regular file"):
        tree_of(folder)


def test_link_in_wheel_is_refused(tmp_path: Path) -> None:
    packed(tmp_path, WHEEL)
    with zipfile.ZipFile(tmp_path / "a.whl", "a") as wheel:
        item = zipfile.ZipInfo("port/link.py")
        item.external_attr = 0o120777 << 16
        wheel.writestr(item, "/etc/passwd")
    with pytest.raises(SourceError, match="is a link"):
        unpack_wheel((tmp_path / "a.whl").read_bytes(), tmp_path / "site")


def test_bomb_in_wheel_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("port-1.0.dist-info/WHEEL", bytes(120 * 2**20))
    with pytest.raises(SourceError, match="50 MB"):
        unpack_wheel((tmp_path / "a.whl").read_bytes(), tmp_path / "site")


@pytest.mark.parametrize(
    "name", ["other-1.0.dist-info/WHEEL", "other-1.0.data/purelib/x.py"], ids=["info", "data"]
)
def test_second_distribution_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="distribution"):
        unpack_wheel(packed(tmp_path, {**WHEEL, name: PURE}), tmp_path / "site")


def test_nothing_is_left_of_bad_wheel(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        unpack_wheel(packed(tmp_path, {**WHEEL, "../up.py": b""}), tmp_path / "site")
    assert not (tmp_path / "site").exists()
