"""Input as it comes in real life: cut short, mistyped, reordered.

The variants are made by pure functions of a case's own table.

A port must either give the answers that it gives for the unchanged table, or refuse: exit code 2,
the column named on the error output, no traceback, and no output file left behind.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import pandas as pd

from grader.accuracy.port import Outcome
from grader.compare import read_output, rows_equal
from grader.errors import OutputError
from grader.model import CaseResult, Cause, Contract, OutputTable, Verdict

ROWS = 60
"""Rows of the base case that variants are made of: enough to notice, quick to score."""
BAD_INPUT = 2
"""Exit code that says: your input is at fault."""
NOT_A_NUMBER = "n/a?"
UNSEEN_LEVEL = "never-seen-before"
EXTRA_COLUMN = "drydock_extra"
TRACEBACK = "Traceback (most recent call last)"


class Answer(StrEnum):
    """What a right port does with a variant."""

    SAME = "same"
    """Answers every row as it does in the unchanged table."""
    REFUSE = "refuse"
    EITHER = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A CSV table as words: nothing in it is read as a number, so nothing is rewritten."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def content(self) -> bytes:
        """Write it as CSV."""
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows((self.header, *self.rows))
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A changed table and what is asked of a port that is given it."""

    name: str
    content: bytes
    answer: Answer
    column: str | None = None
    """The column that a refusal must name."""
    keys: pd.DataFrame
    """The keys of its rows, as text."""
    open_row: int | None = None
    """A row whose answer is the port's own affair."""


def names(contract: Contract) -> tuple[str, ...]:
    """Return the names of the variants of a challenge: its contract alone decides them."""
    return tuple(f"robustness/{name}" for name, make in _MAKERS.items() if _applies(make, contract))


def variants(content: bytes, contract: Contract) -> tuple[Variant, ...]:
    """Make the variants of an input table, in the order of their names.

    :param content: the table of the base case; up to ``ROWS`` of its rows are used
    """
    sheet = sample(read_sheet(content), ROWS)
    return tuple(
        replace(make(sheet, contract), name=f"robustness/{name}")
        for name, make in _MAKERS.items()
        if _applies(make, contract)
    )


def judge_variant(
    variant: Variant, outcome: Outcome, usual: pd.DataFrame, group: str, table: OutputTable
) -> CaseResult:
    """Judge what a port did with a variant.

    :param usual: the port's own answers for the unchanged table, aligned to ``variant.keys``
    """
    failure = outcome.failure
    if failure is not None and failure.cause is not Cause.CRASH:
        # An output file that was rightly not written is looked at below, as a refusal.
        refused = failure.cause is Cause.MISSING_OUTPUT and outcome.result.exit_code == BAD_INPUT
        if not refused:
            return _failed(variant, outcome, group, failure.message, failure.cause)
    problem, cause = _problem(variant, outcome, usual, table)
    if problem:
        return _failed(variant, outcome, group, problem, cause)
    return CaseResult(
        case=variant.name,
        group=group,
        verdict=Verdict.PASS,
        share=1.0,
        message="Refused with a clear message."
        if outcome.result.exit_code
        else "The same answers as for the unchanged table.",
        seconds=outcome.result.seconds,
        memory_mb=outcome.result.memory_mb,
    )


def read_sheet(content: bytes) -> Sheet:
    """Read a challenge's own input table as words."""
    rows = [tuple(row) for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))]
    return Sheet(header=rows[0], rows=tuple(row for row in rows[1:] if row))


def sample(sheet: Sheet, count: int) -> Sheet:
    """Draw up to so many rows, evenly over the table."""
    if len(sheet.rows) <= count:
        return sheet
    drawn = np.linspace(0, len(sheet.rows) - 1, count).round().astype(int)
    return replace(sheet, rows=tuple(sheet.rows[row] for row in drawn))


# ------------------------------------------------------------------------------ the variants

_Maker = Callable[[Sheet, Contract], Variant]


def missing_column(sheet: Sheet, contract: Contract) -> Variant:
    """Leave out a required column."""
    column = _needed(contract)[0]
    place = sheet.header.index(column)
    cut = Sheet(
        header=_without(sheet.header, place), rows=tuple(_without(row, place) for row in sheet.rows)
    )
    return _refused(cut, sheet, contract, column)


def text_in_number(sheet: Sheet, contract: Contract) -> Variant:
    """Put text into one field of a numeric column."""
    column = _numeric(contract)[0]
    return _refused(_with_word(sheet, column, NOT_A_NUMBER), sheet, contract, column)


def empty_file(sheet: Sheet, contract: Contract) -> Variant:
    """Give a file of no bytes at all."""
    return replace(_refused(sheet, sheet, contract, None), content=b"")


def header_only(sheet: Sheet, contract: Contract) -> Variant:
    """Give a table with no rows: no answers, or a refusal."""
    bare = replace(sheet, rows=())
    return replace(_same(bare, contract), answer=Answer.EITHER)


def unseen_level(sheet: Sheet, contract: Contract) -> Variant:
    """Put an unseen level into one field of a category: refused by name, or the rest answered."""
    column = contract.category_columns[0]
    place = sheet.header.index(column)
    level = UNSEEN_LEVEL
    if column in contract.numeric_columns:
        level = str(1 + int(max(float(row[place]) for row in sheet.rows if row[place])))
    changed = _same(_with_word(sheet, column, level), contract)
    return replace(changed, answer=Answer.EITHER, column=column, open_row=_HIT)


def one_row(sheet: Sheet, contract: Contract) -> Variant:
    """Give one row alone: nothing may be learnt from the batch that it came in."""
    return _same(replace(sheet, rows=sheet.rows[-1:]), contract)


