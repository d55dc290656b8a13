"""Reading output tables as data: strictly, so that nothing is graded that was not said."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from grader.errors import ChallengeError, OutputError
from grader.model import Column, OutputTable, Segment

Mask = npt.NDArray[np.bool_]
"""One truth value per row."""

_PLAIN = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = re.compile(_PLAIN)
_NUMBERS = re.compile(rf"(?:{_PLAIN}\n)*+")
"""A whole column of plain numbers, in one go: nearly every column is one."""
_MISSING = frozenset({"", "na", "nan", "null", "none", "<na>"})
_INFINITE = re.compile(r"([+-]?)inf(?:inity)?", re.IGNORECASE)
_NAMED = 5
"""How many names a message lists."""


def read_output(
    content: bytes,
    table: OutputTable,
    keys: pd.DataFrame,
    *,
    limit_bytes: int,
    reveal: bool = True,
) -> pd.DataFrame:
    """Read what a submission wrote, in the order of the recorded keys.

    Missing and infinite values are values that earn nothing, so they are read, not refused.

    :param keys: the recorded keys as text, one row per row that is expected
    :param limit_bytes: a larger table is refused unread
    :param reveal: whether messages may repeat the table's own words and row numbers. For a hidden
        case they must not: a port could write hidden values into a column's name to read them in
        its report.
    :return: one row per row of ``keys``; numbers as float64, exact columns as text
    :raises OutputError: the table cannot be read, or its columns or keys are not the expected ones
    """
    found = parse_table(content, table, limit_bytes=limit_bytes, reveal=reveal)
    wanted = pd.MultiIndex.from_frame(keys[list(table.key)])
    given = pd.MultiIndex.from_frame(found[list(table.key)])
    _check_keys(given, wanted, table, reveal=reveal)
    return found.iloc[given.get_indexer(wanted)].reset_index(drop=True)


def read_recorded(path: Path, table: OutputTable) -> pd.DataFrame:
    """Read a recorded table, sorted by key, so that sums over it do not depend on file order.

    Several judgements look at the same table, so it is read once; leave what is returned unchanged.

    :raises ChallengeError: the champion's own table is not as the challenge declares it
    """
    try:
        about = path.stat()
        return _recorded(path, about.st_mtime_ns, about.st_size, table)
    except (OSError, OutputError) as error:
        raise ChallengeError(
            "recorded-table",
            f"The recorded table {path} cannot be used: {error}",
            remedy="Record the challenge again with 'drydock challenge record'.",
        ) from error


def read_inputs(path: Path, key: Sequence[str]) -> pd.DataFrame:
    """Read a case's input table: keys as text, only empty fields missing, sorted by key."""
    inputs = pd.read_csv(
        path, dtype=dict.fromkeys(key, "str"), keep_default_na=False, na_values=[""]
    )
    return inputs.sort_values(list(key), kind="stable", ignore_index=True)


def segment_rows(inputs: pd.DataFrame, segments: Iterable[Segment]) -> dict[str, Mask]:
    """Say for each segment which rows of an input table are in it.

    :raises ChallengeError: an expression does not give one truth value per row
    """
    return {segment.name: _segment(inputs, segment) for segment in segments}


def parse_table(
    content: bytes, table: OutputTable, *, limit_bytes: int, reveal: bool = True
) -> pd.DataFrame:
    """Read a CSV table with exactly the declared columns, in the order of its own rows.

    :raises OutputError: it is too large, no UTF-8, no CSV, or has other columns or text for numbers
    """
    header, rows = _rows(_text(content, table, limit_bytes), table, reveal=reveal)
    _check_columns(header, table, reveal=reveal)
    place = {name: index for index, name in enumerate(header)}
    cells: dict[str, object] = {
        name: pd.array([row[place[name]].strip() for row in rows], dtype="str")
        for name in table.key
    }
    for column in table.columns:
        words = [row[place[column.name]].strip() for row in rows]
        cells[column.name] = (
            pd.array(words, dtype="str")
            if column.exact
            else _numbers(words, column, table, reveal=reveal)
        )
    return pd.DataFrame(cells)


@lru_cache(maxsize=32)
def _recorded(path: Path, _changed: int, size: int, table: OutputTable) -> pd.DataFrame:
    found = parse_table(path.read_bytes(), table, limit_bytes=size)
    keys = pd.MultiIndex.from_frame(found[list(table.key)])
    _check_keys(keys, keys, table, reveal=True)
    return found.sort_values(list(table.key), kind="stable", ignore_index=True)


# ------------------------------------------------------------------------------ text to cells


