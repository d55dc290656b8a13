"""How close answers come to the legacy model's own: the metrics report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from healthtariff.artefact import Lineage
from healthtariff.schema import KEY, OUTPUTS, Output


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


def compare(answered: pd.DataFrame, expected: pd.DataFrame) -> dict[str, Agreement]:
    """Hold answers against recorded ones, found by key, for each output column.

    A recorded row without an answer counts as one that differs.
    """
    keys = list(KEY)
    pairs = expected.astype(dict.fromkeys(keys, "str")).merge(
        answered.astype(dict.fromkeys(keys, "str")),
        on=keys,
        how="left",
        suffixes=("_legacy", "_port"),
        validate="one_to_one",
    )
    return {
        output.name: _agreement(
            output, pairs[f"{output.name}_legacy"], pairs[f"{output.name}_port"]
        )
        for output in OUTPUTS
    }


def report(agreements: dict[str, Agreement], lineage: Lineage) -> str:
    """Return the metrics report as JSON: what was measured, and of which model."""
    content = {
        "schema": 1,
        "columns": {name: asdict(agreement) for name, agreement in agreements.items()},
        "lineage": asdict(lineage),
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


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
    return Agreement(
        rows=len(legacy),
        within_tolerance=float(np.mean(difference <= allowed)),
        median_difference=float(difference.median()),
        largest_difference=float(difference.max()),
    )
