"""``drydock explain``: what a check asks for, why, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.syntax import Syntax

from grader import standards
from grader.cli.common import console


def explain(
    code: Annotated[
        str, typer.Argument(help="A check's code, as a report names it, such as REPO001.")
    ],
) -> None:
    """Explain a check: what it asks for, why it matters, how to mend it, and where it comes from.

    Example:

      drydock explain REPO001
    """
    check = standards.find_check(code.upper())
    out = console()
    out.print(f"[bold]{check.code}[/]  {check.title}")
    out.print(f"[dim]{standards.FAMILIES[check.family]}[/]\n")
    out.print(f"[bold]Why[/]   {check.why}\n")
    out.print(f"[bold]Fix[/]   {check.fix}\n")
    out.print("[bold]Example[/]")
    out.print(Syntax(check.example, "text", background_color="default", word_wrap=True))
    out.print(f"\n[bold]Source[/]  {check.source}")
