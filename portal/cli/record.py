"""``drydock record``: check a conversion record, wherever one is, without the portal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import console
from portal import record
from portal.cli.common import DEFAULT_DATA, Data, DatabaseUrl, existing_portal

app = typer.Typer(help="Signed records of approved conversions.", no_args_is_help=True)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The record, a DSSE envelope as JSON.")],
    key: Annotated[Path, typer.Option(help="The portal's public key, as PEM.")],
) -> None:
    """Check a record's signature, and print the statement that it holds.

    Exit status: 0 the signature holds, 2 it does not.
    """
    statement = record.verify(file, key)
    console().print_json(json.dumps(statement))


@app.command("key")
def print_key(data: Data = DEFAULT_DATA, database_url: DatabaseUrl = "") -> None:
    """Print the portal's public key: hand it to whoever checks records."""
    settings = existing_portal(data, database_url)
    typer.echo(record.public_key(settings.data).read_text(encoding="utf-8"), nl=False)
