"""The report as a comment on a merge request."""

from __future__ import annotations

import pytest

from grader.model import Report
from grader.report import to_markdown
from grader.report.markdown import text


def rows(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


def cells(row: str) -> int:
    return row.replace("\\|", "").count("|") - 1


def test_verdict_comes_first(rejected: Report) -> None:
    assert to_markdown(rejected).splitlines()[0].endswith("Rejected: 881 of 1000 points")


def test_sections_have_headings(rejected: Report) -> None:
    headings = [line for line in to_markdown(rejected).splitlines() if line.startswith("#")]
    assert headings[1:] == [
        "### Why", "### Mend first", "### Points", "### Parity with the legacy model",
        "### Good to know",
    ]  # fmt: skip


def test_pipes_break_no_table(hostile: Report) -> None:
    assert {cells(row) for row in rows(to_markdown(hostile))} == {3, 6}


def test_tables_are_complete(sample: Report) -> None:
    assert {cells(row) for row in rows(to_markdown(sample))} <= {3, 6}


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("<b>", r"\<b\>"),
        ("[x](y)", r"\[x\]\(y\)"),
        ("`code`", r"\`code\`"),
        ("two\nlines", "two lines"),
        ("back\\", r"back\\"),
        ("https://example.org", r"https\://example.org"),
        ("12:30", "12:30"),
    ],
)
def test_markup_is_escaped(raw: str, escaped: str) -> None:
    assert text(raw) == escaped


@pytest.mark.parametrize("raw", ["@everyone", "#12", "!34", "www.example.org"])
def test_references_lead_nowhere(raw: str) -> None:
    assert raw not in text(raw).replace("\\", "")
    assert text(raw).replace("\\", "").replace("\N{WORD JOINER}", "") == raw


def test_hostile_heading_is_no_heading(hostile: Report) -> None:
    assert not [line for line in to_markdown(hostile).splitlines() if line.startswith("# ")]


def test_decisive_gain_is_marked(rejected: Report) -> None:
    assert "1. **SECR001** (+40 points, decides the outcome)" in to_markdown(rejected)


def test_unsafe_run_is_told(unsafe: Report) -> None:
    assert "> **Run without a sandbox" in to_markdown(unsafe)


def test_public_scope_is_told(public: Report) -> None:
    assert "- Graded on the public cases alone." in to_markdown(public)


def test_empty_report_has_no_tables(empty: Report) -> None:
    assert rows(to_markdown(empty)) == []
