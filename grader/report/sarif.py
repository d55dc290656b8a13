"""The report's findings as SARIF 2.1.0, which code viewers show beside the lines they are about."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from grader.errors import UserError
from grader.model import Check, Finding, Report, Verdict
from grader.report.summary import clean, clean_line, recheck

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_LEVELS = {Verdict.FAIL: "error", Verdict.WAIVED: "note"}
"""What a viewer is told of; checks that passed or were skipped have nothing to show."""


def to_sarif(report: Report, explain: Callable[[str], Check]) -> str:
    """Write the findings that are not simply passed as a SARIF 2.1.0 log.

    A waiver is a suppression: accepted where it was granted, under review where it is asked for.
    Where our own side failed, the run says that it did not succeed and holds a notification
    instead of a result.

    :param explain: returns a check by its code; raises UserError for one that is not known
    """
    shown = [item for item in report.findings if item.verdict in {Verdict.FAIL, Verdict.WAIVED}]
    codes = sorted({item.code for item in shown})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "Drydock",
                "semanticVersion": clean_line(report.grader_version),
                "rules": [_rule(code, explain) for code in codes],
            }
        },
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, codes.index(item.code)) for item in shown],
    }
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=1) + "\n"


def _rule(code: str, explain: Callable[[str], Check]) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": clean_line(code)}
    try:
        check = explain(code)
    except UserError:  # a stored report may name a check that has been retired since
        return rule
    return {
        **rule,
        "name": clean_line(check.title),
        "shortDescription": {"text": clean_line(check.title)},
        "fullDescription": {"text": clean(check.why)},
        "help": {"text": clean(f"{check.fix}\n\n{check.example}\n\nSource: {check.source}")},
        "properties": {"tags": [clean_line(check.family)]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    ours = [item for item in report.findings if item.verdict is Verdict.ERROR]
    return {
        "executionSuccessful": not ours,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": clean_line(f"{item.code}: {item.message}")},
            }
            for item in ours
        ],
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    text = clean_line(f"{finding.message} {finding.fix}") or clean_line(finding.code)
    result: dict[str, Any] = {
        "ruleId": clean_line(finding.code),
        "ruleIndex": index,
        "level": _LEVELS[finding.verdict],
        "message": {"text": text},
        "locations": [_location(finding)],
        "properties": {"recheck": recheck(finding.code)},
    }
    if finding.waiver:
        status = "accepted" if finding.verdict is Verdict.WAIVED else "underReview"
        reason = clean_line(finding.waiver)
        result["suppressions"] = [{"kind": "external", "status": status, "justification": reason}]
    return result


def _location(finding: Finding) -> dict[str, Any]:
    """Point at the finding's place; at the README where it is about the whole repository.

    Viewers drop a result that has no file.
    """
    path = finding.where.path if finding.where else "README.md"
    line = finding.where.line if finding.where else None
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(clean(path)), "uriBaseId": "%SRCROOT%"}
    }
    if line is not None and line > 0:
        place["region"] = {"startLine": line}
    return {"physicalLocation": place}
