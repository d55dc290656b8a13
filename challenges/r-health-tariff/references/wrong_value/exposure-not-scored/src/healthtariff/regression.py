"""The two regressions of the tariff, as one scikit-learn regressor over the named columns."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

EXPOSURE = "exposure__exposure"
FREQUENCY = (
    "coinsurance__", "free__", "site__", "age__", "women__", "education__", "health__", "income__",
    "chronic__",
)  # fmt: skip
"""Beginnings of the columns that explain how often members come."""
SEVERITY = ("coinsurance__", "site__", "age__", "income__", "chronic__linear")
"""What the legacy model's backward selection by AIC keeps of the cost's columns: not health."""
LARGE_CLAIMS = 0.99
"""Quantile at which costs are cut; R's default type 7, which is NumPy's ``linear``."""
TOLERANCE = 1e-11
"""Change of the coefficients at which a fit ends: far tighter than the parity that is asked for.

The deviance is too flat at its optimum to tell: a Gamma fit that ends on it is 1e-7 off.
"""


class TariffRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Poisson frequency and Gamma severity, both with a log link.

    ``fit`` takes the columns of :func:`healthtariff.features.build_features` and a table with
    ``visits`` and ``cost``; ``predict`` returns expected visits over the exposure, and the cost of
    a visit.
    """

    def __init__(self, *, large_claims: float = LARGE_CLAIMS, tolerance: float = TOLERANCE) -> None:
        """Store at which quantile costs are cut, and when a fit ends."""
        self.large_claims = large_claims
        self.tolerance = tolerance

    def fit(self, X: pd.DataFrame, y: pd.DataFrame) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit both regressions on the training rows."""
        self.frequency_ = self._fit_frequency(X, y["visits"])
        self.severity_ = self._fit_severity(X, y["visits"], y["cost"])
        return self

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:  # noqa: N803 - as above
        """Return one row per row: visits over the exposure, cost of a visit."""
        check_is_fitted(self)
        visits = np.exp(design(X, FREQUENCY) @ self.frequency_)
        cost = np.exp(design(X, SEVERITY) @ self.severity_)
        return np.column_stack([visits, cost])

    def _fit_frequency(self, columns: pd.DataFrame, visits: pd.Series) -> npt.NDArray[np.float64]:
        model = sm.GLM(
            visits.to_numpy(),
            design(columns, FREQUENCY),
            family=sm.families.Poisson(),
            offset=np.log(columns[EXPOSURE].to_numpy()),
        )
        return self._solve(model)

    def _fit_severity(
        self, columns: pd.DataFrame, visits: pd.Series, cost: pd.Series
    ) -> npt.NDArray[np.float64]:
        came = ((visits > 0) & (cost > 0)).to_numpy()
        cap = np.quantile(cost[came], self.large_claims, method="linear")
        model = sm.GLM(
            (cost[came].clip(upper=cap) / visits[came]).to_numpy(),
            design(columns[came], SEVERITY),
            family=sm.families.Gamma(sm.families.links.Log()),
            var_weights=visits[came].to_numpy(),
        )
        return self._solve(model)

    def _solve(self, model: sm.GLM) -> npt.NDArray[np.float64]:
        fitted = model.fit(tol=self.tolerance, tol_criterion="params", maxiter=200)
        return np.asarray(fitted.params, dtype=float)


def design(columns: pd.DataFrame, beginnings: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """Return an intercept and the columns whose names begin so, in their order."""
    names = [name for name in columns.columns if name.startswith(beginnings)]
    return np.column_stack([np.ones(len(columns)), columns[names].to_numpy(dtype=float)])
