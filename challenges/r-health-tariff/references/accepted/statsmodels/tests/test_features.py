"""The transformation makes of a row what R's formula makes of it, and learns in ``fit`` alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer

from healthtariff.data import clean
from healthtariff.features import (
    OrthogonalPolynomial,
    age_bands,
    age_bands_of_women,
    build_features,
    education_level,
    is_free,
    log_income,
)
from healthtariff.schema import FEATURES


@pytest.fixture
def fitted(public_rows: pd.DataFrame) -> ColumnTransformer:
    return build_features().fit(clean(public_rows, FEATURES))


def test_one_row_stands_alone(fitted: ColumnTransformer, rows: pd.DataFrame) -> None:
    table = clean(rows, FEATURES)
    together = fitted.transform(table)
    alone = pd.concat([fitted.transform(table.iloc[[row]]) for row in range(len(table))])
    pd.testing.assert_frame_equal(alone, together)


def test_missing_education_is_answered(fitted: ColumnTransformer, rows: pd.DataFrame) -> None:
    table = clean(rows, FEATURES)
    table["education"] = np.nan
    columns = fitted.transform(table)
    assert (columns["education__education_unknown"] == 1).all()


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0.0, "infant"),
        (4.999, "infant"),
        (5.0, "child"),
        (17.9, "child"),
        (30.0, "middle"),
        (45.0, "older"),
        (88.0, "older"),
    ],
)
def test_bands_are_closed_left(age: float, band: str) -> None:
    bands = age_bands(pd.DataFrame({"age": [age]})).loc[0]
    assert bands.to_dict() == {name: float(name == band) for name in bands.index}


@pytest.mark.parametrize("age", [18.0, 29.999])
def test_adults_are_the_reference(age: float) -> None:
    assert not age_bands(pd.DataFrame({"age": [age]})).any(axis=None)


def test_bands_interact_with_sex() -> None:
    columns = age_bands_of_women(pd.DataFrame({"age": [7.0, 7.0], "female": [0.0, 1.0]}))
    assert columns.to_numpy().tolist() == [[0, 0, 0, 0, 0], [1, 0, 1, 0, 0]]


@pytest.mark.parametrize(
    ("years", "level"),
    [(np.nan, "unknown"), (0, "basic"), (11, "basic"), (12, "school"), (13, "college")],
)
def test_education_has_four_levels(years: float, level: str) -> None:
    assert education_level(pd.DataFrame({"education": [years]})).loc[0, "education"] == level


def test_income_has_a_floor() -> None:
    logs = log_income(pd.DataFrame({"income": [0.0, 130.0, 1300.0]}))["income"]
    assert logs.tolist() == pytest.approx([np.log(130), np.log(130), np.log(1300)])


def test_only_nought_is_free() -> None:
    assert is_free(pd.DataFrame({"coins": [0.0, 0.5]}))["coins"].tolist() == [1.0, 0.0]


def test_polynomial_is_orthonormal() -> None:
    values = pd.DataFrame({"x": [1.0, 2.0, 4.0, 8.0, 16.0]})
    columns = OrthogonalPolynomial().fit_transform(values)
    columns = np.column_stack([np.ones(5) / np.sqrt(5), columns])
    np.testing.assert_allclose(columns.T @ columns, np.eye(3), atol=1e-12)


def test_polynomial_remembers_training() -> None:
    polynomial = OrthogonalPolynomial().fit(pd.DataFrame({"x": [1.0, 2.0, 4.0, 8.0]}))
    alone = polynomial.transform(pd.DataFrame({"x": [4.0]}))
    among = polynomial.transform(pd.DataFrame({"x": [100.0, 4.0]}))
    np.testing.assert_array_equal(alone[0], among[1])
