"""Whatever a report holds: it comes back whole, and every form of it can be written."""

from __future__ import annotations

import io
from dataclasses import replace
from xml.etree.ElementTree import fromstring

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from grader.errors import UserError
from grader.model import (
    CaseResult,
    Cause,
    Check,
    ColumnParity,
    Finding,
    Outcome,
    QualityLoss,
    Report,
    Scope,
    Score,
    Scores,
    Verdict,
    Where,
)
from grader.report import (
    from_json,
    print_report,
    to_html,
    to_json,
    to_junit,
    to_markdown,
    to_sarif,
)

text = st.text(max_size=12)
texts = st.lists(text, max_size=3).map(tuple)
shares = st.floats(0, 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.floats(0, 1e9)
counts = st.integers(0, 10_000)
earned = st.none() | counts
verdicts = st.sampled_from(Verdict)

findings = st.builds(
    Finding,
    code=text,
    family=text,
    verdict=verdicts,
    share=shares,
    message=text,
    fix=text,
    where=st.none() | st.builds(Where, path=text, line=st.none() | st.integers()),
    waiver=st.none() | text,
)
cases = st.builds(
    CaseResult,
    case=text,
    group=text,
    verdict=verdicts,
    share=shares,
    message=text,
    cause=st.none() | st.sampled_from(Cause),
    column=st.none() | text,
    worst_row_kind=st.none() | text,
    difference=st.none() | numbers,
    seconds=sizes,
    memory_mb=sizes,
)
columns = st.builds(
    ColumnParity,
    case=text,
    column=text,
    score=st.floats(0, 100),
    within=shares,
    worst_segment=text,
    worst_segment_within=shares,
    median_difference=numbers,
    largest_difference=numbers,
    segments=st.dictionaries(text, shares, max_size=3),
    decades=st.lists(counts, max_size=6).map(tuple),
    points=st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple),
)


def criteria(names: st.SearchStrategy[list[str]]) -> st.SearchStrategy[dict[str, Score]]:
    figures = names.flatmap(lambda keys: st.fixed_dictionaries(dict.fromkeys(keys, earned)))
    return figures.map(
        lambda parts: {
            name: Score(criterion=name, earned=points, possible=10_000)
            for name, points in parts.items()
        }
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    found = draw(st.lists(findings, max_size=3, unique_by=lambda item: item.code))
    names = st.lists(text, max_size=3, unique=True)
    scored = st.sets(st.sampled_from([item.code for item in found])) if found else st.just(set())
    scores = Scores(
        outcome=draw(st.sampled_from(Outcome)),
        total=draw(earned),
        possible=draw(counts),
        checks=draw(criteria(scored.map(sorted))),
        families=draw(criteria(names)),
        groups=draw(criteria(names)),
        reasons=draw(texts),
    )
    return Report(
        challenge_slug=draw(text),
        challenge_title=draw(text),
        challenge_version=draw(text),
        challenge_digest=draw(text),
        source=draw(text),
        tree_digest=draw(text),
        grader_version=draw(text),
        environment_digest=draw(text),
        data_digest=draw(text),
        rubric_digest=draw(text),
        sandbox=draw(text),
        commit=draw(st.none() | text),
        scope=draw(st.sampled_from(Scope)),
        left_out=draw(texts),
        notes=draw(texts),
        findings=tuple(found),
        cases=draw(st.lists(cases, max_size=2).map(tuple)),
        columns=draw(st.lists(columns, max_size=2).map(tuple)),
        scores=scores,
        timings=draw(st.dictionaries(text, numbers, max_size=3)),
    )


@settings(max_examples=60, deadline=None)
@given(reports())
def test_any_report_comes_back(report: Report) -> None:
    assert from_json(to_json(report)) == report


def test_losses_are_not_written(accepted: Report) -> None:
    loss = QualityLoss(group="quality", case="hidden/a", loss=-0.01, error=0.004)
    assert to_json(replace(accepted, losses=(loss,))) == to_json(replace(accepted, losses=()))


@settings(max_examples=30, deadline=None)
@given(reports())
def test_writing_again_changes_nothing(report: Report) -> None:
    written = to_json(report)
    assert to_json(from_json(written)) == written


def unknown(code: str) -> Check:
    raise UserError("unknown-check", f"There is no check {code}.")


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_makes_files(report: Report) -> None:
    for form in (
        to_html(report, explain=unknown),
        to_markdown(report),
        to_sarif(report, unknown),
        to_junit(report),
    ):
        assert form.encode("utf-8")


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_parses_as_xml(report: Report) -> None:
    assert fromstring(to_junit(report).encode()).tag == "testsuites"  # noqa: S314 - our own text


@settings(max_examples=40, deadline=None)
@given(reports())
def test_any_report_can_be_printed(report: Report) -> None:
    out = io.StringIO()
    print_report(report, Console(file=out, width=80))
    assert "\x1b" not in out.getvalue()
