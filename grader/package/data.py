"""The tables of a challenge, held against what its ``challenge.toml`` says of them."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd

from grader.errors import ChallengeError
from grader.model import Case, Challenge, Group, OutputTable


def check_data(challenge: Challenge) -> None:
    """Prove the tables of every case: columns, keys, numbers, segments, labels.

    :raises ChallengeError: what is wrong, and in which table
    """
    for case in challenge.cases:
        inputs = _inputs(challenge, case)
        for table in challenge.outputs:
            _check_expected(challenge, case, table, inputs)
        for group in challenge.groups:
            if fnmatch.fnmatchcase(case.name, group.cases):
                _check_segments(case, group, inputs)
                _check_labels(challenge, case, group, inputs)


def _inputs(challenge: Challenge, case: Case) -> pd.DataFrame:
    contract = challenge.contract
    path = case.inputs / contract.input_file
    inputs = _read(challenge, path, contract.key)
    named = (*contract.required_columns, *contract.numeric_columns, *contract.category_columns)
    _check_columns(challenge, path, inputs, named)
    _check_numbers(challenge, path, inputs, contract.numeric_columns)
    return inputs


def _check_expected(
    challenge: Challenge, case: Case, table: OutputTable, inputs: pd.DataFrame
) -> None:
    path = case.expected / table.file
    expected = _read(challenge, path, table.key)
    _check_columns(challenge, path, expected, [column.name for column in table.columns])
    numbers = [column.name for column in table.columns if not column.exact]
    _check_numbers(challenge, path, expected, numbers)
    if not np.isfinite(expected[numbers].to_numpy(dtype=float)).all():
        raise _error(challenge, path, "holds an answer that is missing or infinite")
    _check_same_keys(challenge, path, expected, inputs, table.key)


def _check_segments(case: Case, group: Group, inputs: pd.DataFrame) -> None:
    for segment in group.segments:
        try:
            rows = inputs.eval(segment.where, engine="python")
        except Exception as error:  # pandas gives no bound on what an expression may raise
            raise ChallengeError(
                "bad-segment",
                f"Segment {segment.name!r} of group {group.name!r} fails on {case.name}: {error}.",
                remedy="Write an expression over the columns of the input table.",
            ) from error
        if not isinstance(rows, pd.Series) or rows.dtype != bool:
            raise ChallengeError(
                "bad-segment",
                f"Segment {segment.name!r} of group {group.name!r} says no yes or no of a row.",
                remedy="Write a comparison, such as 'months < 12'.",
            )


def _check_labels(challenge: Challenge, case: Case, group: Group, inputs: pd.DataFrame) -> None:
    if group.quality is None:
        return
    path = case.expected / "labels.csv"
    key = challenge.contract.key
    labels = _read(challenge, path, key)
    _check_columns(challenge, path, labels, [group.quality.label])
    if labels[group.quality.label].isna().any():
        raise _error(challenge, path, "holds a label that is missing")
    _check_same_keys(challenge, path, labels, inputs, key)


def _read(challenge: Challenge, path: Path, key: tuple[str, ...]) -> pd.DataFrame:
    """Read a table whose key names each row once."""
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(key, "str"))
    except (OSError, ValueError) as error:
        raise _error(challenge, path, f"cannot be read: {str(error).strip()}") from error
    _check_columns(challenge, path, table, key)
    if table[list(key)].isna().any(axis=None):
        raise _error(challenge, path, "has a row without a key")
    if table.duplicated(list(key)).any():
        raise _error(challenge, path, "has keys that stand in more than one row")
    if table.empty:
        raise _error(challenge, path, "has no row")
    return table


def _check_columns(
    challenge: Challenge, path: Path, table: pd.DataFrame, wanted: list[str] | tuple[str, ...]
) -> None:
    if lost := sorted(set(wanted) - set(table.columns)):
        raise _error(challenge, path, f"lacks the columns {', '.join(lost)}")


def _check_numbers(
    challenge: Challenge, path: Path, table: pd.DataFrame, wanted: list[str] | tuple[str, ...]
) -> None:
    for name in wanted:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise _error(challenge, path, f"has text in the numeric column {name!r}")


def _check_same_keys(
    challenge: Challenge,
    path: Path,
    table: pd.DataFrame,
    inputs: pd.DataFrame,
    key: tuple[str, ...],
) -> None:
    _check_columns(challenge, path, inputs, key)
    rows = [
        set(frame[list(key)].astype("str").itertuples(index=False, name=None))
        for frame in (inputs, table)
    ]
    if rows[0] != rows[1] or len(table) != len(inputs):
        raise _error(challenge, path, "does not have exactly the keys of the input table")


def _error(challenge: Challenge, path: Path, problem: str) -> ChallengeError:
    return ChallengeError(
        "bad-table",
        f"{path.relative_to(challenge.root)} of {challenge.slug} {problem}.",
        remedy="Mend the table, or record it again with 'drydock challenge record'.",
    )
