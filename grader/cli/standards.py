"""``drydock standards``: any Python repository by the standards alone."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader import report as reports
from grader import standards as rules
from grader.cli.common import console
from grader.errors import UsageError
from grader.model import Finding, Verdict
from grader.survey import Survey, survey

_STYLES = {Verdict.FAIL: "bold red", Verdict.WAIVED: "cyan", Verdict.ERROR: "bold yellow"}


def standards(
    source: Annotated[
        str, typer.Argument(help="A directory, an archive, a git repository or a URL.")
    ],
    *,
    package: Annotated[
        str,
        typer.Option(help="Import name of its own package; guessed without it.", metavar="NAME"),
    ] = "",
    family: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A family that applies; may be given several times. All without."
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="A file or folder that is no code of its own; may be given several times.",
        ),
    ] = None,
    grant_waivers: Annotated[
        bool,
        typer.Option(
            "--grant-waivers",
            help="Count the waivers that it asks for as granted: where the decision is yours.",
        ),
    ] = False,
    working_tree: Annotated[
        bool,
        typer.Option("--working-tree", help="Look at the files as they lie, not the last commit."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Hold any Python repository against the standards. Nothing of it is run.

    What only running it could show is left out; "drydock grade" looks at that too.

    Examples:

      drydock standards .

      drydock standards . --family style --family tests --json

    Exit status: 0 where everything holds, 1 where something doesn't, 2 bad input or usage, 3 our
    own failure.
    """
    families = _families(family or [])
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        seen = survey(
            source,
            Path(folder),
            package=package,
            families=families,
            without=without or (),
            grant=grant_waivers,
            working_tree=working_tree,
        )
    if as_json:
        typer.echo(json.dumps(_document(seen), indent=2))
    else:
        _print(seen, console())
    if any(item.verdict is Verdict.ERROR for item in seen.findings):
        raise typer.Exit(3)
    raise typer.Exit(int(bool(seen.failed)))


def _families(names: list[str]) -> tuple[str, ...]:
    unknown = sorted(set(names) - set(rules.FAMILIES))
    if unknown:
        raise UsageError(
            "unknown-family",
            f"There is no family {unknown[0]!r}.",
            remedy=f"The families are: {', '.join(rules.FAMILIES)}.",
        )
    return tuple(name for name in rules.FAMILIES if name in names)


def _print(seen: Survey, out: Console) -> None:
    points = Table.grid(padding=(0, 2))
    for _ in range(2):
        points.add_column(justify="right")
    for family, score in seen.families.items():
        points.add_row(reports.of_points(score.earned, score.possible), rules.FAMILIES[family])
    points.add_row(
        Text(reports.of_points(seen.earned, seen.possible), style="bold"),
        Text("together", style="bold"),
    )
    findings = Table.grid(padding=(0, 2))
    for item in seen.findings:
        if item.verdict is not Verdict.PASS:
            style = _STYLES.get(item.verdict, "")
            findings.add_row(Text(item.verdict, style=style), Text(item.code), Text(_said(item)))
    out.print(points)
    if seen.gated:
        out.print(f"halved by {', '.join(seen.gated)}", style="bold red")
    if findings.row_count:
        out.print()
        out.print(findings)


def _said(finding: Finding) -> str:
    waiver = finding.waiver or ""
    lines = [finding.message, reports.at(finding.where), waiver and f"Waiver: {waiver}"]
    return "\n".join(reports.clean_line(line) for line in lines if line)


def _document(seen: Survey) -> dict[str, Any]:
    return {
        "package": seen.package,
        "earned": seen.earned,
        "possible": seen.possible,
        "gated": list(seen.gated),
        "families": {
            name: {"earned": score.earned, "possible": score.possible}
            for name, score in seen.families.items()
        },
        "findings": [
            {
                "code": item.code,
                "verdict": item.verdict,
                "share": item.share,
                "message": item.message,
                "path": item.where.path if item.where else None,
                "line": item.where.line if item.where else None,
                "waiver": item.waiver,
            }
            for item in seen.findings
        ],
    }
