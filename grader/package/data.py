"""The tables of a challenge, held against what its ``challenge.toml`` says of them."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pandas as pd

from grader.errors import ChallengeError
from grader.model import Case, Challenge, Group, OutputTable


def check_data(challenge: Challenge) -> None:
    """Prove the tables of every case: columns, keys, segments, labels.

    :raises ChallengeError: what is wrong, and in which table
    """
    for case in challenge.cases:
        inputs = _inputs(challenge, case)
        for table in challenge.outputs:
            _check_expected(challenge, case, table, inputs)
        for group in challenge.groups:
            if fnmatch.fnmatch(case.name, group.cases):
                _check_segments(case, group, inputs)
                _check_labels(challenge, case, group)


def _inputs(challenge: Challenge, case: Case) -> pd.DataFrame:
    contract = challenge.contract
    path = case.inputs / contract.input_file
    inputs = _read(challenge, path, contract.key)
    named = (*contract.required_columns, *contract.numeric_columns, *contract.category_columns)
    if lost := sorted({*contract.key, *named} - set(inputs.columns)):
        raise _error(challenge, path, f"lacks the columns {', '.join(lost)}")
    if inputs.duplicated(list(contract.key)).any():
        raise _error(challenge, path, "has keys that stand in more than one row")
    for name in contract.numeric_columns:
        if not pd.api.types.is_numeric_dtype(inputs[name]):
            raise _error(challenge, path, f"has text in the numeric column {name!r}")
    return inputs


def _check_expected(
    challenge: Challenge, case: Case, table: OutputTable, inputs: pd.DataFrame
) -> None:
    path = case.expected / table.file
    expected = _read(challenge, path, table.key)
    wanted = [*table.key, *(column.name for column in table.columns)]
    if lost := [name for name in wanted if name not in expected.columns]:
        raise _error(challenge, path, f"lacks the columns {', '.join(lost)}")
    keys = [set(frame[list(table.key)].itertuples(index=False)) for frame in (inputs, expected)]
    if keys[0] != keys[1] or len(expected) != len(inputs):
        raise _error(challenge, path, "does not have exactly the keys of the input table")


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


def _check_labels(challenge: Challenge, case: Case, group: Group) -> None:
    if group.quality is None:
        return
    path = case.expected / "labels.csv"
    labels = _read(challenge, path, challenge.contract.key)
    if group.quality.label not in labels.columns:
        raise _error(challenge, path, f"lacks the label column {group.quality.label!r}")


def _read(challenge: Challenge, path: Path, key: tuple[str, ...]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(key, "str"))
    except (OSError, ValueError) as error:
        raise _error(challenge, path, f"cannot be read: {error}") from error


def _error(challenge: Challenge, path: Path, problem: str) -> ChallengeError:
    return ChallengeError(
        "bad-table",
        f"{path.relative_to(challenge.root)} of {challenge.slug} {problem}.",
        remedy="Mend the table, or record it again with 'drydock challenge record'.",
    )
