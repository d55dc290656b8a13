"""What several commands share: where challenges lie, and how files are written."""

from __future__ import annotations

import os
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import grader
from grader.errors import ChallengeError, UsageError
from grader.model import Challenge

HOME = Path(grader.__file__).parents[1]
"""The folder that holds ``challenges/`` and ``starter_kits/`` beside the code."""

Folders = Annotated[
    list[Path] | None,
    typer.Option(
        "--challenges",
        envvar="DRYDOCK_CHALLENGES",
        help="Folder of challenge packages; may be given several times. "
        "Without it: the one that came with Drydock.",
        show_default=False,
    ),
]


def challenge_folders(given: Sequence[Path] | None) -> tuple[Path, ...]:
    """Return the folders to look for challenges in.

    :raises UsageError: a folder that was named does not exist
    """
    folders = tuple(given or [HOME / "challenges"])
    for folder in folders:
        if given and not folder.is_dir():
            raise UsageError(
                "no-such-folder",
                f"There is no folder {folder}.",
                remedy="Name the folder that holds the challenge packages.",
            )
    return tuple(folder for folder in folders if folder.is_dir())


def find_challenge(
    name: str, folders: Sequence[Path] | None, *, recorded: bool = True
) -> Challenge:
    """Return a challenge by slug or path.

    :param recorded: whether the legacy outputs must be there
    """
    from grader import package  # noqa: PLC0415 - it needs pandas, and half of the commands do not

    return package.find_challenge(name, challenge_folders(folders), recorded=recorded)


def challenge_named_by(source: str) -> str | None:
    """Return the challenge that a directory's own ``drydock.toml`` or ``pyproject.toml`` names.

    :raises UsageError: the file is not valid TOML
    """
    for file, path in (("drydock.toml", ()), ("pyproject.toml", ("tool", "drydock"))):
        candidate = Path(source) / file
        if not candidate.is_file():
            continue
        try:
            table: object = tomllib.loads(candidate.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(
                "bad-settings", f"{candidate} is not valid TOML: {error}.", remedy="Mend it."
            ) from error
        for key in (*path, "challenge"):
            table = table.get(key) if isinstance(table, dict) else None
        if isinstance(table, str):
            return table
    return None


def vendored_challenge(source: str, slug: str) -> Challenge | None:
    """Return the public export that a team's project carries in ``challenge/``, if it is that one.

    The folder's name is not the slug there, so the slug is read from ``export.toml``.
    """
    folder = Path(source) / "challenge"
    if not (folder / "export.toml").is_file():
        return None
    from grader import package  # noqa: PLC0415 - it needs pandas, and half of the commands do not

    challenge = package.load_challenge(folder)
    return challenge if challenge.slug == slug else None


def resolve_challenge(
    source: str, name: str | None, folders: Sequence[Path] | None, *, public: bool
) -> Challenge:
    """Return the challenge to grade against: the named one, or the one that the source names.

    A project's own copy of the public export counts under ``public`` alone, where nothing better
    is at hand: what decides is never taken from a submission.

    :raises SourceError: there is no challenge to be found, for there is no such source
    :raises UsageError: neither of the two names one (slug ``no-challenge``)
    """
    slug = name or challenge_named_by(source)
    if slug is None:
        _refuse_what_is_no_source(source)
        raise UsageError(
            "no-challenge",
            f"Neither the command nor {source} names a challenge.",
            remedy="Give --challenge SLUG ('drydock challenge list' shows them), or write "
            '[tool.drydock] challenge = "SLUG" into pyproject.toml.',
        )
    try:
        return find_challenge(slug, folders)
    except ChallengeError:
        vendored = vendored_challenge(source, slug) if public else None
        if vendored is None:
            raise
        return vendored


def _refuse_what_is_no_source(source: str) -> None:
    """Say what is wrong with a source itself, before its challenge is asked for.

    A folder is there, whatever it holds, and no address is fetched only to ask for more.

    :raises SourceError: it does not exist, is no archive, or has no such revision
    """
    if Path(source).is_dir() or ":" in source.removeprefix("file:"):
        return
    from grader.checkout import check_out  # noqa: PLC0415 - half of the commands need no git

    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        check_out(source, Path(folder))


def writable(path: Path | None) -> Path | None:
    """Check before long work that a file can be written.

    :raises UsageError: its folder does not exist or cannot be written to
    """
    if path is None or str(path) == "-":
        return path
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            "cannot-write",
            f"{path} cannot be written: "
            + ("it is a folder." if path.is_dir() else f"there is no folder {path.parent}."),
            remedy="Name a file in a folder that exists.",
        )
    if not os.access(path.absolute().parent, os.W_OK):
        raise UsageError(
            "cannot-write",
            f"{path} cannot be written: no permission for {path.absolute().parent}.",
            remedy="Name a file in a folder of your own.",
        )
    return path


def write(path: Path | None, content: Callable[[], str]) -> None:
    """Write a file whole or not at all; ``-`` is standard output."""
    if path is None:
        return
    if str(path) == "-":
        sys.stdout.write(content())
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(content(), encoding="utf-8")
    unfinished.replace(path)


def console(*, stderr: bool = False) -> Console:
    """Return the console that verdicts and tables are printed on."""
    return Console(stderr=stderr, highlight=False)
