"""The parity score: how close a port's answers are to the legacy model's own, 0..100.

For one column of one case::

    score = 30 S + 20 L + 40 W + 10 D

    S   share of rows within tolerance, |ported - legacy| <= absolute + relative * |legacy|
    L   mean credit by size of difference: 1 within tolerance, falling linearly in
        log10(difference / tolerance) to 0 at five decades
    W   S in the worst segment
    D   agreement on the decisions that the value is cut into, where the challenge names any

Each part is 1 for the legacy model's own answers and 0 at worst; higher is better. Where a column
has no decisions, D's weight goes to W; an exact column has S and W alone, rescaled to 100.

Every part can only fall when one row's answer moves further from the recorded one, and so can the
score: there is nothing to gain by trading rows against one another. That is why no correlation
(Spearman's rho), no distance of distributions (Kolmogorov and Smirnov's D, the population stability
index) and no chance correction by the port's own marginals (Cohen's kappa) is in it. They can rise
while every single answer gets worse, they pay for constant, shuffled or rank-preserving answers,
and they hardly see the bugs that ports really have. The worst segment weighs most because that is
where those bugs hide: a port that is wrong on one kind of row alone keeps S, L and D near 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from grader.compare.tables import (
    Mask,
    read_inputs,
    read_output,
    read_recorded,
    segment_rows,
)
from grader.errors import ChallengeError
from grader.model import Case, Column, ColumnParity, OutputTable, Segment

Numbers = npt.NDArray[np.float64]

WEIGHTS = {"share": 30.0, "credit": 20.0, "worst": 40.0, "decision": 10.0}
"""Points of 100 for S, L, W and D. Chosen by simulation; see ``test_parity_weights``."""
DECADES = 5
"""Factors of ten beyond the tolerance over which the credit of a row falls to nothing."""
SMALLEST_SEGMENT = 5
"""Rows below which a segment says too little to be the worst one. Set by the input alone."""
ALL_ROWS = "all rows"
"""Name of the segment that every row is in."""
_DRAWN = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseParity:
    """How a submission's table for one case compares with the recorded one."""

    score: float
    """Parity, 0..100: the mean over the columns by their weights."""
    columns: tuple[ColumnParity, ...]


def compare_case(
    case: Case,
    table: OutputTable,
    content: bytes,
    *,
    input_file: str,
    segments: Sequence[Segment] = (),
    limit_bytes: int,
) -> CaseParity:
    """Hold what a submission wrote for a case against what the legacy model wrote.

    :param content: the submission's table, as bytes
    :param input_file: name of the case's input table, over which segments are expressed
    :raises OutputError: the submission's table cannot be read
    :raises ChallengeError: the case itself cannot be read
    """
    expected = read_recorded(case.expected / table.file, table)
    actual = read_output(content, table, expected, limit_bytes=limit_bytes, reveal=not case.hidden)
    inputs = read_inputs(case.inputs / input_file, table.key)
    _check_rows(case, table, inputs, expected)
    columns = compare_tables(
        expected, actual, table, segment_rows(inputs, segments), case=case.name, hidden=case.hidden
    )
    return CaseParity(score=table_score(columns, table), columns=columns)


def compare_tables(
    expected: pd.DataFrame,
    actual: pd.DataFrame,
    table: OutputTable,
    segments: Mapping[str, Mask],
    *,
    case: str = "",
    hidden: bool = False,
) -> tuple[ColumnParity, ...]:
    """Compare two tables whose rows are aligned, column by column.

    :param segments: truth values by name, aligned to the rows
    :param case: name of the case, for the result
    :param hidden: leave out the single values that a picture of a public case shows
    """
    return tuple(
        compare_column(
            expected[column.name].to_numpy(),
            actual[column.name].to_numpy(),
            column,
            segments,
            case=case,
            hidden=hidden,
        )
        for column in table.columns
    )


def table_score(columns: Sequence[ColumnParity], table: OutputTable) -> float:
    """Return the mean score of a table's columns by their weights, 0..100; 100 only if all are."""
    if all(column.score == 100 for column in columns):  # noqa: PLR2004 - the scale's upper end
        return 100.0
    weights = {column.name: column.weight for column in table.columns}
    return math.fsum(weights[column.column] * column.score for column in columns)


def compare_column(
    expected: npt.NDArray[np.generic],
    actual: npt.NDArray[np.generic],
    column: Column,
    segments: Mapping[str, Mask],
    *,
    case: str = "",
    hidden: bool = False,
) -> ColumnParity:
    """Compare one column whose rows are aligned; no row at all is full parity.

    Missing and infinite answers earn nothing, except where the recorded value is missing as well.
    """
    within = rows_equal(expected, actual, column)
    shares = _shares(within, segments)
    worst = min(shares, key=lambda name: (shares[name], name != ALL_ROWS, name))
    sizes = _sizes(expected, actual, within, column)
    known = sizes.difference[np.isfinite(sizes.difference)]
    return ColumnParity(
        case=case,
        column=column.name,
        score=_score(expected, actual, within, shares[worst], sizes, column),
        within=shares[ALL_ROWS],
        worst_segment=worst,
        worst_segment_within=shares[worst],
        median_difference=float(np.median(known)) if known.size else None,
        largest_difference=float(known.max()) if known.size else None,
        segments=dict(sorted(shares.items())),
        decades=_decades(within, sizes),
        points=() if hidden or column.exact else _drawn(expected, actual),
    )


