"""The report for a code viewer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.model import Check, Report, Verdict
from grader.report import to_sarif

Explain = Callable[[str], Check]


@pytest.fixture
def run(rejected: Report, explain: Explain) -> Any:
    return json.loads(to_sarif(rejected, explain))["runs"][0]


def test_log_says_its_version(sample: Report, explain: Explain) -> None:
    log = json.loads(to_sarif(sample, explain))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)


def test_results_point_at_rules(sample: Report, explain: Explain) -> None:
    run = json.loads(to_sarif(sample, explain))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[item["ruleIndex"]] for item in run["results"]] == [
        item["ruleId"] for item in run["results"]
    ]


def test_rules_are_unique(sample: Report, explain: Explain) -> None:
    run = json.loads(to_sarif(sample, explain))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))


def test_levels_are_known(sample: Report, explain: Explain) -> None:
    results = json.loads(to_sarif(sample, explain))["runs"][0]["results"]
    assert {item["level"] for item in results} <= {"none", "note", "warning", "error"}


def test_every_result_has_text(sample: Report, explain: Explain) -> None:
    results = json.loads(to_sarif(sample, explain))["runs"][0]["results"]
    assert all(item["message"]["text"] for item in results)


def test_place_has_its_line(run: Any) -> None:
    place = run["results"][-1]["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "src/healthtariff/settings.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12},
    }


def test_passed_checks_are_left_out(run: Any) -> None:
    assert [item["ruleId"] for item in run["results"]] == ["REPO004", "DOCS002", "SECR001"]


def test_waiver_suppresses_the_result(run: Any) -> None:
    waived = next(item for item in run["results"] if item["ruleId"] == "DOCS002")
    assert waived["suppressions"][0]["justification"].startswith("The tariff's fairness")
    assert waived["suppressions"][0]["status"] == "accepted"


def test_request_is_under_review(rejected: Report, explain: Explain) -> None:
    asked = (replace(rejected.findings[-1], waiver="please"),)
    run = json.loads(to_sarif(replace(rejected, findings=asked), explain))["runs"][0]
    assert run["results"][0]["suppressions"][0]["status"] == "underReview"


def test_rule_tells_the_fix(run: Any) -> None:
    assert "Write down what" in run["tool"]["driver"]["rules"][0]["help"]["text"]


def test_hostile_path_is_quoted(hostile: Report, explain: Explain) -> None:
    result = json.loads(to_sarif(hostile, explain))["runs"][0]["results"][0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set('<> \n"') & set(uri)


def test_our_failure_is_notification(accepted: Report, explain: Explain) -> None:
    broken = (replace(accepted.findings[0], verdict=Verdict.ERROR),)
    run = json.loads(to_sarif(replace(accepted, findings=broken), explain))["runs"][0]
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is False
