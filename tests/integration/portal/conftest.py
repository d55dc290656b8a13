"""A portal that is open, on either database, with an event that is on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from portal.house import House, open_house
from portal.settings import Settings
from tests.support.portal import Git, Held, Portal, hold, run_git, running


@pytest.fixture
def house(url: str, tmp_path: Path) -> Iterator[House]:
    data = tmp_path / "data"
    data.mkdir()
    opened = open_house(Settings(data=data, database_url=url))
    yield opened
    opened.close()


@pytest.fixture
def held(house: House) -> Held:
    return hold(house)


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give a portal without workers: what is submitted waits."""
    with running(tmp_path_factory.mktemp("portal")) as opened:
        yield opened


@pytest.fixture(scope="session")
def graded_portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Give a portal with one worker, which really grades."""
    with running(tmp_path_factory.mktemp("graded"), workers=1) as opened:
        yield opened


@pytest.fixture
def project(tmp_path: Path) -> tuple[Path, Git]:
    """Give a small repository with one commit, and git to use it."""
    folder = tmp_path / "project"
    folder.mkdir()
    git = partial(run_git, folder)
    git("init", "--quiet", "--initial-branch=main")
    (folder / "README.md").write_text("A project.\n")
    git("add", ".")
    assert git("commit", "--quiet", "-m", "Start").returncode == 0
    return folder, git
