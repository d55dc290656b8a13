"""A port's own metrics report, held against what the grader measured itself.

The report is asked for on a public case, so its messages may repeat what it says. It is data and
nothing else: JSON of the published schema, and pictures of which only the head is read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.accuracy.port import METRICS_FILE, Reported
from grader.commands import printable
from grader.model import ColumnParity, OutputTable, ReportRun
from grader.sandbox import Collected

VERSION = "drydock.metrics/1"
"""What a report says of itself under ``schema``; another number breaks older readers."""
LARGEST = 2**20
"""Bytes of a report; one of the schema needs some hundred for each column."""
LEAST_PIXELS = 200
"""Width and height below which nobody can see a cloud of points."""

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""How far a figure may be from the grader's own: both come from sums in double precision."""
_PNG = b"\x89PNG\r\n\x1a\n"
_HEAD = 24
"""Bytes of a PNG file up to the end of its width and height (W3C, PNG, 11.2.1)."""

_DIFFERENCE = {"type": ["number", "null"], "minimum": 0}
_COLUMN = {
    "type": "object",
    "required": ["rows", "within_tolerance", "median_difference", "largest_difference"],
    "properties": {
        "rows": {"type": "integer", "minimum": 0, "description": "Recorded rows."},
        "within_tolerance": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Share of the recorded rows that the port answers within tolerance.",
        },
        "median_difference": _DIFFERENCE
        | {"description": "Absolute, over the rows with both values; null for text, or for none."},
        "largest_difference": _DIFFERENCE | {"description": "As above."},
    },
}


def metrics_schema() -> Mapping[str, Any]:
    """Return the JSON Schema (2020-12) of a metrics report. More than it names may be reported."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A port's metrics report",
        "type": "object",
        "required": ["schema", "columns", "lineage"],
        "properties": {
            "schema": {"const": VERSION},
            "columns": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": _COLUMN,
                "description": "By output column.",
            },
            "lineage": {
                "type": "object",
                "required": ["package_version", "data"],
                "properties": {
                    "package_version": {"type": "string", "minLength": 1},
                    "data": {
                        "type": "object",
                        "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                        "description": "SHA-256 of each training file, by its name.",
                    },
                },
            },
        },
    }


def picture_names(table: OutputTable) -> tuple[str, ...]:
    """Return the names of the pictures that lie beside a report: one for each number."""
    return tuple(f"parity-{column.name}.png" for column in table.columns if not column.exact)


def judge_report(
    reported: Reported, measured: Sequence[ColumnParity], rows: int, training: Path
) -> ReportRun:
    """Hold a report against the grader's own figures of the same case.

    :param measured: by output column; empty where the port's answers could not be read
    :param rows: how many the case has
    :param training: the challenge's folder of training data
    """
    undrawn = tuple(_undrawn(reported))
    try:
        content = _read(reported)
    except ValueError as error:
        return ReportRun(problem=str(error), undrawn=undrawn)
    return ReportRun(
        untrue=tuple(_untrue(content["columns"], measured, rows)),
        undrawn=undrawn,
        untraced=tuple(_untraced(content["lineage"]["data"], training)),
    )


def _read(reported: Reported) -> Mapping[str, Any]:
    """Return a report's content; :raises ValueError: saying why there is none of the schema."""
    if reported.failure is not None:
        raise ValueError(reported.failure.message)
    file = reported.files[METRICS_FILE]
    if file.content is None:
        raise ValueError(f"report left no usable {METRICS_FILE}: {file.problem}.")
    if len(file.content) > LARGEST:
        raise ValueError(f"{METRICS_FILE} is larger than {LARGEST // 1024} kB.")
    try:
        content = json.loads(file.content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{METRICS_FILE} is no JSON: {printable(str(error))}.") from error
    _check_schema(content)
    found: Mapping[str, Any] = content
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON number")


def _check_schema(content: object) -> None:
    # Here, because it takes a while to load and most commands don't need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see above
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see above

    try:
        error = best_match(Draft202012Validator(dict(metrics_schema())).iter_errors(content))
    except RecursionError as deep:
        raise ValueError(f"{METRICS_FILE} is nested too deeply.") from deep
    if error is not None:
        place = printable(" / ".join(map(str, (METRICS_FILE, *error.absolute_path))))
        raise ValueError(f"{place}: {printable(error.message)}.")


def _untrue(
    columns: Mapping[str, Mapping[str, float | None]], measured: Sequence[ColumnParity], rows: int
) -> Iterator[str]:
    if not measured:
        yield "the port's answers for the case can't be read"
    for own in measured:
        if own.column not in columns:
            yield f"{own.column} is missing"
            continue
        seen = {
            "rows": rows,
            "within_tolerance": own.within,
            "median_difference": own.median_difference,
            "largest_difference": own.largest_difference,
        }
        for name, value in seen.items():
            said = columns[own.column][name]
            if not _agree(said, value):
                yield f"{own.column}: {name} is {_figure(value)}, not {_figure(said)}"


def _agree(said: float | None, seen: float | None) -> bool:
    if said is None or seen is None:
        return said is seen
    try:
        return math.isclose(said, seen, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    except OverflowError:
        return False


def _figure(value: float | None) -> str:
    if value is None:
        return "null"
    return printable(f"{value:.6g}") if isinstance(value, float) else printable(str(value), 20)


def _undrawn(reported: Reported) -> Iterator[str]:
    for name, file in reported.files.items():
        if name != METRICS_FILE and (problem := _no_picture(file)):
            yield f"{name} ({problem})"


def _no_picture(file: Collected) -> str:
    head = file.content
    if head is None:
        return file.problem or "missing"
    if len(head) < _HEAD or not head.startswith(_PNG) or head[12:16] != b"IHDR":
        return "no PNG"
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    return f"{width} by {height} pixels" if min(width, height) < LEAST_PIXELS else ""


def _untraced(digests: Mapping[str, str], training: Path) -> Iterator[str]:
    for file in sorted(training.iterdir()):
        if file.is_file():
            true = hashlib.sha256(file.read_bytes()).hexdigest()
            if digests.get(file.name) != true:
                yield file.name
