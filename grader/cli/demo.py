"""``drydock demo``: three ports of a real legacy model, graded before one's eyes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from grader import references
from grader import report as reports
from grader.cli.common import console, find_challenge, write
from grader.cli.grade import html
from grader.engine import Dock, grade, open_dock
from grader.model import Challenge, Report

CHALLENGE = "r-health-tariff"
PORTS = ("accepted/statsmodels", "wrong_value/rounded-parts", "gaming/memorised-public")


def demo(
    results: Annotated[Path, typer.Option(help="Where the HTML reports go.")] = Path(
        "results/demo"
    ),
) -> None:
    """Grade three ports of a real legacy model: a right one, one with a subtle bug, a cheat."""
    out = console()
    challenge = find_challenge(CHALLENGE, None)
    by_name = {item.name: item for item in references.list_references(challenge)}
    results.mkdir(parents=True, exist_ok=True)
    written = []
    with open_dock(challenge.contract.environment) as dock:
        for name in PORTS:
            out.rule(f"[bold]{name}[/]: {by_name[name].about}")
            page = results / f"{name.replace('/', '-')}.html"
            report = _grade(by_name[name], challenge, dock, page)
            reports.print_report(report, out)
            written.append(page.resolve())
    out.rule()
    out.print("The reports, to open in a browser:")
    for page in written:
        out.print(f"  {page}", soft_wrap=True)


def _grade(reference: references.Reference, challenge: Challenge, dock: Dock, page: Path) -> Report:
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        source = references.build(reference, challenge, Path(folder) / "port")
        workspace = Path(folder) / "workspace"
        workspace.mkdir()
        with reports.LiveSteps(console(), title=reference.name) as progress:
            report = grade(str(source), challenge, dock, workspace, progress=progress)
        write(page, lambda: html(report, workspace / "tree"))
    return report
