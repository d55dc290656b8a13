"""The report as one HTML file that asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader.errors import UserError
from grader.model import Check, ColumnParity, Finding, Report, Score, Verdict
from grader.report import charts, summary

Explain = Callable[[str], Check]
"""A check by its code; raises UserError for a code that is not known any more."""

Snippets = Callable[[str, int], Sequence[tuple[int, str]]]
"""Lines of the submission around one: path and line to (number, text)."""


_SECRETS = "SECU001"
"""The check for secrets: a page that is passed around must not quote what it found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """A finding with all that explains it."""

    finding: Finding
    score: Score | None
    check: Check | None
    lines: Sequence[tuple[int, str]]

    @property
    def lost(self) -> bool:
        """Whether a reader should look at it without being asked."""
        return self.finding.verdict in {Verdict.FAIL, Verdict.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyView:
    """The findings of one family."""

    name: str
    score: Score | None
    findings: tuple[FindingView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnView:
    """One compared column, drawn."""

    parity: ColumnParity
    scatter: charts.Plot | None
    differences: charts.Plot | None
    decades: tuple[charts.Bar, ...]
    segments: tuple[charts.Bar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """The compared columns of one case."""

    name: str
    columns: tuple[ColumnView, ...]


def to_html(report: Report, *, explain: Explain, snippets: Snippets | None = None) -> str:
    """Draw a report as one self-contained page.

    :param explain: returns a check by its code, for the texts beside each finding
    :param snippets: returns the lines of the submission around one; without it none are shown.
        A file in which a secret was found is never quoted.
    """
    return (
        _templates()
        .get_template("report.html")
        .render(
            report=report,
            told=summary.headline(report),
            gains=summary.gains(report),
            blocks=_blocks(report),
            families=tuple(_families(report, explain, _quotable(report, snippets))),
            cases=summary.case_order(report),
            parity=tuple(_parity(report)),
            timings=charts.timings(report.timings),
        )
    )


def _blocks(report: Report) -> tuple[tuple[str, dict[str, Score], int | None, int], ...]:
    parts = (("Standards", report.scores.families), ("Accuracy", report.scores.groups))
    return tuple(
        (title, dict(scores), *summary.total_of(scores.values())) for title, scores in parts
    )


def _families(report: Report, explain: Explain, snippets: Snippets) -> Iterator[FamilyView]:
    for name in dict.fromkeys(finding.family for finding in report.findings):
        own = (finding for finding in report.findings if finding.family == name)
        views = (
            FindingView(
                finding=finding,
                score=report.scores.checks.get(finding.code),
                check=_explained(finding.code, explain),
                lines=_lines(finding, snippets),
            )
            for finding in own
        )
        yield FamilyView(
            name=name,
            score=report.scores.families.get(name),
            findings=tuple(sorted(views, key=lambda view: not view.lost)),
        )


def _quotable(report: Report, snippets: Snippets | None) -> Snippets:
    secret = {item.where.path for item in report.findings if item.code == _SECRETS and item.where}

    def read(path: str, line: int) -> Sequence[tuple[int, str]]:
        return () if snippets is None or path in secret else snippets(path, line)

    return read


def _explained(code: str, explain: Explain) -> Check | None:
    try:
        return explain(code)
    except UserError:  # a stored report may name a check that has been retired since
        return None


def _lines(finding: Finding, snippets: Snippets) -> Sequence[tuple[int, str]]:
    where = finding.where
    return () if where is None or where.line is None else snippets(where.path, where.line)


def _parity(report: Report) -> Iterator[CaseView]:
    ordered = summary.worst_columns(report)
    for name, columns in groupby(ordered, key=lambda column: column.case):
        yield CaseView(name=name, columns=tuple(_column(column) for column in columns))


def _column(column: ColumnParity) -> ColumnView:
    return ColumnView(
        parity=column,
        scatter=charts.scatter(column.points),
        differences=charts.differences(column.points),
        decades=charts.decades(column.decades),
        segments=charts.segments(column.segments, column.worst_segment),
    )


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters |= {
        "at": summary.at,
        "bar_width": charts.bar_width,
        "digest": _digest,
        "figure": summary.figure,
        "label": summary.label,
        "line": summary.clean_line,
        "percent": summary.percent,
        "recheck": summary.recheck,
        "score": summary.score_of_100,
        "waiver": summary.waiver,
    }
    environment.globals |= {
        "DASH": summary.DASH,
        "UNSAFE": summary.UNSAFE,
        "fraction": summary.fraction,
        "of_points": summary.of_points,
        "scope_notice": summary.scope_notice,
        "source_of": _source_of,
        "weakest": summary.weakest,
    }
    return environment


def _printable(value: object) -> object:
    return summary.clean(value) if type(value) is str else value


def _source_of(name: str) -> Markup:
    """Return a style sheet or script of ours, as it stands in the page."""
    environment = _templates()
    if environment.loader is None:
        raise TypeError(environment)
    return Markup(environment.loader.get_source(environment, name)[0])  # noqa: S704 - our own file


def _digest(text: str) -> str:
    """Return a script's digest for the page's own content security policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
