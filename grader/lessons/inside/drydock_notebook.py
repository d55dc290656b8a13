"""Runs a notebook's cells inside the sandbox, as a kernel would, and says what each one printed.

``python -m drydock_notebook PORT``. Cells come one by one over a connection, so that a test is not
in this process before everything above it has run. A line of JSON in, a line of JSON out::

    {"id": "…", "kind": "cell", "source": "1 + 1", "seconds": 30}
    {"id": "…", "count": 1, "outputs": [{"output_type": "execute_result", …}]}

Cells of kind ``grade`` are compiled by this file alone: what a notebook has hooked into IPython
does not touch them. It runs beside code that nobody vouches for; who asks must not believe more of
an answer than it would of that code.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import signal
import socket
import sys
import traceback
import types
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.interactiveshell import InteractiveShell
from IPython.lib.pretty import pretty
from traitlets.config import Config

MOST = 1 << 20
"""Characters that a cell may print; what comes after them is left out."""
_INLINE = "module://matplotlib_inline.backend_inline"
# Whatever a notebook puts in their place later.
_compile, _exec, _eval, _pretty = compile, exec, eval, pretty


class CellTimeoutError(KeyboardInterrupt):
    """A cell has not ended in time. Not caught by who catches errors."""


class Collector:
    """What the cell that runs has printed and shown so far."""

    def __init__(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        self._room = MOST

    def begin(self) -> None:
        """Forget the last cell's."""
        self.outputs = []
        self._room = MOST

    def stream(self, name: str, text: str) -> None:
        """Add what was printed; what follows on the same stream is one output."""
        text = self._fitting(text)
        first_error = name == "stderr" and all(item.get("name") != name for item in self.outputs)
        if not text and not first_error:
            return  # but that something was said to standard error is never left out: it counts
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": text})

    def shown(self, kind: str, data: dict[str, Any], more: dict[str, Any]) -> None:
        """Add what was displayed, unless it is too large."""
        if len(str(data)) > self._room:
            data = {"text/plain": "(too large to be kept)"}
        self._room -= len(str(data))
        self.outputs.append({"output_type": kind, "data": data, "metadata": {}, **more})

    def error(self, kind: str, value: str, lines: list[str]) -> None:
        """Add an error; a stack that is too long loses its end."""
        text = "\n".join(lines)[:MOST]
        told = {"ename": kind, "evalue": value[:MOST], "traceback": text.split("\n")}
        self.outputs.append({"output_type": "error", **told})

    def _fitting(self, text: str) -> str:
        fitting = text[: max(0, self._room)]
        self._room -= len(text)
        if len(fitting) < len(text) and self._room + len(text) > 0:
            fitting += "\n(the rest is left out)\n"
        return fitting


COLLECTOR = Collector()


class Stream(io.TextIOBase):
    """Standard output or standard error of a cell."""

    encoding = "utf-8"

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, text: str) -> int:
        """Keep what is printed."""
        COLLECTOR.stream(self.name, str(text))
        return len(text)

    def writable(self) -> bool:
        """Say that it may be written to."""
        return True

    def isatty(self) -> bool:
        """Say that nobody looks."""
        return False


class Hook(DisplayHook):
    """Keeps the value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """Print nothing: a notebook numbers its outputs itself."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        """Keep what the value looks like."""
        COLLECTOR.shown(
            "execute_result", plain(format_dict), {"execution_count": self.prompt_count}
        )

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Keep no log."""

    def finish_displayhook(self) -> None:
        """End no line."""


class Publisher(DisplayPublisher):
    """Keeps what is displayed."""

    def publish(self, data: dict[str, Any], metadata: Any = None, **_: Any) -> None:
        """Keep it."""
        COLLECTOR.shown("display_data", plain(data), {})

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown so far."""
        COLLECTOR.begin()


class Shell(InteractiveShell):
    """An IPython that collects instead of printing."""

    displayhook_class = Hook
    display_pub_class = Publisher

    def _showtraceback(self, etype: type, evalue: Any, stb: list[str]) -> None:
        COLLECTOR.error(etype.__name__, str(evalue), list(stb))

    def _tee(self, channel: str) -> contextlib.AbstractContextManager[None]:
        """Keep no second copy of all that is printed, as IPython does for its history."""
        return contextlib.nullcontext()

    def ask_exit(self) -> None:
        """Stay: a notebook's other cells still run."""


def main() -> None:
    """Answer questions until nobody asks any more."""
    with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
        connection, _ = listener.accept()
    shell = begin()
    answers, questions = connection.makefile("w"), connection.makefile()
    for line in questions:
        question = json.loads(line)
        COLLECTOR.begin()
        signal.setitimer(signal.ITIMER_REAL, question["seconds"], 1.0)
        try:
            run = run_test if question["kind"] == "grade" else run_cell
            run(shell, question["source"])
        except BaseException as error:  # noqa: BLE001 - a time-out may come at any moment
            COLLECTOR.error(type(error).__name__, str(error), [repr(error)])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        answer = {"id": question["id"], "outputs": COLLECTOR.outputs}
        answers.write(json.dumps(answer, default=str) + "\n")
        answers.flush()


def begin() -> Shell:
    """Return a shell that nothing has run in."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    module = types.ModuleType("__main__")
    shell = Shell.instance(config=config, user_module=module)
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    signal.signal(signal.SIGALRM, _too_late)
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is not None:
        # It was imported before anybody could say by a variable which backend it should take.
        matplotlib.rcParams["backend"] = _INLINE
    return shell


def run_cell(shell: Shell, source: str) -> None:
    """Run a cell as IPython does."""
    shell.run_cell(source, store_history=True)


def run_test(shell: Shell, source: str) -> None:
    """Run a cell that is graded; its last value is shown where there is one."""
    shell.execution_count += 1
    name = f"<test {shell.execution_count}>"
    try:
        tree = ast.parse(TransformerManager().transform_cell(source), name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        _exec(_compile(tree, name, "exec"), shell.user_ns)
        if last is not None:
            value = _eval(_compile(ast.Expression(last.value), name, "eval"), shell.user_ns)
            if value is not None and not source.rstrip().endswith(";"):
                data = {"text/plain": _pretty(value)}
                COLLECTOR.shown("execute_result", data, {"execution_count": shell.execution_count})
    except BaseException as error:  # noqa: BLE001 - whatever it is, the test has failed
        lines = traceback.format_exception(error)
        COLLECTOR.error(type(error).__name__, str(error), "".join(lines).splitlines())
    shell.events.trigger("post_execute")


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """Return what is shown as JSON holds it: pictures come as bytes."""
    import base64  # noqa: PLC0415 - few notebooks show pictures

    return {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for kind, value in data.items()
    }


def _too_late(*_: object) -> None:
    message = "the cell did not end in time"
    raise CellTimeoutError(message)


if __name__ == "__main__":
    main()
