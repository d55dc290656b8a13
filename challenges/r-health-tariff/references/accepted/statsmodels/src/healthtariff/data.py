"""Reading tables, and refusing what cannot be scored, before any model sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from healthtariff.schema import CATEGORY, FEATURES, KEY, NUMERIC

Levels = Mapping[str, tuple[str | float, ...]]
"""By category column, the levels that training saw, sorted."""

_TEXT = tuple(name for name in (*KEY, *FEATURES) if name not in NUMERIC)


class InputError(ValueError):
    """A file or a table that cannot be used; the message names the file or the column."""


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file with a header; an empty field is a missing value.

    Numbers are read to the last digit, so that a port can agree with the legacy model to it.

    :raises InputError: the file cannot be read, is empty, or is not CSV in UTF-8
    """
    try:
        return pd.read_csv(
            path,
            dtype=dict.fromkeys(_TEXT, "str"),
            na_values=[""],
            keep_default_na=False,
        )
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from error
    except pd.errors.EmptyDataError as error:
        raise InputError(f"{path.name} is empty: it needs a header and rows") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a CSV file in UTF-8") from error


def table_of(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """Make the table that :func:`read_table` would have read from rows that came as JSON."""
    return pd.DataFrame.from_records(list(rows))


def clean(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return just these columns, in this order, numbers as 64-bit floats and the rest as text.

    :raises InputError: there are no rows, a column is missing, or text stands in a numeric one
    """
    for name in columns:
        if name not in frame.columns:
            raise InputError(f"column {name!r} is missing")
    if frame.empty:
        raise InputError("the table has a header but no rows")
    return pd.DataFrame(
        {name: _text(frame[name]) if name in _TEXT else _numbers(frame[name]) for name in columns},
        index=frame.index,
    )


def check_keys(frame: pd.DataFrame) -> None:
    """Refuse a table in which a key is missing or stands twice: an answer could not be placed.

    :raises InputError: naming the key column and the first row
    """
    names = ", ".join(repr(name) for name in KEY)
    keys = frame[list(KEY)]
    _refuse(keys.isna().any(axis="columns"), f"column {names} lacks a value")
    _refuse(keys.duplicated(), f"column {names} repeats an earlier key")


def levels_of(frame: pd.DataFrame) -> Levels:
    """Return the levels that each category column of a clean table holds."""
    return {name: tuple(sorted(frame[name].dropna().unique())) for name in CATEGORY}


def check_levels(frame: pd.DataFrame, levels: Levels) -> None:
    """Refuse levels that training never saw: the model has no answer for them.

    :raises InputError: naming the column and the first row
    """
    for name, known in levels.items():
        unseen = frame[name].notna() & ~frame[name].isin(known)
        _refuse(unseen, f"column {name!r} holds a level that training never saw")


def _numbers(values: pd.Series) -> pd.Series:
    if values.dtype.kind not in "iuf":
        texts = values.dropna()
        wrong = texts[pd.to_numeric(texts, errors="coerce").isna()]
        first = (texts if wrong.empty else wrong).index[:1]
        _refuse(values.index.isin(first), f"column {values.name!r} holds text, not a number")
    numbers = values.astype("float64")
    _refuse(np.isinf(numbers), f"column {values.name!r} holds an infinite number")
    return numbers


def _text(values: pd.Series) -> pd.Series:
    if values.dtype.kind == "f":
        # JSON turns whole numbers beside a missing one into floats.
        values = values.map(lambda value: f"{value:.15g}", na_action="ignore")
    return values.astype("str")


def _refuse(rows: pd.Series | np.ndarray, message: str) -> None:
    found = np.flatnonzero(rows)
    if found.size:
        raise InputError(f"{message} (row {found[0] + 1})")
