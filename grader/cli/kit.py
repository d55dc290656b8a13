"""``drydock kit``: the projects that teams start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from grader import kits
from grader.cli.common import HOME, Folders, console, find_challenge

app = typer.Typer(no_args_is_help=True, help="The projects that teams start from.")


@app.command("list")
def list_() -> None:
    """List the starter kits."""
    table = Table("kit", "what it is", box=None, pad_edge=False)
    for kit in kits.list_kits(HOME / "starter_kits"):
        table.add_row(kit.name, kit.summary)
    console().print(table)


@app.command()
def new(
    kit: Annotated[str, typer.Argument(help="Which kit; 'drydock kit list' shows them.")],
    destination: Annotated[Path, typer.Argument(help="A folder that is new or empty.")],
    challenge: Annotated[
        str, typer.Option("--challenge", "-c", metavar="SLUG", help="The challenge it is for.")
    ],
    *,
    owner: Annotated[str, typer.Option(help="Who answers for the project.")] = "Your team",
    challenges: Folders = None,
) -> None:
    """Start a port: a whole project, in which only the model is left to write.

    Example:

      drydock kit new python-model my-port --challenge r-health-tariff
    """
    found = find_challenge(challenge, challenges)
    kits.new_kit(kits.find_kit(kit, HOME / "starter_kits"), destination, found, owner=owner)
    out = console()
    out.print(f"Your project is in {destination.resolve()}", soft_wrap=True)
    out.print(f"Next:  cd {destination} && drydock grade . --public", soft_wrap=True)
