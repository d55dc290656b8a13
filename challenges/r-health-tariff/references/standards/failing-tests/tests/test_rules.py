"""The rules that make a premium of the predictions."""

from __future__ import annotations

import pandas as pd
import pytest

from healthtariff.rules import answers


def premium(visits: float, cost: float, exposure: float = 1.0) -> float:
    predicted = pd.DataFrame({"visits": [visits], "cost_per_visit": [cost]})
    return float(answers(predicted, pd.Series([exposure]))["premium"].iloc[0])


def test_premium_is_loaded() -> None:
    assert premium(2.0, 30.0) == 76.0


def test_premium_is_rounded_to_cents() -> None:
    assert premium(1.0, 30.007) == 37.51


@pytest.mark.parametrize(("exposure", "least"), [(1.0, 18.0), (0.5, 9.0)])
def test_least_premium_follows_exposure(exposure: float, least: float) -> None:
    assert premium(0.01, 1.0, exposure) == least


def test_predictions_are_handed_through() -> None:
    predicted = pd.DataFrame({"visits": [1.0], "cost_per_visit": [30.0]}, index=[7])
    answered = answers(predicted, pd.Series([1.0], index=[7]))
    assert list(answered.columns) == ["visits", "cost_per_visit", "premium"]
    assert answered.index.equals(predicted.index)
