"""What both rooms that run a team's code share: placing its files, and saying why a job failed.

Everything that a job is given lies in folders of the sandbox's own, and everything that is told of
a job is our own words or one cleaned line of what it printed.
"""

from __future__ import annotations

import builtins
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from grader.model import Cause, Limits, Tree, Verdict
from grader.sandbox import Result, Sandbox, grant

_EXCEPTIONS = frozenset(
    name
    for name, item in vars(builtins).items()
    if isinstance(item, type) and issubclass(item, BaseException)
)
_RAISED = re.compile(r"(?:\w+\.)*(\w+)(?::|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a command did not do what it was asked to."""

    cause: Cause
    message: str

    @property
    def verdict(self) -> Verdict:
        """Whose failure it is: ours is an error and costs a team nothing."""
        return Verdict.ERROR if self.cause is Cause.SANDBOX else Verdict.FAIL


def place_file(sandbox: Sandbox, folder: str, name: str, content: bytes) -> Path:
    """Put one file into a fresh folder that jobs can be given, and return the folder."""
    return place_files(sandbox, folder, {name: content})


def place_files(sandbox: Sandbox, folder: str, files: dict[str, bytes]) -> Path:
    """Put files, by their relative paths, into a fresh folder that jobs can be given."""
    target = sandbox.new_folder(folder)
    for path, content in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(content)
    grant(target)
    return target


def place_folder(sandbox: Sandbox, folder: str, source: Path) -> Path:
    """Copy a folder to where jobs can be given it, and return the copy."""
    target = sandbox.new_folder(folder)
    shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
    grant(target)
    return target


def tree_files(tree: Tree) -> dict[str, bytes]:
    """Return the contents of a submission's files by their relative paths."""
    return {str(file.path): (tree.root / file.path).read_bytes() for file in tree.files}


def why_failed(command: str, result: Result, limits: Limits, *, reveal: bool) -> Failure | None:
    """Say why a job failed, from what was seen outside it; None where it ended well.

    :param command: what the job is called in the message
    :param reveal: whether its exit code and the last line of its error output may be shown. Not for
        hidden cases: a port could print what it was given to score and read it in its report.
    """
    if result.cause is not None:
        return Failure(cause=result.cause, message=_killed(command, result, limits))
    if result.exit_code == 0:
        return None
    if reveal:
        said = last_line(result.stderr)
        message = f"{command} ended with exit code {result.exit_code}{': ' if said else ''}{said}."
        return Failure(cause=Cause.CRASH, message=message)
    raised = _builtin_exception(result.stderr)
    message = f"{command} ended with an error{': ' if raised else ''}{raised}."
    return Failure(cause=Cause.CRASH, message=message)


def last_line(printed: str) -> str:
    """Return the last line that says something, cleaned and without its full stop."""
    lines = [line for line in printed.splitlines() if line.strip()]
    return printable(lines[-1]).rstrip(".") if lines else ""


def printable(text: str, length: int = 200) -> str:
    """Make a line that a submission printed safe to show: no control characters, and cut."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text).strip()
    return shown if len(shown) <= length else f"{shown[: length - 1]}…"


def _killed(command: str, result: Result, limits: Limits) -> str:
    if result.cause is Cause.TIMEOUT:
        return (
            f"{command} was stopped: it may take {limits.wall_seconds:g} s, and "
            f"{limits.cpu_seconds} s of processor time."
        )
    if result.cause is Cause.MEMORY:
        return f"{command} was stopped: it may use {limits.memory_mb} MB of memory."
    if result.cause is Cause.OUTPUT_LIMIT:
        return f"{command} was stopped: it printed too much."
    return f"{command} could not be run: {result.message}"


def _builtin_exception(stderr: str) -> str:
    """Return the name of the exception it ended with, if it is one of Python's own.

    A class of the submission's could carry a hidden value in its name.
    """
    lines = [line for line in stderr.splitlines() if line.strip()]
    raised = _RAISED.match(lines[-1]) if lines else None
    return raised[1] if raised is not None and raised[1] in _EXCEPTIONS else ""
