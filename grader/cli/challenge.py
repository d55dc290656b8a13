"""``drydock challenge``: look at challenges, prove them fair, hand them out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markdown import Markdown
from rich.table import Table

from grader import legacy, package, verify
from grader import report as reports
from grader.cli.common import Folders, challenge_folders, console, find_challenge, writable, write
from grader.engine import open_dock
from grader.model import Challenge

app = typer.Typer(no_args_is_help=True, help="Look at challenges, prove them fair, hand them out.")

_Slug = Annotated[str, typer.Argument(help="A challenge's slug, or the path of its package.")]


@app.command("list")
def list_(
    *,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the list as JSON; '-' prints it."),
    ] = None,
    challenges: Folders = None,
) -> None:
    """List the challenges at hand."""
    found = package.list_challenges(challenge_folders(challenges))
    if json_file is not None:
        write(
            writable(json_file), lambda: json.dumps([_row(item) for item in found], indent=2) + "\n"
        )
        return
    out = console()
    if not found:
        out.print("There is no challenge here. Name another folder with --challenges.")
        return
    table = Table("slug", "title", "language", "level", "version", box=None, pad_edge=False)
    for item in found:
        table.add_row(*(str(value) for value in _row(item).values()))
    out.print(table)


def _row(challenge: Challenge) -> dict[str, str]:
    return {
        "slug": challenge.slug,
        "title": challenge.title,
        "language": challenge.language,
        "level": str(challenge.level),
        "version": challenge.version,
    }


@app.command()
def show(slug: _Slug, *, challenges: Folders = None) -> None:
    """Show a challenge: its brief, and what earns how many points."""
    challenge = find_challenge(slug, challenges)
    out = console()
    out.print(Markdown((challenge.root / "brief.md").read_text(encoding="utf-8")))
    table = Table("earned by", "points", "rejected below", box=None, pad_edge=False)
    for standard in challenge.standards:
        table.add_row(standard.family, str(standard.points), ", ".join(standard.gate))
    for group in challenge.groups:
        minimum = f"{group.minimum:.0%}" if group.minimum else ""
        table.add_row(f"{group.name} ({group.kind})", str(group.points), minimum)
    out.print(table)
    out.print(
        f"{challenge.passing_points} of 1000 points pass. "
        f"Version {challenge.version}, digest {challenge.digest[:12]}."
    )


@app.command("verify")
def verify_(
    slug: _Slug,
    *,
    runs: Annotated[
        int, typer.Option(min=1, help="How often each reference is graded; reports must agree.")
    ] = 3,
    only: Annotated[
        str, typer.Option(metavar="GLOB", help="Grade only these references, as gaming/*.")
    ] = "*",
    legacy_engine: Annotated[
        bool,
        typer.Option(
            help="Run the legacy engine where it is installed; it runs as you, without a sandbox."
        ),
    ] = True,
    challenges: Folders = None,
) -> None:
    """Prove that a challenge grades fairly, by its own reference submissions.

    Right ports must pass, wrong ones must fail for the reason named, and nothing hidden may
    reach a team. Exit status: 0 proven, 1 not proven.
    """
    challenge = find_challenge(slug, challenges)
    out = console()
    with (
        reports.LiveSteps(out, title=f"verify {challenge.slug}") as progress,
        open_dock(challenge.contract.environment) as dock,
    ):
        result = verify.verify(
            challenge, dock, runs=runs, only=only, legacy_engine=legacy_engine, progress=progress
        )
    out.print(_proofs(result))
    out.print(_references(result))
    out.print(_verdict(result, whole=only == "*"))
    raise typer.Exit(0 if result.ok and result.references else 1)


def _verdict(result: verify.Verification, *, whole: bool) -> str:
    if not result.ok or not result.references:
        return "[red]Not proven.[/]"
    if not whole:
        return "[yellow]What was looked at holds; only all references together prove it.[/]"
    return "[green]Proven.[/]"


def _proofs(result: verify.Verification) -> Table:
    table = Table("", "proof", "detail", box=None, pad_edge=False)
    for proof in result.proofs:
        table.add_row(_mark(ok=proof.ok), proof.what, proof.detail)
    return table


def _references(result: verify.Verification) -> Table:
    table = Table(
        "", "reference", "outcome", "total", "parity", "seconds", "what it is", box=None,
        pad_edge=False,
    )  # fmt: skip
    for item in result.references:
        table.add_row(
            _mark(ok=item.ok),
            item.reference.name,
            str(item.outcome),
            "—" if item.total is None else str(item.total),
            "—" if item.parity is None else f"{item.parity:.1f}",
            f"{item.seconds:.1f}",
            "; ".join(item.problems) or item.reference.about,
        )
    return table


def _mark(*, ok: bool) -> str:
    return "[green]✓[/]" if ok else "[red]✗[/]"


@app.command("export-public")
def export_public(
    slug: _Slug,
    destination: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    *,
    challenges: Folders = None,
) -> None:
    """Write what teams receive: the brief, the legacy model, training data and public cases."""
    files = package.export_public(find_challenge(slug, challenges), destination)
    console().print(f"{len(files)} files written to {destination}", soft_wrap=True)


@app.command()
def record(
    slug: _Slug,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only compare with what is recorded; write nothing.")
    ] = False,
    challenges: Folders = None,
) -> None:
    """Run the legacy model again, and record its outputs as what ports are compared with.

    Needs the legacy engine on this machine. Exit status: 0 recorded or the same, 1 different.
    """
    challenge = find_challenge(slug, challenges, recorded=check)
    out = console()
    with out.status("Running the legacy model …"):
        outcome = legacy.compare(challenge) if check else legacy.record(challenge)
    for line in outcome.lines:
        out.print(line, soft_wrap=True)
    raise typer.Exit(0 if outcome.ok else 1)
