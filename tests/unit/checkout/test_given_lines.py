"""What a team was given is no step of its own, whoever commits it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from grader import package
from grader.checkout import check_out
from portal.settings import HOME
from tests.support.portal import SLUG, Git, run_git


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Git]:
    folder = tmp_path / "project"
    folder.mkdir()
    git = partial(run_git, folder)
    git("init", "--quiet", "--initial-branch=main")
    (folder / "model.py").write_text("import os\n\n\ndef fit():\n    return 1\n")
    git("add", ".")
    git("commit", "--quiet", "-m", "Start from the kit")
    (folder / "model.py").write_text("import os\n\n\ndef fit():\n    return os.cpu_count()\n")
    git("commit", "--quiet", "-am", "Count processors")
    return folder, git


def test_given_lines_count_nowhere(project: tuple[Path, Git], tmp_path: Path) -> None:
    given = [b"import os", b"", b"def fit():", b"    return 1"]
    history = check_out(str(project[0]), tmp_path / "out", given=given).history
    assert history is not None
    assert [commit.lines for commit in history.commits] == [1, 0]


def test_all_lines_count_where_none_was_given(project: tuple[Path, Git], tmp_path: Path) -> None:
    history = check_out(str(project[0]), tmp_path / "out").history
    assert history is not None
    assert [commit.lines for commit in history.commits] == [1, 5]


def test_challenge_and_kit_give_lines() -> None:
    given = package.given_lines(package.find_challenge(SLUG, [HOME / "challenges"]))
    template = HOME / "starter_kits" / "python-model" / "template"
    assert set((template / ".gitignore").read_bytes().splitlines()) <= given
    brief = HOME / "challenges" / SLUG / "brief.md"
    assert set(brief.read_bytes().splitlines()) <= given
