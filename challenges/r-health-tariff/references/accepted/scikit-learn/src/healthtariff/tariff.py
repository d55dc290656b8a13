"""The tariff's two regressions behind one estimator, so that the pipeline holds all of it."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from healthtariff.frequency import expected_visits, fit_frequency
from healthtariff.severity import fit_severity

EXPOSURE = "exposure"
COST_STARTS = ("coins", "site_", "age_", "log_income", "chronic_1")


class Tariff(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Poisson visits and Gamma cost of a visit, fitted on the same columns."""

    def fit(self, X: pd.DataFrame, y: pd.DataFrame) -> Self:  # noqa: N803 - scikit-learn's name
        """Fit both regressions; ``y`` holds visits and cost."""
        columns = X.drop(columns=EXPOSURE)
        self.frequency_ = fit_frequency(columns, y["visits"], X[EXPOSURE])
        self.severity_ = fit_severity(self._cost_columns(X), y["visits"], y["cost"])
        return self

    def predict(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:  # noqa: N803 - as above
        """Return expected visits over the exposure, and the cost of a visit."""
        check_is_fitted(self)
        visits = expected_visits(self.frequency_, X.drop(columns=EXPOSURE), X[EXPOSURE])
        return np.column_stack([visits, self.severity_.predict(self._cost_columns(X))])

    @staticmethod
    def _cost_columns(columns: pd.DataFrame) -> pd.DataFrame:
        names = [name for name in columns.columns if name.startswith(COST_STARTS)]
        return columns[names]
