"""From predictions to answers: the business rules that the legacy model ends with."""

from __future__ import annotations

import pandas as pd

LOADING = 1.25
"""Expenses of 20 % and a profit of 5 %."""
MINIMUM = 18.0
"""Least premium of a full year."""


def answers(predicted: pd.DataFrame, exposure: pd.Series) -> pd.DataFrame:
    """Return the output columns, row by row.

    :param predicted: ``visits`` over the exposure, and ``cost_per_visit``
    :param exposure: share of the year that the contract ran
    """
    premium = predicted["visits"] * predicted["cost_per_visit"] * LOADING
    return predicted.assign(premium=premium.clip(lower=MINIMUM).round(2))
