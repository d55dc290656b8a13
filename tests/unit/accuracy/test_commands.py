from __future__ import annotations

import pytest

from grader.accuracy.words import coarse, percent, size
from grader.commands import last_line, printable, why_failed
from grader.model import Cause, Limits, Verdict
from grader.sandbox import Result


def ended(exit_code: int | None = 0, cause: Cause | None = None, stderr: str = "") -> Result:
    return Result(
        exit_code=exit_code,
        cause=cause,
        message="the parent died",
        stdout="",
        stderr=stderr,
        files=(),
        seconds=1,
        cpu_seconds=1,
        memory_mb=1,
        processes=1,
    )


def message(result: Result, *, reveal: bool) -> str:
    failure = why_failed("score", result, Limits(), reveal=reveal)
    assert failure is not None
    return failure.message


def test_good_end_is_no_failure() -> None:
    assert why_failed("score", ended(), Limits(), reveal=True) is None


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.MEMORY, Cause.OUTPUT_LIMIT])
def test_kills_are_the_ports_own(cause: Cause) -> None:
    failure = why_failed("score", ended(None, cause), Limits(), reveal=True)
    assert failure is not None
    assert (failure.cause, failure.verdict) == (cause, Verdict.FAIL)


def test_lost_sandbox_is_ours() -> None:
    failure = why_failed("score", ended(None, Cause.SANDBOX), Limits(), reveal=True)
    assert failure is not None
    assert failure.verdict is Verdict.ERROR


def test_last_line_is_shown() -> None:
    result = ended(1, stderr="Traceback:\nValueError: no \x1b[31mdata.\n\n")
    assert message(result, reveal=True) == (
        "score ended with exit code 1: ValueError: no  [31mdata."
    )


@pytest.mark.parametrize(
    ("stderr", "shown"),
    [
        ("ValueError: 4711", ": ValueError"),
        ("port.errors.KeyError: x", ": KeyError"),
        ("Secret4711: x", ""),
        ("4711", ""),
        ("ValueError4711", ""),
        ("", ""),
    ],
)
def test_hidden_case_shows_class_alone(stderr: str, shown: str) -> None:
    assert message(ended(77, stderr=stderr), reveal=False) == f"score ended with an error{shown}."


def test_lines_are_cut() -> None:
    assert len(printable("x" * 1000)) == 200


def test_nothing_printed_is_nothing() -> None:
    assert last_line(" \n\n") == ""


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100 %"), (0.99999, "99.9 %"), (1e-9, "0.1 %"), (0.5, "50.0 %")],
)
def test_percent_is_honest(share: float, text: str) -> None:
    assert percent(share) == text


def test_sizes_are_short() -> None:
    assert (size(None), size(0.012345), size(1234.5)) == ("unknown", "0.012", "1.2e+03")


def test_hidden_sizes_are_coarse() -> None:
    assert coarse(1.23456, hidden=True) == 1.2
    assert coarse(1.23456, hidden=False) == 1.23456
    assert coarse(None, hidden=True) is None
