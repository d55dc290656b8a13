"""The tables that go in and come out: which columns they have, and what those may hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A column that scoring answers with, and how closely it must match the legacy model."""

    name: str
    absolute: float = 0.0
    relative: float = 0.0
    exact: bool = False
    """Compared as text."""


TRAINING_FILE = "train.csv"

KEY: tuple[str, ...] = ("member_year",)
"""The columns that tell one row from another; they are handed through to the answers."""

FEATURES: tuple[str, ...] = (
    "site",
    "coins",
    "age",
    "female",
    "education",
    "health",
    "income",
    "chronic",
    "exposure",
)
"""The columns that the model may use. Input that lacks one of them is refused."""

NUMERIC: tuple[str, ...] = (
    "coins",
    "age",
    "female",
    "education",
    "income",
    "chronic",
    "exposure",
)
"""Features that hold numbers; a missing one is an empty field."""

CATEGORY: tuple[str, ...] = (
    "site",
    "health",
)
"""Features that hold one of the levels seen in training."""

TARGETS: tuple[str, ...] = (
    "visits",
    "cost",
)
"""Columns of the training data that the model learns to predict."""

PREDICTIONS: tuple[str, ...] = ("visits", "cost_per_visit")
"""What the fitted pipeline predicts, column by column."""

OUTPUTS: tuple[Output, ...] = (
    Output(name="visits", absolute=0.0, relative=1e-08),
    Output(name="cost_per_visit", absolute=0.0, relative=1e-06),
    Output(name="premium", absolute=0.0005, relative=0.0),
)
"""What scoring answers with, beside the key."""
