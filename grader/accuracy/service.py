"""The live service, run for real inside the sandbox and asked from outside it.

``GET /health`` answers 200 and JSON. ``POST /score`` takes ``{"rows": [{column: value, …}, …]}``,
missing values as null, and answers 200 and ``{"rows": [{key, outputs}, …]}`` in the same order,
with what the batch command answers. What is malformed gets a 4xx, never a 5xx, and the service
lives on. All bodies are made and all answers are judged here.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from grader.accuracy.http import Reply, UnansweredError, ask
from grader.compare import rows_equal
from grader.errors import SandboxError
from grader.model import CaseResult, Cause, Column, Contract, OutputTable, Verdict
from grader.sandbox import LiveJob

HEALTH = "api/health"
SINGLE = "api/single"
BATCH = "api/batch"
NOT_ROWS = "api/not-rows"
BAD_ROWS = "api/bad-rows"
STILL_HEALTHY = "api/still-healthy"
LATENCY = "api/latency"
NAMES = (HEALTH, SINGLE, BATCH, NOT_ROWS, BAD_ROWS, STILL_HEALTHY, LATENCY)
"""The cases of every group of kind api, in the order of their requests."""

LATENCY_RATIO = 25.0
"""How many times as long as the calibration service one row may take, by medians."""
START_SECONDS = 15.0
"""Patience with a start or an answer, on a machine that has nothing else to do."""
_SINGLES = 5
_REQUESTS = 30
_OK = 200
_BAD_REQUEST = 400
_SERVER_ERROR = 500
_POLL_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows to ask for, and what the batch command answered for them."""

    contract: Contract
    table: OutputTable
    rows: tuple[Mapping[str, Any], ...]
    """As JSON: numbers, text or None by column."""
    answers: pd.DataFrame
    """The port's own batch answers for the rows, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceResult:
    """What a live service showed."""

    cases: tuple[CaseResult, ...]
    """In the order of ``NAMES``, of no group yet."""
    timings: Mapping[str, float]
    """Median seconds of one row, of the service and of the calibration, and their ratio."""


def judge_service(service: Service, calibration: Service, sample: Sample) -> ServiceResult:
    """Ask a live service everything that its contract promises, and judge the answers.

    :param calibration: our own service, run in the same sandbox, that latency is measured against
    """
    service.wait()
    results = [
        _judged(HEALTH, [lambda: _healthy(service)]),
        _judged(SINGLE, [_asked(service, sample, slice(i, i + 1)) for i in _singles(sample)]),
        _judged(BATCH, [_asked(service, sample, slice(None))]),
    ]
    if any(result.share for result in results[1:]):
        results += [
            _judged(NOT_ROWS, [_refusing(service, body) for body in _not_rows()]),
            _judged(BAD_ROWS, [_refusing(service, body) for body in _bad_rows(sample)]),
            _judged(STILL_HEALTHY, [lambda: _healthy(service)]),
        ]
        latency, timings = _latency(service, calibration, sample)
        return ServiceResult(cases=(*results, latency), timings=timings)
    why = "Not looked at: the service answers no right request as the batch command does."
    results += [_result(name, 0.0, why, Cause.WRONG_VALUE) for name in NAMES[3:]]
    return ServiceResult(cases=tuple(results), timings={})


def make_sample(
    inputs: pd.DataFrame, answers: pd.DataFrame, contract: Contract, table: OutputTable, count: int
) -> Sample:
    """Draw up to so many rows, evenly over a table.

    :param inputs: the table, sorted by key
    :param answers: the port's batch answers, aligned to it
    """
    drawn = np.linspace(0, len(inputs) - 1, min(count, len(inputs))).round().astype(int)
    chosen = inputs.iloc[drawn]
    rows = tuple(
        {str(name): _plain(value) for name, value in row.items()}
        for row in chosen.to_dict(orient="records")
    )
    picked = answers.iloc[drawn].reset_index(drop=True)
    return Sample(contract=contract, table=table, rows=rows, answers=picked)


class Service:
    """A served application, by requests."""

    def __init__(self, live: LiveJob, port: int) -> None:
        self._live = live
        self._port = port

    def wait(self) -> None:
        """Wait until it accepts connections.

        :raises UnansweredError: it does not come up
        """
        seconds = patience()
        end = time.monotonic() + seconds
        while True:
            try:
                self._live.connect(self._port, timeout=max(end - time.monotonic(), 0.1)).close()
            except (ConnectionError, TimeoutError) as error:
                if self._live.ended:
                    raise UnansweredError("the service ended as it started") from error
                if time.monotonic() > end:
                    raise UnansweredError(f"the service did not start in {seconds:g} s") from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def ask(self, method: str, path: str, body: bytes = b"") -> Reply:
        """Send one request.

        :raises UnansweredError: there is no usable answer
        """
        try:
            connection = self._live.connect(self._port, timeout=patience())
        except (ConnectionError, TimeoutError) as error:
            raise UnansweredError("the service takes no connection") from error
        return ask(connection, method, path, body)


def patience() -> float:
    """Return how many seconds to wait: more, where more than one wants each processor."""
    return START_SECONDS * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


# ------------------------------------------------------------------------------ right requests


def _singles(sample: Sample) -> list[int]:
    count = min(_SINGLES, len(sample.rows))
    return [int(row) for row in np.linspace(0, len(sample.rows) - 1, count).round()]


def _healthy(service: Service) -> str:
    reply = service.ask("GET", "/health")
    if reply.status != _OK:
        return f"GET /health is answered with status {_class(reply.status)}, not 200."
    reply.json()
    return ""


def _asked(service: Service, sample: Sample, rows: slice) -> Callable[[], str]:
    def attempt() -> str:
        reply = service.ask("POST", "/score", _body(sample.rows[rows]))
        if reply.status != _OK:
            return f"POST /score is answered with status {_class(reply.status)}, not 200."
        return compare_rows(reply.json(), sample.answers.iloc[rows], sample.table)

    return attempt


def compare_rows(payload: Any, answers: pd.DataFrame, table: OutputTable) -> str:
    """Hold the body of an answer against the batch answers; an empty text where they agree."""
    rows = payload.get("rows") if isinstance(payload, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return 'POST /score does not answer with {"rows": [{…}, …]}.'
    if len(rows) != len(answers):
        return "POST /score does not answer with one row per row."
    for name in table.key:
        if [_word(row.get(name)) for row in rows] != list(answers[name]):
            return f"POST /score does not give back the key {name!r} of each row, in their order."
    for column in table.columns:
        given = [row.get(column.name) for row in rows]
        if not _agree(given, answers[column.name].to_numpy(), column):
            return f"POST /score answers another {column.name} than the batch command."
    return ""


def _agree(given: Sequence[Any], expected: npt.NDArray[np.generic], column: Column) -> bool:
    if column.exact:
        return [_word(value) for value in given] == [str(value) for value in expected]
    numbers = [_number(value) for value in given]
    if None in numbers:
        return False
    return bool(rows_equal(expected, np.array(numbers, dtype=np.float64), column).all())


def _number(value: Any) -> float | None:
    """Read a JSON value: null is missing; text, truth values and huge integers are no numbers."""
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


# ------------------------------------------------------------------------------ wrong requests


def _not_rows() -> tuple[bytes, ...]:
    return (b"{not json", b"{}", b'{"rows": "all of them"}', b"[]", b'{"rows": [1, 2]}')


def _bad_rows(sample: Sample) -> tuple[bytes, ...]:
    first, contract = sample.rows[0], sample.contract
    needed = [name for name in contract.required_columns if name not in contract.key][:2]
    numeric = [name for name in contract.numeric_columns if name not in contract.key][:2]
    without = ({k: v for k, v in first.items() if k != column} for column in needed)
    mistyped = ({**first, column: "n/a?"} for column in numeric)
    return tuple(_body([row]) for row in (*without, *mistyped))


def _refusing(service: Service, body: bytes) -> Callable[[], str]:
    def attempt() -> str:
        status = service.ask("POST", "/score", body).status
        if _BAD_REQUEST <= status < _SERVER_ERROR:
            return ""
        return f"A malformed request is answered with status {_class(status)} instead of a 4xx."

    return attempt


# ------------------------------------------------------------------------------ latency


def _latency(
    service: Service, calibration: Service, sample: Sample
) -> tuple[CaseResult, dict[str, float]]:
    """Compare medians of the same number of one-row requests, asked in turn: under equal load.

    :raises SandboxError: our own service does not answer, which is no fault of the submission
    """
    body = _body(sample.rows[:1])
    own: list[float] = []
    ours: list[float] = []
    try:
        with _our_own():
            calibration.wait()
        while len(own) < _REQUESTS and not _clearly_fast(own, ours):
            with _our_own():
                ours.append(_seconds(calibration, body))
            own.append(_seconds(service, body))
    except UnansweredError as error:
        return _result(LATENCY, 0.0, _sentence(error), Cause.TIMEOUT), {}
    medians = statistics.median(own), statistics.median(ours)
    ratio = medians[0] / medians[1]
    timings = {
        "api request": medians[0],
        "api calibration request": medians[1],
        "api latency ratio": ratio,
    }
    if ratio <= LATENCY_RATIO:
        message = "One row is answered about as fast as such a service can."
        return _result(LATENCY, 1.0, message, None), timings
    message = f"One row takes over {LATENCY_RATIO:g} times as long as a plain pipeline's service."
    return _result(LATENCY, 0.0, message, Cause.TIMEOUT), timings


@contextmanager
def _our_own() -> Iterator[None]:
    """Take what the calibration service does not answer for a failure of ours."""
    try:
        yield
    except UnansweredError as error:
        said = f"The service that latency is measured against failed: {error}."
        remedy = "Grade again; run 'drydock doctor'."
        raise SandboxError("sandbox-failed", said, remedy=remedy) from error


def _clearly_fast(own: Sequence[float], ours: Sequence[float]) -> bool:
    """Say whether more requests could hardly change the verdict: most teams need not wait."""
    enough = len(own) >= _REQUESTS // 3
    return enough and statistics.median(own) * 4 <= statistics.median(ours) * LATENCY_RATIO


def _seconds(service: Service, body: bytes) -> float:
    began = time.perf_counter()
    service.ask("POST", "/score", body)
    return time.perf_counter() - began


# ------------------------------------------------------------------------------ small things


def _judged(name: str, attempts: Sequence[Callable[[], str]]) -> CaseResult:
    """Make a case of several attempts; its share is that of the attempts without a problem."""
    problems = []
    for attempt in attempts:
        try:
            problems.append(attempt())
        except UnansweredError as error:
            problems.append(_sentence(error))
    wrong = [problem for problem in problems if problem]
    share = 1 - len(wrong) / len(problems) if problems else 1.0
    message = wrong[0] if wrong else "As promised."
    return _result(name, share, message, Cause.WRONG_VALUE if wrong else None)


def _sentence(error: UnansweredError) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


def _result(name: str, share: float, message: str, cause: Cause | None) -> CaseResult:
    return CaseResult(
        case=name,
        group="",
        verdict=Verdict.PASS if cause is None else Verdict.FAIL,
        share=share,
        message=message,
        cause=cause,
    )


def _body(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"rows": [dict(row) for row in rows]}, allow_nan=False).encode()


def _class(status: int) -> str:
    """Name a status by its class: its digits are the submission's words, and rows may be hidden."""
    return f"{status // 100}xx"


def _plain(value: Any) -> Any:
    """Turn a value of a table into one that JSON has: missing is null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
