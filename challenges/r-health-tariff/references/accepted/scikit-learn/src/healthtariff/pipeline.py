"""The model as structure: an unfitted scikit-learn pipeline from clean table to predictions."""

from __future__ import annotations

from sklearn.pipeline import Pipeline

from healthtariff.features import Columns
from healthtariff.tariff import Tariff

SEED = 20_240
"""Recorded with the artefact. Nothing draws at random here; what is added later starts there."""


def build_pipeline() -> Pipeline:
    """Return the unfitted pipeline: the design matrix, then the tariff."""
    return Pipeline([("columns", Columns()), ("tariff", Tariff())])
