"""The design matrix has the columns of the formula, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthtariff.data import clean
from healthtariff.features import Columns, ages, education
from healthtariff.schema import FEATURES


@pytest.fixture
def fitted(public_rows: pd.DataFrame) -> Columns:
    return Columns().fit(clean(public_rows, FEATURES))


def test_one_row_stands_alone(fitted: Columns, rows: pd.DataFrame) -> None:
    table = clean(rows, FEATURES)
    alone = pd.concat([fitted.transform(table.iloc[[row]]) for row in range(len(table))])
    pd.testing.assert_frame_equal(alone, fitted.transform(table))


@pytest.mark.parametrize(
    ("age", "band"), [(4.9, "infant"), (5.0, "child"), (30.0, "middle"), (45.0, "older")]
)
def test_bands_are_closed_left(age: float, band: str) -> None:
    columns = ages(pd.DataFrame({"age": [age], "female": [1.0]}))
    assert {name for name, column in columns.items() if column[0]} == {
        f"age_{band}",
        "female",
        f"women_{band}",
    }


def test_adults_have_no_band() -> None:
    columns = ages(pd.DataFrame({"age": [18.0, 29.9], "female": [0.0, 0.0]}))
    assert not any(column.any() for column in columns.values())


@pytest.mark.parametrize(
    ("years", "level"), [(11.0, None), (12.0, "school"), (13.0, "college"), (np.nan, "unknown")]
)
def test_education_has_levels(years: float, level: str | None) -> None:
    columns = education(pd.Series([years]))
    assert [name for name, column in columns.items() if column[0]] == [level] * bool(level)


def test_income_has_a_floor(fitted: Columns, rows: pd.DataFrame) -> None:
    table = clean(rows, FEATURES).assign(income=0.0)
    assert fitted.transform(table)["log_income"].tolist() == [np.log(130)] * len(table)
