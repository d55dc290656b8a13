"""``drydock doctor``: whether this machine can grade, and what to do where it cannot."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from rich.table import Table

from grader import environment
from grader.cli.common import console
from grader.errors import DrydockError
from grader.sandbox import probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str
    remedy: str = ""


def doctor() -> None:
    """Look at python, git, the environment and the sandbox, each with its remedy.

    The sandbox is not believed but tried: each attack is first shown to work outside, and must
    then fail inside. A sandbox that cannot hold makes this exit with 3, and no submitted code
    runs on this machine.
    """
    out = console()
    signs = [_python(), _git(), *_environment_and_sandbox()]
    table = Table("", "what", "detail", box=None, pad_edge=False)
    for sign in signs:
        table.add_row("[green]✓[/]" if sign.ok else "[red]✗[/]", sign.what, sign.detail)
    out.print(table)
    failed = [sign for sign in signs if not sign.ok]
    for sign in failed:
        out.print(f"[red]{sign.what}:[/] {sign.remedy}", soft_wrap=True)
    out.print("All well: this machine can grade." if not failed else "This machine cannot grade.")
    raise typer.Exit(3 if failed else 0)


def _python() -> Sign:
    return Sign(
        what="python",
        ok=sys.version_info >= (3, 11),
        detail=f"{platform.python_version()} at {sys.executable}",
        remedy="Drydock needs Python 3.11 or newer.",
    )


def _git() -> Sign:
    git = shutil.which("git")
    return Sign(
        what="git",
        ok=git is not None,
        detail=git or "not found",
        remedy="Install git: teams submit commits, and 'drydock kit new' starts a repository.",
    )


def _environment_and_sandbox() -> Iterator[Sign]:
    try:
        pinned = environment.load("standard")
    except DrydockError as error:
        yield Sign(what="environment", ok=False, detail=error.message, remedy=error.remedy)
        return
    detail = f"{len(pinned.packages)} packages in {pinned.root}"
    yield Sign(what="environment", ok=True, detail=detail)
    for found in probe(pinned):
        yield Sign(
            what=f"sandbox: {found.name}", ok=found.ok, detail=found.detail, remedy=found.remedy
        )
