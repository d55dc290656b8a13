"""The steps of a grading, shown while they happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from grader.model import Step, StepState
from grader.report.summary import clean_line


@dataclass(slots=True, kw_only=True)
class _Line:
    """One step on the screen."""

    began: float
    spinner: Spinner
    ended: float | None = None
    state: StepState = StepState.STARTED
    detail: str = ""


class LiveSteps:
    """A progress callback that shows each step, its state and its time.

    On a terminal the steps move; elsewhere each finished step is one plain line. Steps may be
    reported from several threads. Use it as a context manager::

        with LiveSteps(console, title="port") as progress:
            grade(..., progress=progress)

    :param title: what is being graded, shown above the steps
    :param clock: seconds on a clock that never goes back
    """

    def __init__(
        self,
        console: Console,
        *,
        title: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._title = clean_line(title)
        self._clock = clock
        self._lines: dict[str, _Line] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._live = (
            Live(console=console, get_renderable=self._table, refresh_per_second=12)
            if console.is_terminal and not console.is_dumb_terminal
            else None
        )

    def __enter__(self) -> Self:
        """Show the title and begin to draw."""
        if self._title:
            self._console.print(Text(self._title, style="bold"))
        if self._live is not None:
            self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen; what had not ended is shown as stopped."""
        self._closed = True
        if self._live is not None:
            self._live.stop()

    def __call__(self, step: Step) -> None:
        """Take note of a step; this is the ``Progress`` that a grading reports to."""
        with self._lock:
            line = self._note(step)
            if self._live is None and step.state is not StepState.STARTED:
                self._console.print(self._plain(step.name, line), soft_wrap=True)

    def _note(self, step: Step) -> _Line:
        now = self._clock()
        line = self._lines.get(step.name)
        if line is None or step.state is StepState.STARTED:
            line = _Line(began=now, spinner=Spinner("dots", style="cyan"))
            self._lines[step.name] = line
        line.state = step.state
        line.detail = clean_line(step.detail)
        line.ended = None if step.state is StepState.STARTED else now
        return line

    def _plain(self, name: str, line: _Line) -> Text:
        word = "failed" if line.state is StepState.FAILED else "done"
        return Text(f"{word:<7}{self._seconds(line)}  {clean_line(name)}  {line.detail}".rstrip())

    def _seconds(self, line: _Line) -> str:
        ended = self._clock() if line.ended is None else line.ended
        return f"{ended - line.began:6.2f} s"

    def _table(self) -> Table:
        with self._lock:
            table = Table.grid(padding=(0, 1))
            table.add_column(width=2, justify="right")
            table.add_column(no_wrap=True)
            table.add_column(justify="right", style="dim", no_wrap=True)
            table.add_column(style="dim", overflow="ellipsis", no_wrap=True)
            rows = list(self._rows())
            for row in rows if self._closed else rows[-self._room() :]:
                table.add_row(*row)
            return table

    def _room(self) -> int:
        """Return how many steps fit on the screen; the latest are the ones to watch."""
        return max(self._console.height - 2, 1)

    def _rows(self) -> Iterator[tuple[Text | Spinner, Text, str, Text]]:
        marks = {
            StepState.DONE: Text("✓", style="green"),
            StepState.FAILED: Text("✗", style="red"),
            StepState.STARTED: Text("-", style="yellow"),
        }
        for name, line in self._lines.items():
            running = line.state is StepState.STARTED and not self._closed
            detail = "stopped" if self._closed and line.ended is None else line.detail
            yield (
                line.spinner if running else marks[line.state],
                Text(clean_line(name)),
                self._seconds(line),
                Text(detail),
            )
