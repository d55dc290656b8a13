"""The report as JSON: what is stored, compared byte by byte, and read back whole."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from grader.errors import UserError
from grader.model import (
    CaseResult,
    Cause,
    ColumnParity,
    Finding,
    Outcome,
    Report,
    Scope,
    Score,
    Scores,
    Verdict,
    Where,
)
from grader.report.schema import VERSION, schema
from grader.report.summary import recheck, total_of


def to_json(report: Report) -> str:
    """Write a report as JSON that ends with a newline.

    Keys stand in a fixed order; floats carry all their digits; what is not a finite number is
    null. The text is ASCII, so that no encoding can break it. Two gradings of the same commit
    differ in ``timings``, ``seconds`` and ``memory_mb`` alone.
    """
    return json.dumps(_finite(_document(report)), indent=1, allow_nan=False) + "\n"


def from_json(text: str) -> Report:
    """Read a report: ``from_json(to_json(report)) == report``.

    A difference that was not finite comes back as infinity, a point that was not as NaN.

    :raises UserError: ``bad-report``: the text is no report of this version
    """
    document = _parse(text)
    _validate(document)
    challenge, submission, grader = (document[key] for key in ("challenge", "submission", "grader"))
    return Report(
        challenge_slug=challenge["slug"],
        challenge_title=challenge["title"],
        challenge_version=challenge["version"],
        challenge_digest=challenge["digest"],
        source=submission["source"],
        commit=submission["commit"],
        tree_digest=submission["tree_digest"],
        grader_version=grader["version"],
        environment_digest=grader["environment_digest"],
        sandbox=grader["sandbox"],
        scope=Scope(grader["scope"]),
        left_out=tuple(document["left_out"]),
        notes=tuple(document["notes"]),
        findings=tuple(_read_finding(item) for item in document["findings"]),
        cases=tuple(_read_case(item) for item in document["cases"]),
        columns=tuple(_read_column(item) for item in document["columns"]),
        scores=_read_scores(document),
        timings=document["timings"],
        data_digest=challenge.get("data_digest", ""),
        rubric_digest=grader.get("rubric_digest", ""),
    )


def _document(report: Report) -> dict[str, Any]:
    scores = report.scores
    return {
        "schema": VERSION,
        "challenge": {
            "slug": report.challenge_slug,
            "title": report.challenge_title,
            "version": report.challenge_version,
            "digest": report.challenge_digest,
            "data_digest": report.data_digest,
        },
        "submission": {
            "commit": report.commit,
            "tree_digest": report.tree_digest,
            "source": report.source,
        },
        "grader": {
            "version": report.grader_version,
            "environment_digest": report.environment_digest,
            "rubric_digest": report.rubric_digest,
            "sandbox": report.sandbox,
            "scope": report.scope,
        },
        "outcome": scores.outcome,
        "total": scores.total,
        "possible": scores.possible,
        "gated": scores.gated,
        "weakest": scores.weakest,
        "reasons": scores.reasons,
        "left_out": report.left_out,
        "notes": report.notes,
        "standards": _block("families", scores.families),
        "accuracy": _block("groups", scores.groups),
        "findings": [_finding(item, scores.checks.get(item.code)) for item in report.findings],
        "cases": [_case(item) for item in report.cases],
        "columns": [_column(item) for item in report.columns],
        "timings": dict(sorted(report.timings.items())),
    }


def _block(name: str, scores: Mapping[str, Score]) -> dict[str, Any]:
    earned, possible = total_of(scores.values())
    parts = {
        key: {"earned": score.earned, "possible": score.possible} for key, score in scores.items()
    }
    return {"earned": earned, "possible": possible, name: parts}


def _finding(finding: Finding, score: Score | None) -> dict[str, Any]:
    return {
        "code": finding.code,
        "family": finding.family,
        "verdict": finding.verdict,
        "points": score.earned if score else None,
        "possible": score.possible if score else None,
        "share": finding.share,
        "message": finding.message,
        "path": finding.where.path if finding.where else None,
        "line": finding.where.line if finding.where else None,
        "fix": finding.fix,
        "waiver": finding.waiver,
        "recheck": recheck(finding.code),
    }


def _case(case: CaseResult) -> dict[str, Any]:
    return {
        "case": case.case,
        "group": case.group,
        "verdict": case.verdict,
        "cause": case.cause,
        "column": case.column,
        "worst_row_kind": case.worst_row_kind,
        "difference": case.difference,
        "share": case.share,
        "message": case.message,
        "seconds": case.seconds,
        "memory_mb": case.memory_mb,
    }


def _column(column: ColumnParity) -> dict[str, Any]:
    return {
        "case": column.case,
        "column": column.column,
        "score": column.score,
        "within": column.within,
        "worst_segment": column.worst_segment,
        "worst_segment_within": column.worst_segment_within,
        "median_difference": column.median_difference,
        "largest_difference": column.largest_difference,
        "segments": dict(column.segments),
        "decades": column.decades,
        "points": column.points,
    }


def _finite(value: Any) -> Any:
    """Put null wherever a number is not finite, at any depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise _bad(f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("schema") != VERSION:
        raise _bad(f'it does not say "schema": "{VERSION}"')
    return document


def _validate(document: dict[str, Any]) -> None:
    # Gradings write reports and never read one: they need not wait for this import.
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - see above
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - see above

    error = best_match(Draft202012Validator(dict(schema())).iter_errors(document))
    if error is not None:
        raise _bad(f"at {error.json_path}, {error.message[:200]}")


def _bad(what: str) -> UserError:
    return UserError(
        "bad-report",
        f"This is no report that Drydock can read: {what}.",
        remedy="Grade the submission again, or read it with the version that wrote it.",
    )


def _read_scores(document: Mapping[str, Any]) -> Scores:
    checks = (
        (item["code"], item["points"], item["possible"])
        for item in document["findings"]
        if item["possible"] is not None
    )
    return Scores(
        outcome=Outcome(document["outcome"]),
        total=document["total"],
        possible=document["possible"],
        checks=_read_block(checks),
        families=_read_block(_parts(document["standards"]["families"])),
        groups=_read_block(_parts(document["accuracy"]["groups"])),
        reasons=tuple(document["reasons"]),
        gated=tuple(document["gated"]),
        weakest=document["weakest"],
    )


def _parts(block: Mapping[str, Any]) -> Iterable[tuple[str, int | None, int]]:
    return ((name, part["earned"], part["possible"]) for name, part in block.items())


def _read_block(parts: Iterable[tuple[str, int | None, int]]) -> dict[str, Score]:
    return {
        name: Score(criterion=name, earned=earned, possible=possible)
        for name, earned, possible in parts
    }


def _read_finding(item: Mapping[str, Any]) -> Finding:
    path = item["path"]
    return Finding(
        code=item["code"],
        family=item["family"],
        verdict=Verdict(item["verdict"]),
        share=item["share"],
        message=item["message"],
        fix=item["fix"],
        where=None if path is None else Where(path=path, line=item["line"]),
        waiver=item["waiver"],
    )


def _read_case(item: Mapping[str, Any]) -> CaseResult:
    cause = item["cause"]
    return CaseResult(
        **{
            **item,
            "verdict": Verdict(item["verdict"]),
            "cause": None if cause is None else Cause(cause),
        }
    )


def _read_column(item: Mapping[str, Any]) -> ColumnParity:
    return ColumnParity(
        **{
            **item,
            "median_difference": _or(item["median_difference"], math.inf),
            "largest_difference": _or(item["largest_difference"], math.inf),
            "decades": tuple(item["decades"]),
            "points": tuple(
                (_or(legacy, math.nan), _or(ported, math.nan)) for legacy, ported in item["points"]
            ),
        }
    )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
