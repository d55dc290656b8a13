"""The JSON Schema of a report: what ``docs/report.schema.json`` publishes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from grader.model import Cause, Outcome, Scope, Verdict

VERSION = "drydock.report/1"
"""What a report says of itself under ``schema``; another number breaks older readers."""

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_SIZE = {"type": "number", "minimum": 0}


def schema() -> Mapping[str, Any]:
    """Return the schema, in the dialect JSON Schema 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Drydock report",
        "description": "What grading one submission showed. Not scored is null, never 0.",
        **_object(
            {
                "schema": {"const": VERSION},
                "challenge": _challenge(),
                "submission": _object(
                    {"commit": _or_null(_TEXT), "tree_digest": _TEXT, "source": _TEXT}
                ),
                "grader": _grader(),
                "outcome": _enum(Outcome),
                "total": _or_null(_COUNT),
                "possible": _COUNT,
                "gated": _said(_TEXTS, "Codes of the gates that failed; they halve the total."),
                "weakest": _said(_or_null(_TEXT), "The family with the lowest share of points."),
                "reasons": _said(_TEXTS, "Why the outcome is what it is, most important first."),
                "left_out": _said(_TEXTS, "What this grading did not look at."),
                "notes": _TEXTS,
                "standards": _points("families"),
                "accuracy": _points("groups"),
                "findings": {"type": "array", "items": _finding()},
                "cases": {"type": "array", "items": _case()},
                "columns": {"type": "array", "items": _column()},
                "timings": _said(_map_of(_NUMBER), "Seconds by step; differs from run to run."),
            }
        ),
    }


def schema_text() -> str:
    """Return the schema as the text of ``docs/report.schema.json``."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _challenge() -> dict[str, Any]:
    data = _said(_TEXT, "Of training data, inputs and recorded outputs.")
    named = dict.fromkeys(("slug", "title", "version", "digest"), _TEXT)
    return _object({**named, "data_digest": data}, optional={"data_digest"})


def _grader() -> dict[str, Any]:
    return _object(
        {
            "version": _TEXT,
            "environment_digest": _TEXT,
            "rubric_digest": _said(_TEXT, "Of what is looked at, and what it earns."),
            "sandbox": _said(_TEXT, "Level of isolation: warm, cold or none."),
            "scope": _enum(Scope),
        },
        optional={"rubric_digest"},
    )


def _points(parts: str) -> dict[str, Any]:
    pair = {"earned": _or_null(_COUNT), "possible": _COUNT}
    return _object({**pair, parts: _map_of(_object(pair))})


def _finding() -> dict[str, Any]:
    return _object(
        {
            "code": _TEXT,
            "family": _TEXT,
            "verdict": _enum(Verdict),
            "points": _or_null(_COUNT),
            "possible": _said(_or_null(_COUNT), "Null where the challenge gives it no points."),
            "share": _said(_SHARE, "Credit."),
            "message": _TEXT,
            "path": _or_null(_TEXT),
            "line": _or_null({"type": "integer"}),
            "fix": _TEXT,
            "waiver": _said(_or_null(_TEXT), "The reason asked for or granted."),
            "recheck": _said(_TEXT, "The command that looks at this check alone."),
        }
    )


def _case() -> dict[str, Any]:
    return _object(
        {
            "case": _TEXT,
            "group": _said(_TEXT, "Empty for a case that is shown and earns nothing."),
            "verdict": _enum(Verdict),
            "cause": _or_null(_enum(Cause)),
            "column": _or_null(_TEXT),
            "worst_row_kind": _said(_or_null(_TEXT), "The segment that is furthest off."),
            "difference": _said(_or_null(_NUMBER), "Largest, in the column's unit."),
            "share": _said(_SHARE, "Credit."),
            "message": _TEXT,
            "seconds": _said(_SIZE, "Differs from run to run."),
            "memory_mb": _said(_SIZE, "Differs from run to run."),
        }
    )


def _column() -> dict[str, Any]:
    return _object(
        {
            "case": _TEXT,
            "column": _TEXT,
            "score": _said({"type": "number", "minimum": 0, "maximum": 100}, "Parity."),
            "within": _said(_SHARE, "Share of rows within tolerance."),
            "worst_segment": _TEXT,
            "worst_segment_within": _SHARE,
            "median_difference": _said(_or_null(_NUMBER), "Null where it is not finite."),
            "largest_difference": _said(_or_null(_NUMBER), "Null where it is not finite."),
            "segments": _said(_map_of(_SHARE), "Share within tolerance by segment."),
            "decades": _said(
                {"type": "array", "items": _COUNT},
                "Rows within tolerance, by factors of ten beyond it, and missing last.",
            ),
            "points": _said(
                {
                    "type": "array",
                    "items": {
                        "type": "array",
                        "prefixItems": [_or_null(_NUMBER), _or_null(_NUMBER)],
                        "items": False,
                        "minItems": 2,
                    },
                },
                "Legacy and ported answers of public cases; empty for hidden ones.",
            ),
        }
    )


def _object(properties: Mapping[str, Any], *, optional: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema of an object.

    :param optional: what earlier graders did not write
    """
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _map_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": dict(values)}


def _or_null(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(values), {"type": "null"}]}


def _enum(values: Iterable[str]) -> dict[str, Any]:
    return {"enum": [str(value) for value in values]}


def _said(values: Mapping[str, Any], description: str) -> dict[str, Any]:
    return {**values, "description": description}
