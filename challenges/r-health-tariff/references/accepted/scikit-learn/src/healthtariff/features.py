"""The design matrix, made in one transformer: columns by name, constants learnt in ``fit``."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

SITES = ("2", "3", "4", "5", "6")
HEALTH = ("good", "fair", "poor")
AGES = {"infant": (0, 5), "child": (5, 18), "middle": (30, 45), "older": (45, np.inf)}
"""Closed on the left; adults from 18 to 30 are the reference and have no column."""
INCOME_FLOOR = 130.0
SCHOOL_YEARS = 12


class Columns(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Makes the columns of the tariff's formula out of a clean table."""

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn where the chronic index is centred, so that its square is well conditioned."""
        del y
        self.centre_ = float(X["chronic"].mean())
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - as above
        """Return the design matrix, without an intercept and with the exposure."""
        check_is_fitted(self)
        chronic = X["chronic"] - self.centre_
        parts = {
            "exposure": X["exposure"],
            "coins": X["coins"],
            "free": (X["coins"] == 0).astype(float),
            **{f"site_{site}": (X["site"] == site).astype(float) for site in SITES},
            **ages(X),
            **education(X["education"]),
            **{f"health_{level}": (X["health"] == level).astype(float) for level in HEALTH},
            "log_income": np.log(np.maximum(X["income"], INCOME_FLOOR)),
            "chronic_1": chronic,
            "chronic_2": chronic**2,
        }
        return pd.DataFrame(parts, index=X.index)


def ages(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the age bands, sex, and the bands of women."""
    age, female = table["age"], table["female"]
    bands = {
        f"age_{name}": ((age >= low) & (age < high)).astype(float)
        for name, (low, high) in AGES.items()
    }
    women = {name.replace("age_", "women_"): band * female for name, band in bands.items()}
    return {**bands, "female": female, **women}


def education(years: pd.Series) -> dict[str, pd.Series]:
    """Return the levels above basic; what is not known is a level of its own."""
    return {
        "school": (years == SCHOOL_YEARS).astype(float),
        "college": (years > SCHOOL_YEARS).astype(float),
        "unknown": years.isna().astype(float),
    }
