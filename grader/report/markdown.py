"""The report as Markdown, for a comment on a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from grader.model import Outcome, Report, Score
from grader.report.summary import (
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
    weakest,
    worst_columns,
)

FIRST = 5
"""How many things to mend are listed."""

_MARKS = {
    Outcome.ACCEPTED: "\N{WHITE HEAVY CHECK MARK}",
    Outcome.REJECTED: "\N{CROSS MARK}",
    Outcome.UNGRADED: "\N{WARNING SIGN}",
    Outcome.PARTIAL: "\N{LEFT-POINTING MAGNIFYING GLASS}",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@&$]|:(?=//))")
"""What Markdown could take for more than text."""

_REFERENCE = re.compile(r"([@#!]|\bwww)(?=[\w.])")
"""What a forge turns into a mention or a link, even where Markdown took it for text."""


def to_markdown(report: Report) -> str:
    """Write a report as Markdown that ends with a newline.

    Texts of a submission stand in it as text: they make no link, mention, heading or table cell.
    """
    sections = (
        _verdict(report),
        _section("Why", (f"- {text(reason)}" for reason in report.scores.reasons)),
        _section("Mend first", _gains(report)),
        _section("Points", _points(report)),
        _section("Parity with the legacy model", _parity(report)),
        _section("Good to know", _notes(report)),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def text(raw: str) -> str:
    """Escape a text so that Markdown shows it as it is, on one line."""
    plain = _REFERENCE.sub("\\1\N{WORD JOINER}", clean_line(raw))
    return _SPECIAL.sub(r"\\\1", plain)


def _verdict(report: Report) -> str:
    told = headline(report)
    challenge = f"{report.challenge_title} {report.challenge_version}"
    commit = f"commit {report.commit[:12]}" if report.commit else "no commit"
    lines = [
        f"## {_MARKS[told.outcome]} {told.title}: {told.points} points",
        f"{text(challenge)}, {text(commit)}. {text(told.sentence)} {text(told.beside)}".rstrip(),
    ]
    if told.unsafe:
        lines.insert(1, f"> **{UNSAFE}**")
    return "\n\n".join(lines)


def _section(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines)
    return f"### {title}\n\n{body}" if body else ""


def _gains(report: Report) -> Iterator[str]:
    found = gains(report)
    for number, gain in enumerate(found[:FIRST], start=1):
        worth = f"+{gain.points} points" if gain.points else "gate"
        decisive = ", decides the outcome" if gain.decisive else ""
        parts = (gain.message, gain.fix, at(gain.where))
        said = " ".join(text(part) for part in parts if part)
        yield f"{number}. **{text(gain.name)}** ({worth}{decisive}): {said} `{recheck(gain.name)}`"
    if len(found) > FIRST:
        yield f"\nand {len(found) - FIRST} more."


def _points(report: Report) -> Iterator[str]:
    parts = (("Standards", report.scores.families), ("Accuracy", report.scores.groups))
    rows = [row for title, scores in parts for row in _rows(title, scores)]
    if rows:
        yield from _table(("", "Points", "Share"), ":--", rows)


def _rows(title: str, scores: Mapping[str, Score]) -> Iterator[tuple[str, ...]]:
    low = weakest(scores)
    for name, score in scores.items():
        weak = " (weakest)" if name == low else ""
        yield (
            f"{title}: {text(label(name))}{weak}",
            of_points(score.earned, score.possible),
            percent(fraction(score.earned, score.possible)),
        )


def _parity(report: Report) -> Iterator[str]:
    rows = [
        (
            text(column.case),
            text(column.column),
            score_of_100(column.score),
            percent(column.within),
            f"{text(column.worst_segment)} ({percent(column.worst_segment_within)})",
            figure(column.largest_difference),
        )
        for column in worst_columns(report)
    ]
    if rows:
        head = ("Case", "Column", "Parity", "Within", "Worst segment", "Largest difference")
        yield from _table(head, ":--", rows)


def _table(head: Sequence[str], rule: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (head, [rule] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"


def _notes(report: Report) -> Iterator[str]:
    left_out = (f"Left out: {item}" for item in report.left_out)
    for item in (scope_notice(report), *left_out, *report.notes):
        if item:
            yield f"- {text(item)}"
