"""A tiny challenge, a port that is right, and the real sandbox to run both in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grader import environment
from grader.accuracy import Accuracy, measure
from grader.commands import place_files
from grader.model import (
    Case,
    Challenge,
    Column,
    Contract,
    Environment,
    Group,
    GroupKind,
    Level,
    Limits,
    OutputTable,
    Quality,
    Scope,
    Segment,
)
from grader.sandbox import Sandbox, open_sandbox

PORT = Path(__file__).parent / "ports" / "tinyport"
SITES = {"a": 1.0, "b": 2.0, "c": 3.5}
Grade = Callable[..., Accuracy]


@pytest.fixture(scope="session")
def pinned() -> Environment:
    return environment.load("standard")


@pytest.fixture(scope="session")
def sandbox(pinned: Environment) -> Iterator[Sandbox]:
    with open_sandbox(pinned) as opened:
        yield opened


@pytest.fixture(scope="session")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> Challenge:
    root = tmp_path_factory.mktemp("tiny")
    train = _inputs(1, 300).assign(visits=lambda t: t["site"].map(SITES))
    (root / "data" / "train").mkdir(parents=True)
    train.to_csv(root / "data" / "train" / "train.csv", index=False)
    cases = tuple(
        _case(root, name, seed) for seed, name in enumerate(("public/usual", "hidden/usual"), 2)
    )
    return _challenge(root, cases)


@pytest.fixture(scope="session")
def grade(challenge: Challenge, sandbox: Sandbox) -> Grade:
    """Measure the port with some of its text replaced: ``grade({"model.py": (old, new)})``."""

    def measured(
        changes: Mapping[str, tuple[str, str]] | None = None,
        *,
        scope: Scope = Scope.FULL,
        report: bool = False,
    ) -> Accuracy:
        files = {path.name: path.read_text(encoding="utf-8") for path in PORT.glob("*.py")}
        for name, (old, new) in (changes or {}).items():
            assert old in files[name]
            files[name] = files[name].replace(old, new)
        tree = {f"tinyport/{name}": text.encode() for name, text in files.items()}
        site = place_files(sandbox, "site", tree)
        return measure(
            challenge, site, sandbox, scope=scope, report=report, progress=lambda _: None
        )

    return measured


def _inputs(seed: int, count: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    age = draw.integers(0, 90, count).astype(float)
    return pd.DataFrame(
        {
            "id": [f"K{seed}{number:05}" for number in range(count)],
            "age": np.where(draw.random(count) < 0.1, np.nan, age),
            "site": draw.choice(list(SITES), count),
            "months": draw.integers(1, 13, count),
        }
    )


def _case(root: Path, name: str, seed: int) -> Case:
    folder = root / "cases" / name
    inputs = _inputs(seed, 400)
    visits = inputs["site"].map(SITES) * np.exp(0.01 * inputs["age"].fillna(40.0))
    visits = visits * inputs["months"] / 12
    (folder / "inputs").mkdir(parents=True)
    (folder / "expected").mkdir()
    inputs.to_csv(folder / "inputs" / "policies.csv", index=False)
    expected = pd.DataFrame({"id": inputs["id"], "visits": visits, "price": (visits * 25).round(2)})
    expected.to_csv(folder / "expected" / "answers.csv", index=False)
    labels = pd.DataFrame({"id": inputs["id"], "visits": visits.round()})
    labels.to_csv(folder / "expected" / "labels.csv", index=False)
    return Case(name=name, inputs=folder / "inputs", expected=folder / "expected")


def _challenge(root: Path, cases: tuple[Case, ...]) -> Challenge:
    columns = (
        Column(name="visits", relative=1e-8, weight=0.4),
        Column(name="price", absolute=0.0005, final=True, decision=(25, 75), weight=0.6),
    )
    return Challenge(
        slug="tiny",
        title="Tiny",
        summary="Tiny.",
        version="1",
        owner="us",
        language="r",
        level=Level.INTRODUCTORY,
        tags=(),
        kits=(),
        root=root,
        digest="0" * 64,
        contract=Contract(
            package="tinyport",
            python="3.11",
            input_file="policies.csv",
            key=("id",),
            required_columns=("id", "age", "site", "months"),
            numeric_columns=("age", "months"),
            category_columns=("site",),
        ),
        outputs=(OutputTable(file="answers.csv", key=("id",), columns=columns),),
        groups=_groups(),
        standards=(),
        limits=Limits(wall_seconds=10, cpu_seconds=5),
        passing_points=500,
        cases=cases,
    )


def _groups() -> tuple[Group, ...]:
    segments = (
        Segment(name="age missing", where="age.isna()"),
        Segment(name="part year", where="months < 12"),
    )
    quality = Quality(metric="poisson_deviance", prediction="visits", label="visits", margin=0.01)
    return (
        Group(
            name="parity",
            kind=GroupKind.PARITY,
            points=600,
            cases="hidden/*",
            segments=segments,
        ),
        Group(
            name="quality",
            kind=GroupKind.QUALITY,
            points=100,
            cases="hidden/usual",
            quality=quality,
        ),
        Group(name="robustness", kind=GroupKind.ROBUSTNESS, points=100),
        Group(name="api", kind=GroupKind.API, points=100),
        Group(name="reproducibility", kind=GroupKind.REPRODUCIBILITY, points=100),
    )
