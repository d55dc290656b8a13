"""The model as structure: an unfitted scikit-learn pipeline from clean table to predictions."""

from __future__ import annotations

from sklearn.pipeline import Pipeline

from healthtariff.features import build_features
from healthtariff.regression import TariffRegressor

SEED = 20_240
"""Recorded with the artefact. Nothing draws at random here; what is added later starts there."""


def build_pipeline() -> Pipeline:
    """Return the unfitted pipeline: features, then both regressions.

    It is fitted on a clean table and the columns ``visits`` and ``cost``, and predicts expected
    visits over the exposure and the cost of a visit.
    """
    return Pipeline([("features", build_features()), ("model", TariffRegressor())])
