"""What a visit costs: a Gamma regression in scikit-learn's own terms."""

from __future__ import annotations

import pandas as pd
from sklearn.linear_model import GammaRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

GRADIENT = 1e-12
"""Largest element of the gradient at which the solver ends."""
LARGE_CLAIMS = 0.99
"""Quantile at which costs are cut."""


def build_severity() -> Pipeline:
    """Return the unfitted regression: no penalty, a solver of second order, scaled columns."""
    return make_pipeline(
        StandardScaler(),
        GammaRegressor(alpha=0, solver="newton-cholesky", tol=GRADIENT, max_iter=200),
    )


def fit_severity(columns: pd.DataFrame, visits: pd.Series, cost: pd.Series) -> Pipeline:
    """Fit the cost of a visit on members who came and cost something, weighted by visits."""
    came = (visits > 0) & (cost > 0)
    capped = cost[came].clip(upper=cost[came].quantile(LARGE_CLAIMS))
    return build_severity().fit(
        columns[came],
        capped / visits[came],
        gammaregressor__sample_weight=visits[came].to_numpy(),
    )
