"""The command line, ``drydock``: each module is one of its commands."""

from __future__ import annotations

import os
import sys
import traceback

import typer
from rich.console import Console

from grader.cli import challenge, demo, doctor, environment, explain, grade, kit, standards
from grader.errors import DrydockError

app = typer.Typer(
    name="drydock",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=(
        "Grade Python ports of legacy models: their engineering standards, and how exactly they "
        "answer as the legacy model did.\n\n"
        "A first look:  drydock demo\n\n"
        "On your own port:  drydock grade . --public\n\n"
        "Exit status: 0 accepted or done, 1 graded and not accepted, 2 bad input or usage, "
        "3 our own failure."
    ),
)
app.command("grade")(grade.grade)
app.command("standards")(standards.standards)
app.add_typer(challenge.app, name="challenge")
app.add_typer(kit.app, name="kit")
app.command("explain")(explain.explain)
app.command("doctor")(doctor.doctor)
app.add_typer(environment.app, name="environment")
app.command("demo")(demo.demo)


def run() -> None:
    """Run the command line; every error becomes one clear sentence and its exit status."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        app()
    except DrydockError as error:
        errors.print(f"[bold red]error:[/] {_plain(error.message)}")
        if error.remedy:
            errors.print(f"       {_plain(error.remedy)}")
        errors.print(f"[dim]       docs/errors.md#{error.slug}[/]")
        sys.exit(error.exit_status)
    except KeyboardInterrupt:
        errors.print("Interrupted; nothing was written.")
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the rim: nothing but a clear end may leave here
        errors.print(f"[bold red]internal error:[/] {type(error).__name__}: {_plain(str(error))}")
        if os.environ.get("DRYDOCK_DEBUG"):
            traceback.print_exc()
        else:
            errors.print(
                "       This is our failure. Set DRYDOCK_DEBUG=1 to see where it happened."
            )
        sys.exit(3)


def _plain(text: str) -> str:
    """Keep a message from being read as markup."""
    return text.replace("[", r"\[")
