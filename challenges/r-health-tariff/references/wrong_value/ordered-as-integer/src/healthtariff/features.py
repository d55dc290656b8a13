"""From input columns to the columns of the two regressions: what R's formulas make of them.

The codings span what R's contrasts span, so that fitted values agree whatever the contrasts. All
that depends on data is learnt in ``fit``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from sklearn.utils.validation import check_is_fitted

Step = Callable[[pd.DataFrame], pd.DataFrame]

SITES = ("1", "2", "3", "4", "5", "6")
HEALTH = ("excellent", "good", "fair", "poor")
AGE_EDGES = (0.0, 5.0, 18.0, 30.0, 45.0, np.inf)
AGE_BANDS = ("adult", "infant", "child", "middle", "older")
"""The first is the reference, as the legacy model's ``relevel`` makes it."""
EDUCATION = ("basic", "college", "school", "unknown")
INCOME_FLOOR = 130.0
SCHOOL_YEARS = 12


class OrthogonalPolynomial(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Powers of one column, made orthogonal on the training rows, as R's ``poly(x, 2)``.

    Source: Kennedy and Gentle (1980), *Statistical Computing*, the three-term recursion that
    R's ``poly`` uses as well.
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:  # noqa: N803 - scikit-learn's name
        """Learn centre, recursion and norms from the training rows."""
        del y
        values = X.to_numpy(dtype=float)[:, 0]
        self.centre_ = values.mean()
        first = values - self.centre_
        self.shift_ = (first**3).sum() / (first**2).sum()
        self.spread_ = (first**2).sum() / len(first)
        second = (first - self.shift_) * first - self.spread_
        self.norms_ = np.sqrt([(first**2).sum(), (second**2).sum()])
        return self

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:  # noqa: N803 - as above
        """Return the linear and the quadratic column, with the constants learnt in ``fit``."""
        check_is_fitted(self)
        first = X.to_numpy(dtype=float)[:, 0] - self.centre_
        second = (first - self.shift_) * first - self.spread_
        return np.column_stack([first, second]) / self.norms_

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """Name the columns."""
        del input_features
        return np.array(["linear", "quadratic"], dtype=object)


def build_features() -> ColumnTransformer:
    """Return the unfitted transformation of a clean table into named columns."""
    sites = OneHotEncoder(categories=[list(SITES)], drop="first", sparse_output=False)
    health = OrdinalEncoder(categories=[list(HEALTH)])
    levels = OneHotEncoder(categories=[list(EDUCATION)], drop="first", sparse_output=False)
    return ColumnTransformer(
        [
            ("coinsurance", "passthrough", ["coins"]),
            ("free", _function(is_free, ["coins"]), ["coins"]),
            ("site", sites, ["site"]),
            ("age", _function(age_bands, AGE_BANDS[1:]), ["age"]),
            ("women", _function(age_bands_of_women, ["female", *AGE_BANDS[1:]]), ["age", "female"]),
            (
                "education",
                make_pipeline(_function(education_level, ["education"]), levels),
                ["education"],
            ),
            ("health", health, ["health"]),
            ("income", _function(log_income, ["income"]), ["income"]),
            ("chronic", OrthogonalPolynomial(), ["chronic"]),
            ("exposure", "passthrough", ["exposure"]),
        ],
    ).set_output(transform="pandas")


def is_free(table: pd.DataFrame) -> pd.DataFrame:
    """Say where care is free: the step that comes on top of the slope in coinsurance."""
    return (table[["coins"]] == 0).astype(float)


def age_bands(table: pd.DataFrame) -> pd.DataFrame:
    """Return one column a band but the reference; bands are closed on the left."""
    order = ("infant", "child", "adult", "middle", "older")
    band = pd.cut(table["age"], list(AGE_EDGES), right=False, labels=list(order))
    return pd.DataFrame(
        {name: (band == name).astype(float) for name in AGE_BANDS[1:]}, index=table.index
    )


def age_bands_of_women(table: pd.DataFrame) -> pd.DataFrame:
    """Return the main effect of sex, and its interaction with the age bands."""
    bands = age_bands(table).mul(table["female"], axis="index")
    return pd.concat([table[["female"]], bands], axis="columns")


def education_level(table: pd.DataFrame) -> pd.DataFrame:
    """Return the level of education; years that are not known are a level of their own."""
    years = table["education"]
    level = np.select(
        [years.isna(), years < SCHOOL_YEARS, years == SCHOOL_YEARS],
        ["unknown", "basic", "school"],
        "college",
    )
    return pd.DataFrame({"education": level}, index=table.index)


def log_income(table: pd.DataFrame) -> pd.DataFrame:
    """Return the logarithm of income, which is never taken to be below the floor."""
    return np.log(table[["income"]].clip(lower=INCOME_FLOOR))


def _function(step: Step, names: Sequence[str]) -> FunctionTransformer:
    return FunctionTransformer(step, feature_names_out=partial(_named, list(names)))


def _named(names: list[str], *_: object) -> npt.NDArray[np.object_]:
    return np.array(names, dtype=object)
