"""The command line, ``drydock``: each module is one of its commands."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping

import typer
from rich.console import Console

from grader.cli.lazy import SETTINGS, Command, group
from grader.errors import DrydockError

COMMANDS: Mapping[str, Command] = {
    "grade": Command(
        "grader.cli.grade",
        "grade",
        "Grade a port: its standards, and how exactly it answers as the legacy model did.",
    ),
    "standards": Command(
        "grader.cli.standards",
        "standards",
        "Hold any Python repository against the standards. Nothing of it is run.",
    ),
    "challenge": Command(
        "grader.cli.challenge",
        "app",
        "Look at challenges, prove them fair, hand them out.",
    ),
    "lesson": Command("grader.cli.lesson", "app", "Write, prove, hand out and grade lessons."),
    "kit": Command("grader.cli.kit", "app", "The projects that teams start from."),
    "explain": Command(
        "grader.cli.explain",
        "explain",
        "Explain a check: what it asks for, why it matters, how to mend it, and where it comes "
        "from.",
    ),
    "doctor": Command(
        "grader.cli.doctor",
        "doctor",
        "Look at python, git, the environment and the sandbox, each with its remedy.",
    ),
    "environment": Command(
        "grader.cli.environment", "app", "The pinned environments that submissions run in."
    ),
    "demo": Command(
        "grader.cli.demo",
        "demo",
        "Grade three ports of a real legacy model: a right one, one with a subtle bug, a cheat.",
    ),
}
_HELP = (
    "Grade Python ports of legacy models: their engineering standards, and how exactly they "
    "answer as the legacy model did.\n\n"
    "A first look:  drydock demo\n\n"
    "On your own port:  drydock grade . --public\n\n"
    "Exit status: 0 accepted or done, 1 graded and not accepted, 2 bad input or usage, "
    "3 our own failure."
)


def command_line(commands: Mapping[str, Command]) -> typer.Typer:
    """Return the command line over some commands."""
    app = typer.Typer(
        name="drydock", cls=group(commands), no_args_is_help=True, help=_HELP, **SETTINGS
    )
    app.callback()(_nothing)
    return app


def _nothing() -> None:
    """Have no options of its own."""


def run(app: typer.Typer) -> None:
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
