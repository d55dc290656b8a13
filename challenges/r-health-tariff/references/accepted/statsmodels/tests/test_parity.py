"""How close the port comes to the legacy model on the public cases, and that it never gets worse.

``parity_floor.toml`` records the share of rows within tolerance that the port has reached, by
output column. It starts at nothing, because the mean that the project starts from is no port.
Raise a floor with the commit that reaches it; it is then held.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd
import pytest

from healthtariff.artefact import Artefact
from healthtariff.data import read_table
from healthtariff.reporting import Agreement, compare, pair
from healthtariff.schema import KEY, OUTPUTS
from healthtariff.scoring import score

FLOORS = tomllib.loads((Path(__file__).parent / "parity_floor.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def expected(public_case: Path) -> pd.DataFrame:
    return read_table(public_case / "expected" / "premiums.csv")


@pytest.fixture(scope="module")
def agreements(
    trained: Artefact, public_rows: pd.DataFrame, expected: pd.DataFrame
) -> dict[str, Agreement]:
    return compare(pair(score(trained, public_rows), expected))


def test_every_output_has_floor() -> None:
    assert set(FLOORS["within_tolerance"]) == {output.name for output in OUTPUTS}


@pytest.mark.parametrize("name", [output.name for output in OUTPUTS])
def test_parity_keeps_its_floor(agreements: dict[str, Agreement], name: str) -> None:
    assert agreements[name].within_tolerance >= FLOORS["within_tolerance"][name]


@pytest.mark.parametrize("name", [output.name for output in OUTPUTS])
def test_legacy_agrees_with_itself(expected: pd.DataFrame, name: str) -> None:
    agreement = compare(pair(expected.iloc[::-1], expected))[name]
    assert agreement.within_tolerance == 1
    assert not agreement.largest_difference


@pytest.mark.parametrize("name", [output.name for output in OUTPUTS])
def test_unanswered_row_differs(expected: pd.DataFrame, name: str) -> None:
    agreement = compare(pair(expected.iloc[1:], expected))[name]
    assert agreement.within_tolerance == pytest.approx(1 - 1 / len(expected))


def test_keys_find_the_rows(expected: pd.DataFrame) -> None:
    numbered = expected.assign(**{name: range(len(expected)) for name in KEY})
    assert all(item.within_tolerance == 1 for item in compare(pair(numbered, numbered)).values())
