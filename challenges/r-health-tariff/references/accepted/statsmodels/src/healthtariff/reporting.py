"""How close answers come to the legacy model's own: the metrics report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from healthtariff.artefact import Lineage
from healthtariff.schema import KEY, OUTPUTS, TRAINING_FILE, Output

SCHEMA = "drydock.metrics/1"
"""What the report's form is called, so that a reader knows what to expect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How one output column compares with the legacy model's."""

    rows: int
    within_tolerance: float
    """Share of rows, 0 to 1; higher is better."""
    median_difference: float | None
    """Absolute, in the column's unit; lower is better. None for a text."""
    largest_difference: float | None
    """As above."""


def pair(answered: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """Set answers beside the recorded ones of the same key, in the order of the recorded ones.

    :returns: for each output column NAME the columns NAME_legacy and NAME_port; the latter is
        missing where nothing was answered
    """
    keys = list(KEY)
    return expected.astype(dict.fromkeys(keys, "str")).merge(
        answered.astype(dict.fromkeys(keys, "str")),
        on=keys,
        how="left",
        suffixes=("_legacy", "_port"),
        validate="one_to_one",
    )


def compare(pairs: pd.DataFrame) -> dict[str, Agreement]:
    """Measure each output column of a table that :func:`pair` made.

    A recorded row without an answer counts as one that differs.
    """
    return {
        output.name: _agreement(
            output, pairs[f"{output.name}_legacy"], pairs[f"{output.name}_port"]
        )
        for output in OUTPUTS
    }


def report(agreements: dict[str, Agreement], lineage: Lineage) -> str:
    """Return the metrics report as JSON: what was measured, and of which model."""
    content = {
        "schema": SCHEMA,
        "columns": {name: asdict(agreement) for name, agreement in agreements.items()},
        "lineage": asdict(lineage) | {"data": {TRAINING_FILE: lineage.data_digest}},
    }
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"


def _agreement(output: Output, legacy: pd.Series, port: pd.Series) -> Agreement:
    if output.exact:
        same = float((legacy.astype("str") == port.astype("str")).mean())
        return Agreement(
            rows=len(legacy),
            within_tolerance=same,
            median_difference=None,
            largest_difference=None,
        )
    difference = (port - legacy).abs()
    allowed = output.absolute + output.relative * legacy.abs()
    known = difference.dropna()
    return Agreement(
        rows=len(legacy),
        within_tolerance=float(np.mean(difference <= allowed)),
        median_difference=float(known.median()) if len(known) else None,
        largest_difference=float(known.max()) if len(known) else None,
    )
