"""From what a command left behind to the result of a case: parity and reproducibility."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from grader.accuracy.port import Outcome
from grader.accuracy.words import coarse, percent, size
from grader.compare import CaseParity, compare_case, read_output, rows_equal
from grader.errors import OutputError
from grader.model import (
    Case,
    CaseResult,
    Cause,
    ColumnParity,
    Contract,
    OutputTable,
    QualityLoss,
    Segment,
    Verdict,
)

ALMOST_THE_SAME = 0.5
"""Credit of two trainings whose answers agree within tolerance, but not exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The result of a case, with the figures behind it."""

    result: CaseResult
    columns: tuple[ColumnParity, ...] = ()
    loss: QualityLoss | None = None


def judge_parity(
    case: Case,
    group: str,
    outcome: Outcome,
    *,
    contract: Contract,
    table: OutputTable,
    segments: tuple[Segment, ...],
    limit_bytes: int,
) -> Judged:
    """Judge what the batch command wrote for one case against the recorded table."""
    if outcome.failure is not None:
        return Judged(result=failed(case.name, group, outcome))
    try:
        parity = compare_case(
            case,
            table,
            outcome.content,
            input_file=contract.input_file,
            segments=segments,
            limit_bytes=limit_bytes,
        )
    except OutputError as error:
        result = failed(case.name, group, outcome, Cause.BAD_SCHEMA, str(error))
        return Judged(result=result)
    return _judged(case, group, outcome, parity)


def judge_training(
    first: Outcome, second: Outcome, group: str, name: str, keys: pd.DataFrame, table: OutputTable
) -> CaseResult:
    """Judge whether two trainings gave the same model, by their answers for one case.

    :param first: what the first training's model answered
    :param second: what the second training's model answered
    :param keys: the rows of the case
    """
    for outcome in (first, second):
        if outcome.failure is not None:
            return failed(name, group, outcome)
    try:
        tables = [
            read_output(o.content, table, keys, limit_bytes=len(o.content), reveal=False)
            for o in (first, second)
        ]
    except OutputError as error:
        return failed(name, group, second, Cause.BAD_SCHEMA, str(error))
    if tables[0].equals(tables[1]):
        return _repeated(name, group, second, 1.0, "Training twice gives the very same answers.")
    for column in table.columns:
        one, other = (answers[column.name].to_numpy() for answers in tables)
        if not rows_equal(one, other, column).all():
            message = (
                f"Training twice gives another {column.name}: set the seeds of what is random."
            )
            return _repeated(name, group, second, 0.0, message)
    message = "Training twice gives answers that agree within tolerance, but not exactly."
    return _repeated(name, group, second, ALMOST_THE_SAME, message)


def failed(
    name: str, group: str, outcome: Outcome, cause: Cause | None = None, message: str = ""
) -> CaseResult:
    """Return a case as failed by a command; the cause is the command's own unless one is given."""
    if outcome.failure is not None:
        cause, message = outcome.failure.cause, outcome.failure.message
    return CaseResult(
        case=name,
        group=group,
        verdict=Verdict.ERROR if cause is Cause.SANDBOX else Verdict.FAIL,
        share=0.0,
        message=message,
        cause=cause,
        seconds=outcome.result.seconds,
        memory_mb=outcome.result.memory_mb,
    )


def _judged(case: Case, group: str, outcome: Outcome, parity: CaseParity) -> Judged:
    columns = tuple(_discreet(column, case) for column in parity.columns)
    worst = min(columns, key=lambda column: column.score)
    right = parity.score == 100  # noqa: PLR2004 - the scale's upper end
    result = CaseResult(
        case=case.name,
        group=group,
        verdict=Verdict.PASS if right else Verdict.FAIL,
        share=parity.score / 100,
        message="Every value is within tolerance." if right else _described(worst),
        cause=None if right else Cause.WRONG_VALUE,
        column=worst.column,
        worst_row_kind=worst.worst_segment,
        difference=worst.largest_difference,
        seconds=outcome.result.seconds,
        memory_mb=outcome.result.memory_mb,
    )
    return Judged(result=result, columns=columns)


def _discreet(column: ColumnParity, case: Case) -> ColumnParity:
    return replace(
        column,
        median_difference=coarse(column.median_difference, hidden=case.hidden),
        largest_difference=coarse(column.largest_difference, hidden=case.hidden),
    )


def _described(column: ColumnParity) -> str:
    off = ""
    if column.largest_difference is not None:
        off = f"; off by up to {size(column.largest_difference)}"
    if column.decades[-1]:
        off += f"; {percent(column.decades[-1] / sum(column.decades))} missing"
    return (
        f"{column.column}: {percent(column.within)} of the rows within tolerance, "
        f"{percent(column.worst_segment_within)} in the worst segment "
        f"({column.worst_segment}){off}."
    )


def _repeated(name: str, group: str, outcome: Outcome, share: float, message: str) -> CaseResult:
    same = share == 1
    return CaseResult(
        case=name,
        group=group,
        verdict=Verdict.PASS if same else Verdict.FAIL,
        share=share,
        message=message,
        cause=None if same else Cause.NONDETERMINISTIC,
        seconds=outcome.result.seconds,
        memory_mb=outcome.result.memory_mb,
    )
