"""``drydock audit``: prove that nothing that was done has been rewritten."""

from __future__ import annotations

from typing import Annotated

import typer

from grader.cli.common import console
from leaderboard.store import audit, open_database
from portal.cli.common import DEFAULT_DATA, Data, DatabaseUrl, existing_portal

app = typer.Typer(help="What was done, by whom, and the proof of it.", no_args_is_help=True)


@app.callback()
def callback() -> None:
    """Keep ``verify`` a command of its own, however few there are."""


@app.command()
def verify(
    data: Data = DEFAULT_DATA,
    database_url: DatabaseUrl = "",
    known: Annotated[
        str,
        typer.Option(help="A hash that was the last one once: it must still be in the chain."),
    ] = "",
) -> None:
    """Recompute the chain of the audit, from its first line to its last.

    Keep the last hash elsewhere from time to time, and hand it in with --known.

    Exit status: 0 the chain holds, 1 it is broken.
    """
    database = open_database(existing_portal(data, database_url).database)
    with database.read() as tx:
        proof = audit.verify(tx, known=known)
    database.close()
    out = console()
    out.print(f"{proof.entries} lines; last hash {proof.last}", soft_wrap=True)
    if proof.broken:
        out.print(f"[bold red]Broken:[/] {proof.broken}.")
    raise typer.Exit(int(bool(proof.broken)))
