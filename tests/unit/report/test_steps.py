"""The steps of a grading, shown while they happen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from rich.console import Console

from grader.model import Step, StepState
from grader.report import LiveSteps


@pytest.fixture
def clock() -> Callable[[], float]:
    ticks: Iterator[int] = count()
    return lambda: next(ticks) / 4


def started(name: str) -> Step:
    return Step(name=name, state=StepState.STARTED)


def done(name: str, detail: str = "") -> Step:
    return Step(name=name, state=StepState.DONE, detail=detail)


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=80, force_terminal=terminal, color_system=None), out


def test_log_has_plain_lines(clock: Callable[[], float]) -> None:
    log, out = console(terminal=False)
    with LiveSteps(log, title="port", clock=clock) as progress:
        progress(started("train"))
        progress(done("train", "one model"))
    assert out.getvalue() == "port\ndone     0.25 s  train  one model\n"


def test_failed_step_says_so(clock: Callable[[], float]) -> None:
    log, out = console(terminal=False)
    with LiveSteps(log, clock=clock) as progress:
        progress(Step(name="train", state=StepState.FAILED, detail="it crashed"))
    assert out.getvalue() == "failed   0.00 s  train  it crashed\n"


def test_hostile_detail_steers_nothing(clock: Callable[[], float]) -> None:
    log, out = console(terminal=False)
    with LiveSteps(log, clock=clock) as progress:
        progress(done("train", "\x1b[2J[bold]\nnext"))
    assert out.getvalue() == "done     0.00 s  train  \ufffd[2J[bold] next\n"


def test_terminal_keeps_last_state() -> None:
    screen, out = console(terminal=True)
    with LiveSteps(screen) as progress:
        progress(started("train"))
        progress(done("train", "one model"))
    assert re.search("✓ train .* one model", out.getvalue())


def test_terminal_shows_what_stopped() -> None:
    screen, out = console(terminal=True)
    with LiveSteps(screen) as progress:
        progress(started("train"))
    assert "stopped" in out.getvalue()


def test_long_details_keep_one_line() -> None:
    screen, out = console(terminal=True)
    with LiveSteps(screen) as progress:
        progress(done("train", "x" * 500))
    assert max(out.getvalue().count("x" * size) for size in (90, 200)) == 0


def test_latest_steps_stay_in_sight() -> None:
    screen, _ = console(terminal=True)
    progress = LiveSteps(screen)
    for number in range(100):
        progress(started(f"step {number}"))
    names = list(progress._table().columns[1].cells)
    assert len(names) < screen.height
    assert str(names[-1]) == "step 99"


def test_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    screen, out = console(terminal=True)
    with LiveSteps(screen) as progress:
        progress(done("train"))
    assert out.getvalue().startswith("done")


def test_many_threads_may_report() -> None:
    log, out = console(terminal=False)
    with LiveSteps(log) as progress, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: progress(done(f"step {n}")), range(100)))
    assert len(out.getvalue().splitlines()) == 100
