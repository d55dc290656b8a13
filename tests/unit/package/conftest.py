"""A challenge as small as one can be, to be bent by each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import ChallengeError
from grader.package import load_challenge

MANIFEST = """\
schema = 1

[challenge]
title = "A tiny tariff"
summary = "Just enough to be loaded."
version = "1.0.0"
owner = "The tests"
language = "r"
level = "introductory"
tags = ["test"]
kits = ["python-model"]

[submission]
package = "tinytariff"
python = "3.11"
environment = "standard"
input_file = "policies.csv"
key = ["member"]
required_columns = ["months", "region"]
numeric_columns = ["months"]
category_columns = ["region"]

[[output]]
file = "premiums.csv"
key = ["member"]

[output.columns.visits]
relative = 1e-8

[output.columns.premium]
absolute = 0.005
final = true
decision = [25, 50]

[output.columns.band]
exact = true

[[group]]
name = "parity"
kind = "parity"
points = 500
cases = "hidden/*"
minimum = 0.9
segments = [
    { name = "part of a year", where = "months < 12" },
    { name = "north", where = "region == 'north'" },
]

[[group]]
name = "quality"
kind = "quality"
points = 100
cases = "hidden/*"
quality = { metric = "poisson_deviance", prediction = "visits", label = "visits", margin = 0.01 }

[[standard]]
family = "repository"
points = 300
gate = ["REPO001"]

[[standard]]
family = "tests"
points = 100

[limits]
wall_seconds = 30

[passing]
points = 800

[leaderboard]
ladder = "quality"
daily_cap = 20
private_groups = ["parity"]
"""

TABLES = {
    "inputs/policies.csv": "member,months,region\na1,12,north\na2,6,south\n",
    "expected/premiums.csv": "member,visits,premium,band\na1,1.5,30.0,low\na2,2.5,55.0,high\n",
    "expected/labels.csv": "member,visits\na1,1\na2,3\n",
}
OTHERS = {
    "brief.md": "# Tiny\n",
    "PROVENANCE.md": "Made up.\n",
    "legacy/tariff.R": "x <- 1\n",
    "data/train/train.csv": "months,region,visits\n12,north,1\n",
    "hidden_tests.py": "SECRET = 1\n",
    "references/accepted/one/expected.toml": "about = 'One'\n",
}


def write(root: Path, name: str, content: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(content, encoding="utf-8")


def make(root: Path, manifest: str = MANIFEST) -> Path:
    """Write a whole package."""
    write(root, "challenge.toml", manifest)
    for name, content in OTHERS.items():
        write(root, name, content)
    for case in ("public/small", "hidden/portfolio"):
        for name, content in TABLES.items():
            write(root, f"cases/{case}/{name}", content)
    return root


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return make(tmp_path / "tiny")


@pytest.fixture
def refusal(tiny: Path) -> Callable[[str, str], ChallengeError]:
    """Return the error of the package with one piece of its manifest replaced."""

    def refuse(old: str, new: str) -> ChallengeError:
        assert old in MANIFEST
        write(tiny, "challenge.toml", MANIFEST.replace(old, new, 1))
        with pytest.raises(ChallengeError) as caught:
            load_challenge(tiny)
        return caught.value

    return refuse
