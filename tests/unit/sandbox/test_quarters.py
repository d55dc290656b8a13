from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.model import Binding
from grader.sandbox.quarters import SHOWN, USER, Quarters, grant


@pytest.fixture
def quarters() -> Iterator[Quarters]:
    held = Quarters()
    yield held
    held.close()


def test_folder_is_shown_in_place(quarters: Quarters) -> None:
    folder = quarters.new_folder("input")
    assert quarters.shown_path(folder, ()) == SHOWN / "folders" / folder.name


def test_folders_are_never_shared(quarters: Quarters) -> None:
    assert quarters.new_folder("input") != quarters.new_folder("input")


def test_folders_are_closed_to_others(quarters: Quarters) -> None:
    assert quarters.folders.stat().st_mode & 0o777 == 0o700


def test_folders_belong_to_jobs_user(quarters: Quarters) -> None:
    expected = USER if os.getuid() == 0 else os.getuid()
    assert quarters.folders.stat().st_uid == expected


def test_all_folders_at_once_are_refused(quarters: Quarters) -> None:
    with pytest.raises(SandboxError, match="not the sandbox's to show"):
        quarters.shown_path(quarters.folders, ())


def test_missing_folder_is_named(quarters: Quarters) -> None:
    with pytest.raises(SandboxError, match="cannot be read"):
        quarters.shown_path(quarters.folders / "absent", ())


def test_link_out_of_folder_is_refused(quarters: Quarters) -> None:
    link = quarters.new_folder("input") / "link"
    link.symlink_to("/etc")
    with pytest.raises(SandboxError, match="not the sandbox's to show"):
        quarters.shown_path(link, ())


def test_environments_part_is_shown(quarters: Quarters, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    readable = (Binding(host=tmp_path, inside=Path("/env")),)
    assert quarters.shown_path(tmp_path / "lib", readable) == Path("/env/lib")


def test_closing_removes_everything(quarters: Quarters) -> None:
    quarters.close()
    assert not quarters.root.exists()


@pytest.mark.parametrize(
    ("before", "after"), [(0o600, 0o644), (0o700, 0o755), (0o400, 0o444), (0o644, 0o644)]
)
def test_granting_adds_reading_only(tmp_path: Path, before: int, after: int) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(before)
    grant(path)
    assert path.stat().st_mode & 0o777 == after


def test_granting_reaches_deep_files(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "file").touch(mode=0o600)
    folder.chmod(0o700)
    grant(tmp_path / "a")
    assert (folder.stat().st_mode & 0o777, (folder / "file").stat().st_mode & 0o777) == (
        0o755,
        0o644,
    )


def test_granting_leaves_link_targets(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.touch(mode=0o600)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(outside)
    grant(inside)
    assert outside.stat().st_mode & 0o777 == 0o600
