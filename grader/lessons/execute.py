"""A notebook, run cell by cell in the sandbox.

The notebook's cells are fed from out here, one at a time, over a connection into the job: a test is
not inside before everything above it has run, no file inside decides what a cell is said to have
shown, and a cell's time is watched from outside too.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grader.commands import place_file
from grader.errors import SandboxError
from grader.model import Binding, Cause, Limits
from grader.sandbox import Job, LiveJob, Result, Sandbox

RUNNER = Path(__file__).parent / "inside" / "drydock_notebook.py"
"""The program that runs cells inside."""
TIMED_OUT = "CellTimeoutError"
"""The runner's error in a cell that it stopped. A notebook that raises it loses all the same."""
_PORT = 8650
_START_SECONDS = 30.0
_GRACE_SECONDS = 5.0
"""How much longer than its own time a cell is waited for: it may be ended from inside."""
_DYING_SECONDS = 1.0
"""How long a job whose connection is gone may take to say why it ended."""
_POLL_SECONDS = 0.005
_LONGEST_ANSWER = 16 << 20
_TOOLS = "/tools"
_FILES = "/lesson"
_SKIPPED = "skip-execution"


class EndedError(Exception):
    """The notebook's process is gone; no further cell can run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """Where notebooks run: a sandbox, the runner in a folder of it, and what a notebook may use."""

    sandbox: Sandbox
    tools: Path
    """Of :func:`place_runner`."""
    limits: Limits
    """Of a whole notebook."""
    cell_seconds: float
    """How long one cell may take."""


def place_runner(sandbox: Sandbox) -> Path:
    """Place the runner in a folder of a sandbox's, and return the folder."""
    return place_file(sandbox, "notebook-tools", RUNNER.name, RUNNER.read_bytes())


def execute(notebook: NotebookNode, kernel: Kernel, files: Path) -> str:
    """Run all cells of a notebook in order, and put what they show into it.

    A cell that fails does not stop the others. Where the process itself ends, each cell from there
    on says so as an error.

    :param files: a folder of the sandbox's with what lies beside the notebook, which it may change
    :return: why the notebook ended early; empty where it did not
    :raises SandboxError: the sandbox failed, which is no fault of the notebook
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        cell.outputs, cell.execution_count = [], None
    ended = ""
    with kernel.sandbox.open(_job(kernel, files)) as job, _talking(job) as talk:
        for count, cell in enumerate(filter(_to_run, cells), 1):
            cell.execution_count = count
            if not ended:
                try:
                    cell.outputs = talk.run(cell, kernel.cell_seconds)
                except EndedError:
                    ended = _why(_concluded(job), kernel.limits)
            if ended:
                cell.outputs = [_error("NotebookEnded", ended)]
    return ended


def _to_run(cell: NotebookNode) -> bool:
    """Whether a cell is run: what Jupyter's own way of running notebooks skips is skipped."""
    return bool(cell.source.strip()) and _SKIPPED not in cell.metadata.get("tags", ())


def _job(kernel: Kernel, files: Path) -> Job:
    return Job(
        module=RUNNER.stem,
        arguments=(str(_PORT),),
        mounts=(
            Binding(host=kernel.tools, inside=Path(_TOOLS)),
            Binding(host=files, inside=Path(_FILES)),
        ),
        python_path=(_TOOLS,),
        environment={"NBGRADER_EXECUTION": "autograde", "IPYTHONDIR": "/tmp"},  # noqa: S108 - the job's own
        limits=kernel.limits,
        copy_to_work=_FILES,
    )


class _Talk:
    """The connection to a runner."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def run(self, cell: NotebookNode, seconds: float) -> list[NotebookNode]:
        """Have a cell run, and return what it showed.

        :raises EndedError: no answer came
        """
        # An answer names its question by a word that nothing inside could know before.
        word = secrets.token_hex(8)
        test = cell.metadata.get("nbgrader", {}).get("grade", False)
        question = {
            "id": word,
            "kind": "grade" if test else "cell",
            "source": cell.source,
            "seconds": seconds,
        }
        try:
            self._connection.settimeout(seconds + _GRACE_SECONDS)
            self._connection.sendall(json.dumps(question).encode() + b"\n")
            end = time.monotonic() + seconds + _GRACE_SECONDS
            while True:
                answer = json.loads(self._line(end))
                if answer["id"] == word:
                    return [_output(item) for item in answer["outputs"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EndedError from error

    def _line(self, end: float) -> bytes:
        parts = [self._rest]
        size = len(self._rest)
        while b"\n" not in parts[-1]:
            data = self._connection.recv(1 << 20)
            size += len(data)
            if not data or size > _LONGEST_ANSWER or time.monotonic() > end:
                raise EndedError
            parts.append(data)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line


@contextmanager
def _talking(job: LiveJob) -> Iterator[_Talk]:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            connection = job.connect(_PORT, timeout=_START_SECONDS)
            break
        except (ConnectionRefusedError, TimeoutError) as error:
            if job.ended or time.monotonic() > end:
                said = job.finish()
                raise SandboxError(
                    "sandbox-failed",
                    f"The runner of notebooks does not start: {said.message or said.stderr[-300:]}",
                    remedy="Run 'drydock doctor'.",
                ) from error
            time.sleep(_POLL_SECONDS)
    with connection:
        yield _Talk(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _concluded(job: LiveJob) -> Result:
    """Return how a job ended whose connection is gone; one that still runs is ended."""
    end = time.monotonic() + _DYING_SECONDS
    while not job.ended and time.monotonic() < end:
        time.sleep(_POLL_SECONDS)
    return job.finish()


def _output(said: Any) -> NotebookNode:
    """Return an output as notebooks hold it, of nothing but what such an output has.

    :raises ValueError: it is none
    """
    kind = said["output_type"]
    if kind == "stream" and said["name"] in {"stdout", "stderr"}:
        return NotebookNode(output_type=kind, name=said["name"], text=str(said["text"]))
    if kind == "error":
        lines = [str(line) for line in said["traceback"]]
        return _error(str(said["ename"]), str(said["evalue"]), lines)
    if kind in {"display_data", "execute_result"}:
        data = NotebookNode({str(name): value for name, value in said["data"].items()})
        shown = NotebookNode(output_type=kind, data=data, metadata=NotebookNode())
        if kind == "execute_result":
            shown.execution_count = int(said["execution_count"])
        return shown
    raise ValueError(kind)


def _error(name: str, value: str, lines: list[str] | None = None) -> NotebookNode:
    told = {"ename": name, "evalue": value, "traceback": lines or [f"{name}: {value}"]}
    return NotebookNode(output_type="error", **told)


def _why(result: Result, limits: Limits) -> str:
    if result.cause is Cause.SANDBOX:
        raise SandboxError("sandbox-failed", result.message, remedy="Run 'drydock doctor'.")
    if result.cause is Cause.MEMORY:
        return f"The notebook was stopped here: it may use {limits.memory_mb} MB of memory."
    if result.cause is Cause.OUTPUT_LIMIT:
        return "The notebook was stopped here: it printed too much past Python's own streams."
    if result.cause is Cause.TIMEOUT:
        return f"The notebook was stopped here: all of it may take {limits.wall_seconds:g} s."
    if result.cause is not None:
        return f"The notebook was stopped here: {result.message}"
    if result.exit_code is not None:
        return f"The notebook ended its own process here, with exit code {result.exit_code}."
    return "The notebook was stopped here: this cell did not end in time."