def rows_equal(
    expected: npt.NDArray[np.generic], actual: npt.NDArray[np.generic], column: Column
) -> Mask:
    """Say for each row whether the two values count as equal: within tolerance, or both missing."""
    if column.exact:
        return np.asarray(expected.astype(object) == actual.astype(object), dtype=np.bool_)
    legacy, ported = _floats(expected), _floats(actual)
    with np.errstate(invalid="ignore", over="ignore"):
        close = np.abs(ported - legacy) <= _tolerance(legacy, column)
    finite = np.isfinite(legacy) & np.isfinite(ported)
    return (finite & close) | (np.isnan(legacy) & np.isnan(ported))


# ------------------------------------------------------------------------------ parts of a score


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Differences by row."""

    difference: Numbers
    """Absolute; NaN where either value is missing or infinite, and for text."""
    decades: Numbers
    """log10 of difference over tolerance: at most 0 within it, infinite where there is none."""


def _score(
    expected: npt.NDArray[np.generic],
    actual: npt.NDArray[np.generic],
    within: Mask,
    worst: float,
    sizes: _Sizes,
    column: Column,
) -> float:
    if bool(within.all()):
        return 100.0
    parts = {"share": float(within.mean()), "worst": worst}
    weights = dict(WEIGHTS)
    if not column.exact:
        credit = np.clip(1 - sizes.decades / DECADES, 0, 1)
        parts["credit"] = math.fsum(credit) / len(credit)
        if column.decision:
            parts["decision"] = _decision(
                _floats(expected), _floats(actual), within, column.decision
            )
        else:
            weights["worst"] += weights["decision"]
    whole = math.fsum(weights[name] for name in parts)
    return 100 * math.fsum(weights[name] * part for name, part in parts.items()) / whole


def _shares(within: Mask, segments: Mapping[str, Mask]) -> dict[str, float]:
    masks = {ALL_ROWS: np.ones(len(within), dtype=np.bool_)} | {
        name: mask for name, mask in segments.items() if int(mask.sum()) >= SMALLEST_SEGMENT
    }
    return {name: _share(within[mask]) for name, mask in masks.items()}


def _share(within: Mask) -> float:
    return int(within.sum()) / len(within) if len(within) else 1.0


def _sizes(
    expected: npt.NDArray[np.generic],
    actual: npt.NDArray[np.generic],
    within: Mask,
    column: Column,
) -> _Sizes:
    if column.exact:
        nothing = np.full(len(expected), np.nan)
        return _Sizes(difference=nothing, decades=np.where(within, 0.0, np.inf))
    legacy, ported = _floats(expected), _floats(actual)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        difference = np.abs(ported - legacy)
        decades = np.log10(difference / _tolerance(legacy, column))
    known = np.isfinite(difference)
    decades = np.where(within, np.minimum(np.nan_to_num(decades, nan=0.0), 0.0), decades)
    return _Sizes(
        difference=np.where(known, difference, np.nan),
        decades=np.where(known | within, decades, np.inf),
    )


def _decision(
    legacy: Numbers, ported: Numbers, within: Mask, thresholds: tuple[float, ...]
) -> float:
    """Return the agreement on decisions, 0..1: 1 - sqrt(1 - lambda).

    Lambda (Goodman and Kruskal 1954) is the share of the disagreements of the best constant answer
    that the port does without. Its baseline comes from the recorded values alone, so it can only
    fall as rows get worse, which Cohen's kappa does not promise. The root makes the last few
    disagreements the dearest: lambda .99 gives .90, .96 gives .80, .75 gives .50. A row within
    tolerance agrees, even if a threshold runs between the two values.
    """
    taken = np.where(np.isnan(legacy), -1, np.searchsorted(thresholds, legacy, side="right"))
    given = np.where(np.isfinite(ported), np.searchsorted(thresholds, ported, side="right"), -2)
    wrong = int((~within & (taken != given)).sum())
    by_constant = len(taken) - int(np.unique(taken, return_counts=True)[1].max())
    if by_constant == 0:
        return float(wrong == 0)
    return 1 - math.sqrt(min(1.0, wrong / by_constant))


def _decades(within: Mask, sizes: _Sizes) -> tuple[int, ...]:
    """Count rows: within tolerance, up to 10 times it, 100 times …, beyond, and missing."""
    known = ~within & ~np.isnan(sizes.difference)
    place = np.clip(np.floor(sizes.decades[known]), 0, DECADES).astype(int)
    beyond = np.bincount(place, minlength=DECADES + 1)
    missing = int((~within).sum()) - int(known.sum())
    return (int(within.sum()), *(int(count) for count in beyond), missing)


def _drawn(
    expected: npt.NDArray[np.generic], actual: npt.NDArray[np.generic]
) -> tuple[tuple[float, float], ...]:
    legacy, ported = _floats(expected), _floats(actual)
    known = np.flatnonzero(np.isfinite(legacy) & np.isfinite(ported))
    if len(known) > _DRAWN:
        known = known[np.linspace(0, len(known) - 1, _DRAWN).round().astype(int)]
    return tuple((float(legacy[row]), float(ported[row])) for row in known)


def _tolerance(legacy: Numbers, column: Column) -> Numbers:
    return column.absolute + column.relative * np.abs(legacy)


def _floats(values: npt.NDArray[np.generic]) -> Numbers:
    return np.asarray(values, dtype=np.float64)


def _check_rows(
    case: Case, table: OutputTable, inputs: pd.DataFrame, expected: pd.DataFrame
) -> None:
    key = list(table.key)
    if not inputs[key].astype("str").equals(expected[key].astype("str")):
        raise ChallengeError(
            "case-keys",
            f"The keys of case {case.name} differ between its inputs and its recorded "
            f"{table.file}.",
            remedy="Record the challenge again with 'drydock challenge record'.",
        )
