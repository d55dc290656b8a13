"""Everything that a port is made to do, in the sandbox and side by side; nothing is judged here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pandas as pd

from grader.accuracy import robustness, service
from grader.accuracy.http import UnansweredError
from grader.accuracy.metrics import picture_names
from grader.accuracy.plan import Plan
from grader.accuracy.port import (
    MODEL_FILE,
    PORT,
    Outcome,
    Port,
    Reported,
    live_limits,
    server_arguments,
)
from grader.commands import Failure, place_file, place_folder, why_failed
from grader.compare import read_inputs, read_output, read_recorded
from grader.errors import OutputError
from grader.model import Binding, Case, CaseResult, Cause, GroupKind, Progress, Step, StepState
from grader.sandbox import Job, LiveJob

WORKERS = 4
"""Jobs side by side."""
BATCH_ROWS = 200
"""Rows of the service's batch request."""
_CALIBRATION = Path(__file__).parent / "calibration" / "drydock_calibration.py"
_CALIBRATION_PORT = 8001
"""Another port than the team's, since jobs share the machine's where there is no sandbox."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the live service showed, or why it showed nothing; empty where nobody asks."""

    cases: tuple[CaseResult, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """What came of everything that a port was made to do."""

    training: Outcome
    retraining: Outcome | None = None
    """A second training on the same data; None where the first failed."""
    scores: Mapping[str, Outcome] = field(default_factory=dict)
    """By case."""
    again: tuple[Outcome, ...] = ()
    """The base case, scored with the model of a second training; empty where nobody asks."""
    variants: tuple[tuple[robustness.Variant, Outcome], ...] = ()
    served: Served = field(default_factory=Served)
    reported: Reported | None = None
    """None where nobody asks."""


def run_all(port: Port, plan: Plan, training: Path, progress: Progress) -> Runs:
    """Train twice; then score, serve and try bad input, side by side.

    :param training: the challenge's folder of training data
    """
    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="accuracy") as pool:
        bench = _Bench(port=port, plan=plan, pool=pool, progress=progress)
        data = place_folder(port.sandbox, "data", training)
        repeated = bench.submit("train again", lambda: port.train(data))
        first = bench.step("train", lambda: port.train(data))
        if first.failure is not None:
            return Runs(training=first)
        model = place_file(port.sandbox, "model", MODEL_FILE, first.content)
        # What waits for another job comes after it in the queue, so that the two cannot lock.
        base = bench.score(plan.base, model)
        served = bench.serve(model, base)
        reported = bench.report(model)
        scores = {case.name: bench.score(case, model) for case in plan.scored if case != plan.base}
        again = bench.score_again(repeated)
        variants = bench.try_variants(model)
        return Runs(
            training=first,
            retraining=repeated.result(),
            scores={name: future.result() for name, future in scores.items()}
            | {plan.base.name: base.result()},
            again=tuple(future.result() for future in again),
            variants=bench.step("robustness", lambda: _finished(variants)),
            served=served.result() if served else Served(),
            reported=reported.result() if reported else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Starts the jobs of one measuring and tells how far they are."""

    port: Port
    plan: Plan
    pool: ThreadPoolExecutor
    progress: Progress

    def submit(self, name: str, work: Callable[[], _T]) -> Future[_T]:
        return self.pool.submit(self.step, name, work)

    def step(self, name: str, work: Callable[[], _T]) -> _T:
        self.progress(Step(name=name, state=StepState.STARTED))
        try:
            done = work()
        except BaseException:
            self.progress(Step(name=name, state=StepState.FAILED))
            raise
        failed = isinstance(done, Outcome | Served | Reported) and done.failure is not None
        state = StepState.FAILED if failed else StepState.DONE
        self.progress(Step(name=name, state=state))
        return done

    def has(self, kind: GroupKind) -> bool:
        return any(group.kind is kind for group, _ in self.plan.members)

    def score(self, case: Case, model: Path) -> Future[Outcome]:
        content = (case.inputs / self.port.contract.input_file).read_bytes()
        name, reveal = f"score {case.name}", not case.hidden
        return self.submit(name, lambda: self._score(content, model, reveal=reveal))

    def score_again(self, repeated: Future[Outcome]) -> list[Future[Outcome]]:
        if not self.has(GroupKind.REPRODUCIBILITY):
            return []
        return [self.submit("reproducibility", lambda: self._score_again(repeated.result()))]

    def try_variants(self, model: Path) -> list[tuple[robustness.Variant, Future[Outcome]]]:
        if not self.has(GroupKind.ROBUSTNESS):
            return []
        contract = self.port.contract
        content = (self.plan.base.inputs / contract.input_file).read_bytes()
        return [
            (variant, self.pool.submit(self._score, variant.content, model))
            for variant in robustness.variants(content, contract)
        ]

    def serve(self, model: Path, base: Future[Outcome]) -> Future[Served] | None:
        if not self.has(GroupKind.API):
            return None
        return self.submit("api", lambda: _serve(self.port, self.plan, model, base))

    def report(self, model: Path) -> Future[Reported] | None:
        case, table = self.plan.reported, self.plan.table
        if case is None:
            return None
        sandbox, file = self.port.sandbox, self.port.contract.input_file
        inputs = place_file(sandbox, "input", file, (case.inputs / file).read_bytes())
        recorded = (case.expected / table.file).read_bytes()
        expected = place_file(sandbox, "expected", table.file, recorded)
        pictures = picture_names(table)
        return self.submit("report", lambda: self.port.report(model, inputs, expected, pictures))

    def _score(self, content: bytes, model: Path, *, reveal: bool = False) -> Outcome:
        inputs = place_file(self.port.sandbox, "input", self.port.contract.input_file, content)
        return self.port.score(model, inputs, reveal=reveal)

    def _score_again(self, second: Outcome) -> Outcome:
        if second.failure is not None:
            return second
        model = place_file(self.port.sandbox, "model", MODEL_FILE, second.content)
        base = self.plan.base.inputs / self.port.contract.input_file
        return self._score(base.read_bytes(), model)


def _finished(
    variants: list[tuple[robustness.Variant, Future[Outcome]]],
) -> tuple[tuple[robustness.Variant, Outcome], ...]:
    return tuple((variant, future.result()) for variant, future in variants)


def usual_answers(plan: Plan, outcome: Outcome) -> pd.DataFrame | None:
    """Return the port's own answers for the base case, by key; None where there are none."""
    if outcome.failure is not None:
        return None
    recorded = read_recorded(plan.base.expected / plan.table.file, plan.table)
    content = outcome.content
    try:
        return read_output(content, plan.table, recorded, limit_bytes=len(content), reveal=False)
    except OutputError:
        # Judged where the case itself is: here it means that there is nothing to compare with.
        return None


def _serve(port: Port, plan: Plan, model: Path, base: Future[Outcome]) -> Served:
    """Serve the port and the calibration side by side, and ask both in turn."""
    with port.serve(model) as live, _calibration(port) as calibration:
        answers = usual_answers(plan, base.result())
        if answers is None:
            message = "The batch command gives no answers to hold the service against."
            return Served(failure=Failure(cause=Cause.WRONG_VALUE, message=message))
        inputs = read_inputs(plan.base.inputs / port.contract.input_file, plan.table.key)
        sample = service.make_sample(inputs, answers, port.contract, plan.table, BATCH_ROWS)
        try:
            shown = service.judge_service(service.Service(live, PORT), calibration, sample)
        except UnansweredError:
            return Served(failure=_did_not_start(port, live))
    return Served(cases=shown.cases, timings=shown.timings)


def _did_not_start(port: Port, live: LiveJob) -> Failure:
    # What the service printed while importing tells no hidden row: it was never given one.
    failure = why_failed("The service", live.finish(), port.limits, reveal=True)
    if failure is not None and failure.cause is Cause.SANDBOX:
        return failure
    message = failure.message if failure is not None else "The service ended before it was asked."
    return Failure(cause=Cause.CRASH, message=message)


@contextmanager
def _calibration(port: Port) -> Iterator[service.Service]:
    folder = place_file(port.sandbox, "calibration", _CALIBRATION.name, _CALIBRATION.read_bytes())
    application = f"{_CALIBRATION.stem}:make_app"
    job = Job(
        module="uvicorn",
        arguments=("--factory", *server_arguments(application, _CALIBRATION_PORT)),
        mounts=(Binding(host=folder, inside=Path("/calibration")),),
        python_path=("/calibration",),
        limits=live_limits(port.limits),
    )
    with port.sandbox.open(job) as live:
        yield service.Service(live, _CALIBRATION_PORT)