def shuffled_rows(sheet: Sheet, contract: Contract) -> Variant:
    """Reorder the rows."""
    order = np.random.default_rng(len(sheet.rows)).permutation(len(sheet.rows))
    return _same(replace(sheet, rows=tuple(sheet.rows[row] for row in order)), contract)


def shuffled_columns(sheet: Sheet, contract: Contract) -> Variant:
    """Reorder the columns, header and all."""
    turned = Sheet(header=sheet.header[::-1], rows=tuple(row[::-1] for row in sheet.rows))
    return _same(turned, contract)


def extra_column(sheet: Sheet, contract: Contract) -> Variant:
    """Add a column that nobody asked for."""
    wider = Sheet(
        header=(EXTRA_COLUMN, *sheet.header), rows=tuple(("1", *row) for row in sheet.rows)
    )
    return _same(wider, contract)


_MAKERS: dict[str, _Maker] = {
    "missing-column": missing_column,
    "text-in-number": text_in_number,
    "empty-file": empty_file,
    "header-only": header_only,
    "unseen-level": unseen_level,
    "one-row": one_row,
    "shuffled-rows": shuffled_rows,
    "shuffled-columns": shuffled_columns,
    "extra-column": extra_column,
}
_HIT = 0
"""The row in which a field is changed."""


def _applies(make: _Maker, contract: Contract) -> bool:
    if make is missing_column:
        return bool(_needed(contract))
    if make is text_in_number:
        return bool(_numeric(contract))
    return make is not unseen_level or bool(contract.category_columns)


def _needed(contract: Contract) -> list[str]:
    return [name for name in contract.required_columns if name not in contract.key]


def _numeric(contract: Contract) -> list[str]:
    return [name for name in contract.numeric_columns if name not in contract.key]


def _same(sheet: Sheet, contract: Contract) -> Variant:
    return Variant(
        name="", content=sheet.content(), answer=Answer.SAME, keys=_keys(sheet, contract)
    )


def _refused(changed: Sheet, sheet: Sheet, contract: Contract, column: str | None) -> Variant:
    return Variant(
        name="",
        content=changed.content(),
        answer=Answer.REFUSE,
        column=column,
        keys=_keys(replace(sheet, rows=()), contract),
    )


def _keys(sheet: Sheet, contract: Contract) -> pd.DataFrame:
    places = {name: sheet.header.index(name) for name in contract.key}
    return pd.DataFrame(
        {name: [row[place] for row in sheet.rows] for name, place in places.items()}, dtype="str"
    )


def _with_word(sheet: Sheet, column: str, word: str) -> Sheet:
    place = sheet.header.index(column)
    row = sheet.rows[_HIT]
    changed = (*row[:place], word, *row[place + 1 :])
    return replace(sheet, rows=(*sheet.rows[:_HIT], changed, *sheet.rows[_HIT + 1 :]))


def _without(row: tuple[str, ...], place: int) -> tuple[str, ...]:
    return (*row[:place], *row[place + 1 :])


# ------------------------------------------------------------------------------ judging


def _problem(
    variant: Variant, outcome: Outcome, usual: pd.DataFrame, table: OutputTable
) -> tuple[str, Cause]:
    """Say what is wrong and why; an empty message where nothing is."""
    result = outcome.result
    if result.exit_code != 0:
        return _bad_refusal(variant, outcome), Cause.CRASH
    if variant.answer is Answer.REFUSE:
        where = f" in column {variant.column!r}" if variant.column else ""
        return f"Answered as if nothing were wrong{where}.", Cause.WRONG_VALUE
    return _other_answers(variant, outcome.content, usual, table)


def _bad_refusal(variant: Variant, outcome: Outcome) -> str:
    """Say what is wrong with a refusal, the worst first; an empty text where nothing is."""
    result = outcome.result
    named = variant.column is None or variant.column in result.stderr
    faults = {
        "Ended with a traceback instead of a message.": TRACEBACK in result.stderr,
        "Refused a table that it can answer.": variant.answer is Answer.SAME,
        f"Refused, but not with exit code {BAD_INPUT}.": result.exit_code != BAD_INPUT,
        f"Refused without naming the column {variant.column!r} on the error output.": not named,
        "Refused without saying why on the error output.": not result.stderr.strip(),
        "Refused, and left an output file behind.": any(
            file.problem != "missing" for file in result.files
        ),
    }
    return next((fault for fault, found in faults.items() if found), "")


def _other_answers(
    variant: Variant, content: bytes, usual: pd.DataFrame, table: OutputTable
) -> tuple[str, Cause]:
    try:
        found = read_output(content, table, variant.keys, limit_bytes=len(content), reveal=False)
    except OutputError as error:
        return str(error), Cause.BAD_SCHEMA
    compared = np.arange(len(found)) != variant.open_row
    for column in table.columns:
        expected, actual = usual[column.name].to_numpy(), found[column.name].to_numpy()
        if not rows_equal(expected, actual, column)[compared].all():
            return (
                f"{column.name} is not what it is for the same rows of the unchanged table.",
                Cause.WRONG_VALUE,
            )
    return "", Cause.WRONG_VALUE


def _failed(
    variant: Variant, outcome: Outcome, group: str, message: str, cause: Cause
) -> CaseResult:
    return CaseResult(
        case=variant.name,
        group=group,
        verdict=Verdict.ERROR if cause is Cause.SANDBOX else Verdict.FAIL,
        share=0.0,
        message=message,
        cause=cause,
        seconds=outcome.result.seconds,
        memory_mb=outcome.result.memory_mb,
    )
