"""A tiny challenge, and projects that the kits make for it and for the real ones."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import kits, package
from grader.kits import Kit
from grader.model import Challenge

KITS = Path(__file__).parents[3] / "starter_kits"

_INPUTS = "member,age,region,site,income"
_OUTCOMES = ",visits,cost"
_MANIFEST = """\
schema = 1
[challenge]
title = "A tiny \\"tariff\\""
summary = "Just enough to make a project for."
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
required_columns = ["age", "region", "site", "income"]
numeric_columns = ["age", "income", "site"]
category_columns = ["region", "site"]
[[output]]
file = "premiums.csv"
key = ["member"]
[output.columns.visits]
relative = 1e-8
weight = 0.4
[output.columns.premium]
absolute = 0.0005
final = true
weight = 0.4
[output.columns.band]
exact = true
weight = 0.2
[[group]]
name = "parity"
kind = "parity"
points = 600
cases = "hidden/*"
[[standard]]
family = "repository"
points = 400
[limits]
wall_seconds = 30
[passing]
points = 800
"""


@pytest.fixture(scope="session")
def kit() -> Kit:
    return kits.find_kit("python-model", KITS)


@pytest.fixture(scope="session")
def tiny_challenge(tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    return package.load_challenge(_write_challenge(tmp_path_factory.mktemp("challenges") / "tiny"))


@pytest.fixture(scope="session")
def make_project(kit: Kit, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what makes a project in a folder of its own."""

    def make(challenge: Challenge, name: str = "port") -> Path:
        destination = tmp_path_factory.mktemp("project") / name
        return kits.new_kit(kit, destination, challenge, owner='The "tiny" team')

    return make


def _write_challenge(root: Path) -> Path:
    draw = random.Random(1)  # noqa: S311 - sample data, no secret
    _write(root / "challenge.toml", _MANIFEST)
    _write(root / "brief.md", "# A tiny tariff\n")
    _write(root / "PROVENANCE.md", "# Where the data comes from\nDrawn at random.\n")
    _write(root / "legacy" / "tariff.R", "premium <- 1\n")
    training = [_person(draw, number) + _outcome(draw) for number in range(200)]
    _write(root / "data" / "train" / "train.csv", _table(_INPUTS + _OUTCOMES, training))
    for place, first in (("public", 1000), ("hidden", 2000)):
        _write_case(root / "cases" / place / "portfolio", draw, first)
    return root


def _write_case(folder: Path, draw: random.Random, first: int) -> None:
    people = [_person(draw, first + number) for number in range(50)]
    answers = [f"{p.split(',')[0]},{draw.random()!r},{draw.random():.2f},A" for p in people]
    _write(folder / "inputs" / "policies.csv", _table(_INPUTS, people))
    _write(folder / "expected" / "premiums.csv", _table("member,visits,premium,band", answers))


def _person(draw: random.Random, number: int) -> str:
    income = "" if number % 9 == 0 else repr(draw.uniform(1e3, 1e5))
    region = draw.choice(["north", "south", "east"])
    return f"M{number:05d},{draw.uniform(0, 80)!r},{region},{draw.choice([1, 2, 3])},{income}"


def _outcome(draw: random.Random) -> str:
    return f",{draw.randint(0, 9)},{draw.uniform(0, 100)!r}"


def _table(header: str, lines: list[str]) -> str:
    return "\n".join([header, *lines, ""])


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
