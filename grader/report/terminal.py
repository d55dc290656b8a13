"""The verdict on a terminal: what it is, why, and what to mend first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from grader.model import Outcome, Report, Score, Verdict
from grader.report.summary import (
    DASH,
    UNSAFE,
    at,
    clean_line,
    figure,
    fraction,
    gains,
    headline,
    label,
    of_points,
    percent,
    recheck,
    scope_notice,
    score_of_100,
    total_of,
    waiver,
    weakest,
    worst_columns,
)

FIRST = 5
"""How many things to mend are shown; the HTML report shows all."""

_STYLES = {
    Outcome.ACCEPTED: "green",
    Outcome.REJECTED: "red",
    Outcome.UNGRADED: "yellow",
    Outcome.PARTIAL: "cyan",
}
_WORDS = {
    Verdict.PASS: ("pass", "green"),
    Verdict.FAIL: ("fail", "bold red"),
    Verdict.WAIVED: ("waived", "cyan"),
    Verdict.NEUTRAL: ("neutral", "cyan"),
    Verdict.SKIPPED: ("skipped", "dim"),
    Verdict.ERROR: ("our error", "bold yellow"),
}
_BAR = 20
"""Characters of a full bar."""


def print_report(report: Report, console: Console, *, html: Path | None = None) -> None:
    """Print a report's verdict for people.

    :param html: where the full report lies, if it was written
    """
    sections = (
        ("Why", _reasons(report)),
        ("Looked at", _looked_at(report)),
        ("Points", _points(report, blocks=_can_draw(console))),
        ("Mend first", _gains(report)),
        ("Parity with the legacy model", _parity(report)),
        ("Good to know", _notes(report)),
    )
    console.print(_verdict(report))
    for title, body in sections:
        if body is not None:
            console.print(Text(title, style="bold"))
            console.print(Padding(body, (0, 0, 1, 2), expand=False))
    if html is not None:
        console.print(Text(f"The full report: {html}"), soft_wrap=True)


def _verdict(report: Report) -> RenderableType:
    told = headline(report)
    style = _STYLES[told.outcome]
    commit = f"commit {report.commit[:12]}" if report.commit else "no commit"
    challenge = f"{clean_line(report.challenge_title)} {clean_line(report.challenge_version)}"
    points = f"   {told.points} points"
    lines = [
        Text.assemble((told.title.upper(), f"bold {style}"), (points, "bold")),
        Text(clean_line(f"{told.sentence} {told.beside}")),
        Text(f"{challenge}, {clean_line(commit)}", style="dim"),
    ]
    panel = Panel(Group(*lines), border_style=style, box=box.ROUNDED, padding=(0, 2), expand=False)
    if told.unsafe:
        return Group(Text(f" {UNSAFE} ", style="bold white on red"), panel)
    return panel


def _reasons(report: Report) -> RenderableType | None:
    return _bullets(report.scores.reasons)


def _looked_at(report: Report) -> RenderableType | None:
    """List all findings and cases of a partial report: few were asked for."""
    if report.scores.outcome is not Outcome.PARTIAL:
        return None
    table = Table.grid(padding=(0, 2))
    for item in report.findings:
        word, style = _WORDS[item.verdict]
        lines = (item.message, at(item.where), waiver(item))
        said = "\n".join(clean_line(line) for line in lines if line)
        table.add_row(Text(word, style=style), Text(clean_line(item.code)), Text(said))
    for case in report.cases:
        word, style = _WORDS[case.verdict]
        table.add_row(
            Text(word, style=style), Text(clean_line(case.case)), Text(clean_line(case.message))
        )
    return table


def _points(report: Report, *, blocks: bool) -> RenderableType | None:
    scores = report.scores
    if scores.outcome is Outcome.PARTIAL or not (scores.families or scores.groups):
        return None
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="yellow")
    for title, parts in (("Standards", scores.families), ("Accuracy", scores.groups)):
        for row in _block(title, parts, blocks=blocks):
            table.add_row(*row)
    return table


def _block(title: str, parts: Mapping[str, Score], *, blocks: bool) -> Iterator[Sequence[Text]]:
    if not parts:
        return
    earned, possible = total_of(parts.values())
    yield _row(Text(title, style="bold"), earned, possible, blocks=blocks)
    low = weakest(parts)
    for name, score in parts.items():
        row = _row(Text(f"  {label(name)}"), score.earned, score.possible, blocks=blocks)
        yield (*row, Text("weakest")) if name == low else row


def _row(name: Text, earned: int | None, possible: int, *, blocks: bool) -> tuple[Text, ...]:
    share = fraction(earned, possible)
    return name, Text(of_points(earned, possible)), _bar(share, blocks=blocks), Text(percent(share))


def _bar(share: float | None, *, blocks: bool) -> Text:
    """Draw a share; a bar is full only for all points and empty only for none."""
    if share is None:
        return Text("")
    cells = round(share * _BAR)
    if 0 < share < 1:
        cells = min(max(cells, 1), _BAR - 1)
    full, empty = ("█", "░") if blocks else ("#", ".")
    return Text.assemble((full * cells, "cyan"), (empty * (_BAR - cells), "dim"))


def _gains(report: Report) -> RenderableType | None:
    found = gains(report)
    if not found:
        return None
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for gain in found[:FIRST]:
        name = Text(clean_line(gain.name), style="bold red" if gain.decisive else "bold")
        lines = [clean_line(part) for part in (gain.message, at(gain.where), gain.fix)]
        said = Text("\n".join(line for line in lines if line))
        said.append(f"\n{recheck(gain.name)}", style="dim")
        table.add_row(f"+{gain.points}" if gain.points else "", name, said)
    rest = len(found) - FIRST
    if rest > 0:
        table.add_row("", "", Text(f"and {rest} more", style="dim"))
    return table


def _parity(report: Report) -> RenderableType | None:
    if not report.columns:
        return None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("Case", "Column"):
        table.add_column(title)
    for title in ("Parity", "Within", "Largest"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Worst segment")
    for column in worst_columns(report):
        segment = clean_line(column.worst_segment)
        share = column.worst_segment_within
        table.add_row(
            Text(clean_line(column.case)),
            Text(clean_line(column.column)),
            score_of_100(column.score),
            percent(column.within),
            figure(column.largest_difference),
            Text(f"{segment} ({percent(share)})" if segment and share < 1 else DASH),
        )
    return table


def _notes(report: Report) -> RenderableType | None:
    left_out = [f"Left out: {item}" for item in report.left_out]
    return _bullets([item for item in (scope_notice(report), *left_out, *report.notes) if item])


def _bullets(lines: Sequence[str]) -> RenderableType | None:
    if not lines:
        return None
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column()
    for line in lines:
        table.add_row("-", Text(clean_line(line)))
    return table


def _can_draw(console: Console) -> bool:
    return console.encoding.lower().startswith("utf")
