"""What pleases the checks instead of doing the work gains next to nothing.

Each folder of ``gaming/`` but ``base`` holds the files in which a trick differs from that base, and
what it may gain at most, in points of 1000 by the default weights.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from grader.survey import Survey, survey

FOLDER = Path(__file__).parent / "gaming"
TRICKS = sorted(path.name for path in FOLDER.iterdir() if path.name != "base")


def look(folder: Path, *layers: str) -> Survey:
    source = folder / "source"
    for layer in layers:
        ignore = shutil.ignore_patterns("expected.toml", "__pycache__")
        shutil.copytree(FOLDER / layer, source, dirs_exist_ok=True, ignore=ignore)
    return survey(str(source), folder / "work", package="claims")


def expected(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Survey:
    return look(tmp_path_factory.mktemp("base"), "base")


def test_base_is_mediocre(base: Survey) -> None:
    low, high = expected("base")["points"]
    assert low <= points(base) <= high


def test_there_are_enough_tricks() -> None:
    assert len(TRICKS) >= 10


@pytest.mark.parametrize("trick", TRICKS)
def test_trick_gains_next_to_nothing(trick: str, base: Survey, tmp_path: Path) -> None:
    gamed = look(tmp_path, "base", trick)
    gained = points(gamed) - points(base)
    before = {finding.code: finding.share for finding in base.findings}
    told = {f.code: f.share for f in gamed.findings if f.share > before[f.code]}
    assert gained <= expected(trick)["gains_at_most"], told


def points(seen: Survey) -> int:
    assert seen.earned is not None
    return seen.earned
