"""``drydock lesson`` as a stranger meets it: their own folders, file names and narrow windows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.lessons import answered, load
from grader.lessons.draft import draft

ROOT = Path(__file__).parents[3]
DRYDOCK = Path(sys.executable).with_name("drydock")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of somebody's, with a lesson in ``lessons`` and its solution under another name."""
    lesson = load(draft("means", tmp_path / "lessons"))
    (tmp_path / "means (1).ipynb").write_bytes(answered(lesson)["means"])
    (tmp_path / "notes.txt").write_text("no notebook")
    return tmp_path


def drydock(*arguments: str, cwd: Path, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DRYDOCK, "lesson", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": str(columns)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_slugs_are_never_cut(columns: int) -> None:
    shown = drydock("list", cwd=ROOT, columns=columns).stdout.split()
    for manifest in (ROOT / "lessons").glob("*/lesson.toml"):
        assert manifest.parent.name in shown


def test_release_goes_into_relative_folder(folder: Path) -> None:
    done = drydock("release", "means", "--lessons", "lessons", "--into", "mine/too", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in (folder / "mine" / "too").iterdir()] == ["means"]
    assert (folder / "mine" / "too" / "means" / "means.ipynb").is_file()


def test_only_notebook_may_have_any_name(folder: Path) -> None:
    done = drydock("grade", "lessons/means", "means (1).ipynb", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 points" in done.stdout


@pytest.mark.parametrize(
    ("files", "slug", "said"),
    [
        (["notes.txt"], "notebook-unreadable", "notes.txt is no notebook"),
        (["means (1).ipynb", "notes.txt"], "notebook-elsewhere", "Hand in means.ipynb."),
    ],
)
def test_other_files_are_no_zero(folder: Path, files: list[str], slug: str, said: str) -> None:
    done = drydock("grade", "lessons/means", *files, cwd=folder)
    assert done.returncode == 2, done.stdout
    assert f"docs/errors.md#{slug}" in done.stderr
    assert said in done.stderr
