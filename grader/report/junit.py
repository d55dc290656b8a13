"""The report as JUnit XML, which most CI servers can show."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grader.model import CaseResult, Finding, Outcome, Report, Verdict
from grader.report.summary import (
    UNSAFE,
    at,
    clean,
    clean_line,
    headline,
    recheck,
    scope_notice,
    waiver,
)

SHOWN = "shown, not scored"
"""The suite of the cases that belong to no group."""

_TAGS = {
    Verdict.FAIL: "failure",
    Verdict.ERROR: "error",
    Verdict.SKIPPED: "skipped",
    Verdict.NEUTRAL: "skipped",
}
_OUTCOMES = {
    Outcome.ACCEPTED: Verdict.PASS,
    Outcome.REJECTED: Verdict.FAIL,
    Outcome.UNGRADED: Verdict.ERROR,
    # What was looked at are cases of their own.
    Outcome.PARTIAL: Verdict.PASS,
}


def to_junit(report: Report) -> str:
    """Write a report as JUnit XML: one suite per family of checks and per group of cases.

    A failure carries the message, the fix and the place. Our own error is an ``error``, what was
    not looked at is ``skipped``, and a waived check passes with its reason printed.
    """
    root = Element("testsuites", name=clean_line(f"drydock {report.challenge_slug}"))
    _summary(root, report)
    for family in dict.fromkeys(item.family for item in report.findings):
        own = [item for item in report.findings if item.family == family]
        _family(root, family, own)
    for group in dict.fromkeys(item.group for item in report.cases):
        _group(root, group, [item for item in report.cases if item.group == group])
    suites = list(root)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _summary(root: Element, report: Report) -> None:
    """Make the outcome a case of its own: a rejected report must not look green."""
    told = headline(report)
    suite = SubElement(root, "testsuite", name="outcome")
    case = SubElement(suite, "testcase", classname="outcome", name=told.outcome.value)
    text = "\n".join(chain(report.scores.reasons, [f"{told.points} points"]))
    verdict = _OUTCOMES[told.outcome]
    _mark(case, verdict, f"{told.title}: {told.points} points", text)
    notes = [UNSAFE] if told.unsafe else []
    _print(case, [*notes, told.beside, scope_notice(report), *report.left_out, *report.notes])
    _count(suite, [verdict])


def _family(root: Element, family: str, findings: list[Finding]) -> None:
    suite = SubElement(root, "testsuite", name=clean_line(f"standards: {family}"))
    for finding in findings:
        case = SubElement(
            suite, "testcase", classname=clean_line(family), name=clean_line(finding.code)
        )
        if finding.where:
            case.set("file", clean_line(finding.where.path))
        parts = (finding.message, finding.fix, at(finding.where), recheck(finding.code))
        _mark(case, finding.verdict, finding.message, "\n".join(part for part in parts if part))
        _print(case, [waiver(finding)])
    _count(suite, [finding.verdict for finding in findings])


def _group(root: Element, group: str, cases: list[CaseResult]) -> None:
    suite = SubElement(root, "testsuite", name=clean_line(f"accuracy: {group or SHOWN}"))
    for result in cases:
        case = SubElement(
            suite,
            "testcase",
            classname=clean_line(group or SHOWN),
            name=clean_line(result.case),
            time=f"{result.seconds:.3f}",
        )
        cause = f"{result.cause}: " if result.cause else ""
        _mark(case, result.verdict, f"{cause}{result.message}", result.message)
    _count(suite, [result.verdict for result in cases])


def _mark(case: Element, verdict: Verdict, message: str, text: str) -> None:
    if verdict in _TAGS:
        SubElement(case, _TAGS[verdict], message=clean_line(message)).text = clean(text)


def _print(case: Element, lines: Iterable[str]) -> None:
    text = "\n".join(line for line in lines if line)
    if text:
        SubElement(case, "system-out").text = clean(text)


def _count(suite: Element, verdicts: list[Verdict]) -> None:
    suite.set("tests", str(len(verdicts)))
    suite.set("failures", str(verdicts.count(Verdict.FAIL)))
    suite.set("errors", str(verdicts.count(Verdict.ERROR)))
    suite.set("skipped", str(sum(_TAGS.get(verdict) == "skipped" for verdict in verdicts)))
