"""The verdict on a terminal and in a log."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from grader.model import Finding, Report, Score, Verdict
from grader.report import print_report


def printed(report: Report, *, terminal: bool = False, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=terminal,
        color_system="truecolor" if terminal else "auto",
    )
    print_report(report, console)
    return out.getvalue()


def test_log_is_plain_text(sample: Report) -> None:
    assert "\x1b" not in printed(sample)


def test_terminal_shows_colours(accepted: Report) -> None:
    assert "\x1b[" in printed(accepted, terminal=True)


def test_hostile_text_steers_nothing(hostile: Report) -> None:
    assert "\N{REPLACEMENT CHARACTER}[31m" in printed(hostile, terminal=True)
    assert "[bold]" in printed(hostile)


def test_verdict_is_shown_large(rejected: Report) -> None:
    assert "REJECTED   881 of 1000 points" in printed(rejected)


def test_reasons_are_shown(rejected: Report) -> None:
    assert "Gate SECR001 failed" in printed(rejected)


def test_gate_is_mended_first(rejected: Report) -> None:
    text = printed(rejected).split("Mend first")[1]
    assert text.index("SECR001") < text.index("REPO004")


def test_weakest_family_is_marked(rejected: Report) -> None:
    assert [line.split()[0] for line in printed(rejected).splitlines() if "weakest" in line] == [
        "Secrets", "Edges",
    ]  # fmt: skip


def test_parity_has_a_row_each(rejected: Report) -> None:
    table = printed(rejected).split("Parity with the legacy model")[1]
    assert table.count("premium") + table.count("frequency") == len(rejected.columns)


def test_unscored_is_no_zero(ungraded: Report) -> None:
    assert "UNGRADED   not scored of 1000 points" in printed(ungraded)


def test_unsafe_run_is_told(unsafe: Report) -> None:
    assert printed(unsafe).startswith(" Run without a sandbox: do not trust")


def test_public_scope_is_told(public: Report) -> None:
    assert "Graded on the public cases alone." in printed(public)


def test_only_five_gains_are_shown(accepted: Report) -> None:
    findings = tuple(
        Finding(code=f"X{n}", family="x", verdict=Verdict.FAIL, share=0.0, message="m")
        for n in range(8)
    )
    checks = {item.code: Score(criterion=item.code, earned=0, possible=9) for item in findings}
    scores = replace(accepted.scores, checks=checks, groups={})
    assert "and 3 more" in printed(replace(accepted, findings=findings, scores=scores))


def test_lines_keep_to_the_width(rejected: Report) -> None:
    assert max(len(line) for line in printed(rejected, width=80).splitlines()) <= 80


def test_poor_encoding_gets_ascii_bars(accepted: Report) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="replace")
    print_report(accepted, Console(file=out, width=100))
    out.flush()
    assert b"####" in raw.getvalue()


def test_page_is_named_last(accepted: Report) -> None:
    out = io.StringIO()
    print_report(
        accepted, Console(file=out, width=40), html=Path("/results/a/long/name/report.html")
    )
    assert out.getvalue().endswith("The full report: /results/a/long/name/report.html\n")
