"""The regressions fit what they should, and use the exposure as an offset."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from healthtariff.artefact import Artefact
from healthtariff.data import clean
from healthtariff.regression import EXPOSURE, SEVERITY, TariffRegressor, design
from healthtariff.schema import FEATURES


@pytest.fixture(scope="module")
def columns(trained: Artefact, training_table: pd.DataFrame) -> pd.DataFrame:
    features = trained.pipeline.named_steps["features"]
    return features.transform(clean(training_table, FEATURES)).head(2000)


@pytest.fixture
def outcomes(columns: pd.DataFrame, training_table: pd.DataFrame) -> pd.DataFrame:
    return training_table.loc[columns.index, ["visits", "cost"]].copy()


def test_half_year_has_half_visits(trained: Artefact, columns: pd.DataFrame) -> None:
    model = trained.pipeline.named_steps["model"]
    half = columns.assign(**{EXPOSURE: columns[EXPOSURE] / 2})
    visits, cost = (model.predict(half) / model.predict(columns)).T
    np.testing.assert_allclose(visits, 0.5)
    np.testing.assert_allclose(cost, 1.0)


def test_fitted_visits_sum_to_seen(trained: Artefact, training_table: pd.DataFrame) -> None:
    predicted = trained.pipeline.predict(clean(training_table, FEATURES))[:, 0]
    assert predicted.sum() == pytest.approx(training_table["visits"].sum(), rel=1e-9)


def test_large_claims_are_cut(columns: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    usual = TariffRegressor().fit(columns, outcomes).predict(columns)
    outcomes["cost"] = outcomes["cost"].replace(outcomes["cost"].max(), 1e6)
    np.testing.assert_allclose(TariffRegressor().fit(columns, outcomes).predict(columns), usual)


def test_cut_can_be_moved(columns: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    lower = TariffRegressor(large_claims=0.5).fit(columns, outcomes).predict(columns)
    usual = TariffRegressor().fit(columns, outcomes).predict(columns)
    assert lower[:, 1].mean() < usual[:, 1].mean()


def test_visits_without_cost_are_left_out(columns: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    outcomes["cost"] = outcomes["cost"].where(outcomes.index % 3 > 0, 0.0)
    came = outcomes["cost"] > 0
    kept = TariffRegressor().fit(columns[came], outcomes[came]).predict(columns)[:, 1]
    whole = TariffRegressor().fit(columns, outcomes).predict(columns)[:, 1]
    np.testing.assert_allclose(whole, kept)


def test_cost_is_weighted_by_visits(columns: pd.DataFrame, outcomes: pd.DataFrame) -> None:
    came = outcomes[(outcomes["visits"] > 0) & (outcomes["cost"] > 0)]
    model = TariffRegressor(large_claims=1.0).fit(columns, outcomes)
    predicted = model.predict(columns.loc[came.index])[:, 1]
    # The score equation of the intercept: weighted relative residuals sum to nothing.
    residuals = came["cost"] / came["visits"] / predicted - 1
    assert (residuals * came["visits"]).sum() == pytest.approx(0, abs=1e-6)


def test_design_has_intercept_first(columns: pd.DataFrame) -> None:
    matrix = design(columns, SEVERITY)
    assert (matrix[:, 0] == 1).all()
    assert matrix.shape == (len(columns), 13)
