"""How often members come: a Poisson regression in scikit-learn's own terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

GRADIENT = 1e-13
"""Largest element of the gradient at which the solver ends."""


def build_frequency() -> Pipeline:
    """Return the unfitted regression: no penalty, a solver of second order, scaled columns."""
    return make_pipeline(
        StandardScaler(),
        PoissonRegressor(alpha=0, solver="newton-cholesky", tol=GRADIENT, max_iter=100),
    )


def fit_frequency(columns: pd.DataFrame, visits: pd.Series, exposure: pd.Series) -> Pipeline:
    """Fit visits a year, weighted by the exposure: the same likelihood as with an offset."""
    model = build_frequency()
    weights = exposure.to_numpy()
    return model.fit(columns, visits / weights, poissonregressor__sample_weight=weights)


def expected_visits(
    model: Pipeline, columns: pd.DataFrame, exposure: pd.Series
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return expected visits over the exposure."""
    return np.asarray(model.predict(columns) * exposure.to_numpy())