def _text(content: bytes, table: OutputTable, limit_bytes: int) -> str:
    if len(content) > limit_bytes:
        raise OutputError(
            "output-too-large",
            f"{table.file} is larger than {limit_bytes / 2**20:g} MB.",
            remedy="Write one row per input row and nothing else.",
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _encoding(table, "UTF-16")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoding(table, "not UTF-8, perhaps Latin-1") from error
    if not text.strip():
        raise OutputError(
            "output-empty",
            f"{table.file} is empty.",
            remedy="Write a header line even where there is no row.",
        )
    if "\0" in text:
        raise OutputError(
            "output-not-csv",
            f"{table.file} holds null bytes, so it is no CSV table.",
            remedy="Write it as text, for instance with pandas.DataFrame.to_csv.",
        )
    return text


def _encoding(table: OutputTable, found: str) -> OutputError:
    return OutputError(
        "output-encoding",
        f"The encoding of {table.file} is {found}.",
        remedy="Write it in UTF-8.",
    )


def _rows(text: str, table: OutputTable, *, reveal: bool) -> tuple[list[str], list[list[str]]]:
    """Split into header and rows of equal length; lines that are empty are left out."""
    try:
        lines = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        why = f": {error}" if reveal else ""
        raise OutputError(
            "output-not-csv",
            f"{table.file} is no CSV table{why}.",
            remedy="Separate fields by commas and quote those that hold commas.",
        ) from error
    header = [name.strip() for name in lines[0]]
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(header):
            where = f"Row {number}" if reveal else "A row"
            raise OutputError(
                "output-not-csv",
                f"{where} of {table.file} does not have as many fields as the header.",
                remedy="Separate fields by commas and quote those that hold commas.",
            )
    return header, lines[1:]


def _check_columns(header: Sequence[str], table: OutputTable, *, reveal: bool) -> None:
    wanted = (*table.key, *(column.name for column in table.columns))
    problems = [
        _listed("lacks", [name for name in wanted if name not in header], reveal=True),
        _listed("repeats", [n for n, count in Counter(header).items() if count > 1], reveal=reveal),
        _listed(
            "has the unknown",
            sorted({name for name in header if name not in wanted}),
            reveal=reveal,
        ),
    ]
    if any(problems):
        raise OutputError(
            "output-columns",
            f"{table.file} {' and '.join(problem for problem in problems if problem)}.",
            remedy=f"Its columns must be {', '.join(wanted)}.",
        )


def _listed(verb: str, names: Sequence[str], *, reveal: bool) -> str:
    if not names:
        return ""
    noun = "column" if len(names) == 1 else "columns"
    if not reveal:
        return f"{verb} {len(names)} {noun}"
    more = ", …" if len(names) > _NAMED else ""
    return f"{verb} {noun} {', '.join(repr(name[:60]) for name in names[:_NAMED])}{more}"


def _numbers(
    words: Sequence[str], column: Column, table: OutputTable, *, reveal: bool
) -> npt.NDArray[np.float64]:
    if _NUMBERS.fullmatch("".join(f"{word}\n" for word in words)):
        return np.array([float(word) for word in words], dtype=np.float64)
    values = np.empty(len(words), dtype=np.float64)
    for index, word in enumerate(words):
        value = _number(word)
        if value is None:
            where = f"In row {index + 2} of" if reveal else "In"
            shown = f"{word[:40]!r}" if reveal else "text"
            raise OutputError(
                "output-not-a-number",
                f"{where} {table.file}, column {column.name!r} holds {shown} where a number "
                "belongs.",
                remedy="Write plain decimal numbers: 1234.5 or 1.2345e3, no thousands separator.",
            )
        values[index] = value
    return values


def _number(word: str) -> float | None:
    """Read one cell: a plain decimal number, missing (NaN) or infinite; None where it is text."""
    if _NUMBER.fullmatch(word):
        return float(word)
    if word.lower() in _MISSING:
        return np.nan
    infinite = _INFINITE.fullmatch(word)
    return float(f"{infinite[1]}inf") if infinite else None


# ------------------------------------------------------------------------------ keys, segments


def _check_keys(
    given: pd.MultiIndex, wanted: pd.MultiIndex, table: OutputTable, *, reveal: bool
) -> None:
    key = ", ".join(table.key)
    repeated = int(given.duplicated().sum())
    if repeated:
        first = int(np.flatnonzero(given.duplicated())[0]) + 2
        where = f"; the first is in row {first}" if reveal else ""
        raise OutputError(
            "output-duplicate-keys",
            f"{table.file} repeats the key ({key}) in {_count(repeated)}{where}.",
            remedy="Write one row per input row.",
        )
    missing = len(wanted) - int(wanted.isin(given).sum())
    if missing:
        raise OutputError(
            "output-missing-rows",
            f"{table.file} lacks {missing} of the {_count(len(wanted))} of the input, by its key "
            f"({key}).",
            remedy="Answer every input row and copy its key as it is written there.",
        )
    extra = len(given) - len(wanted)
    if extra:
        raise OutputError(
            "output-extra-rows",
            f"{table.file} has {_count(extra)} whose key ({key}) is not in the input.",
            remedy="Write one row per input row and copy its key as it is written there.",
        )


def _count(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _segment(inputs: pd.DataFrame, segment: Segment) -> Mask:
    try:
        found = inputs.eval(segment.where, engine="python")
        rows = np.asarray(found)
    except Exception as error:  # a champion's expression may fail in any way pandas knows
        raise _segment_error(segment, f"{type(error).__name__}: {error}") from error
    if rows.dtype != np.bool_ or rows.shape != (len(inputs),):
        raise _segment_error(segment, "it does not give one truth value per row")
    return rows


def _segment_error(segment: Segment, why: str) -> ChallengeError:
    return ChallengeError(
        "segment-expression",
        f"The segment {segment.name!r} ({segment.where}) cannot be evaluated: {why}.",
        remedy="Write a pandas query over the columns of the input table.",
    )
