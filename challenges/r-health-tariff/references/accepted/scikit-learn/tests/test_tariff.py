"""Both regressions fit what they should, and use the exposure as they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from healthtariff.artefact import Artefact
from healthtariff.data import clean
from healthtariff.frequency import build_frequency
from healthtariff.schema import FEATURES
from healthtariff.severity import fit_severity
from healthtariff.tariff import Tariff


def test_half_year_has_half_visits(trained: Artefact, public_rows: pd.DataFrame) -> None:
    table = clean(public_rows, FEATURES)
    whole = trained.pipeline.predict(table)
    half = trained.pipeline.predict(table.assign(exposure=table["exposure"] / 2))
    np.testing.assert_allclose(half / whole, np.tile([0.5, 1.0], (len(table), 1)))


def test_fitted_visits_sum_to_seen(trained: Artefact, training_table: pd.DataFrame) -> None:
    predicted = trained.pipeline.predict(clean(training_table, FEATURES))[:, 0]
    assert predicted.sum() == pytest.approx(training_table["visits"].sum(), rel=1e-9)


def test_large_claims_are_cut(training_table: pd.DataFrame) -> None:
    table = training_table.head(2000)
    columns, visits, cost = table[["age", "coins"]], table["visits"], table["cost"]
    usual = fit_severity(columns, visits, cost).predict(columns)
    spoilt = fit_severity(columns, visits, cost.replace(cost.max(), 1e6)).predict(columns)
    np.testing.assert_allclose(spoilt, usual)


def test_regressions_come_unfitted() -> None:
    assert build_frequency().steps[-1][1].alpha == 0
    with pytest.raises(NotFittedError):
        Tariff().predict(pd.DataFrame())
