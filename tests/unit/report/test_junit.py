"""The report for a CI server."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element, fromstring

from grader.model import Report, Verdict
from grader.report import to_junit


def parse(report: Report) -> Element:
    return fromstring(to_junit(report).encode("utf-8"))  # noqa: S314 - our own text


def test_every_report_parses(sample: Report) -> None:
    assert parse(sample).tag == "testsuites"


def test_counts_match_the_cases(sample: Report) -> None:
    root = parse(sample)
    for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
        assert int(root.get(count, "-1")) == len(list(root.iter(tag)))


def test_suites_follow_families_and_groups(rejected: Report) -> None:
    assert [suite.get("name") for suite in parse(rejected)] == [
        "outcome", "standards: repository", "standards: testing", "standards: model-card",
        "standards: secrets", "accuracy: portfolio parity", "accuracy: shown, not scored",
        "accuracy: edges",
    ]  # fmt: skip


def test_failure_tells_the_fix(rejected: Report) -> None:
    failure = parse(rejected).find(".//testcase[@name='SECR001']/failure")
    assert failure is not None
    assert "Remove the key from the history" in str(failure.text)


def test_rejected_report_is_not_green(rejected: Report) -> None:
    assert parse(rejected).find("testsuite[@name='outcome']/testcase/failure") is not None


def test_our_failure_is_error(ungraded: Report) -> None:
    assert parse(ungraded).find(".//testcase[@name='hidden/portfolio']/error") is not None


def test_waiver_stays_visible(accepted: Report) -> None:
    case = parse(accepted).find(".//testcase[@name='DOCS002']")
    assert case is not None
    assert [part.tag for part in case] == ["system-out"]


def test_skipped_check_is_skipped(accepted: Report) -> None:
    skipped = tuple(replace(item, verdict=Verdict.SKIPPED) for item in accepted.findings)
    assert parse(replace(accepted, findings=skipped)).get("skipped") == "4"


def test_unsafe_run_is_told(unsafe: Report) -> None:
    assert "Run without a sandbox" in to_junit(unsafe)
