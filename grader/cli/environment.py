"""``drydock environment``: the pinned environments that submissions run in."""

from __future__ import annotations

from typing import Annotated

import typer

from grader import environment
from grader.cli.common import console

app = typer.Typer(no_args_is_help=True, help="The pinned environments that submissions run in.")


@app.command()
def build(
    name: Annotated[str, typer.Argument(help="Which environment.")] = "standard",
) -> None:
    """Build an environment, unless this machine has it already."""
    out = console()
    with out.status(f"Building the environment {name!r} …"):
        built = environment.load(name)
    out.print(f"Environment {name!r}, {built.digest[:12]}: {len(built.packages)} packages")
    out.print(f"in {built.root}", soft_wrap=True)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Which environment.")] = "standard",
) -> None:
    """List what a submission can import."""
    for package, version in environment.load(name).packages.items():
        console().print(f"{package} {version}")
