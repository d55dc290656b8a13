"""One submission in, one report out: the table of contents of the project.

::

    checkout → wheel → train → score the cases ∥ live API ∥ the team's own tests → compare → score
             ↘ standards, read off the tree ↗

Nothing calls back; the progress callback is the only thing that flows out early.
"""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import accuracy, dynamic, environment, package, standards
from grader import scoring as points
from grader.checkout import check_out
from grader.model import (
    Challenge,
    Checkout,
    Environment,
    Finding,
    Observed,
    Progress,
    Report,
    Scope,
    Step,
    StepState,
    TestRun,
    Waiver,
    WheelBuild,
)
from grader.sandbox import Sandbox, open_sandbox

VERSION = importlib.metadata.version("drydock")

_UNTESTED = TestRun(
    ran=0,
    passed=0,
    failed=0,
    green=False,
    canary_green=False,
    coverage=None,
    message="The tests were not run, because the wheel does not build.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dock:
    """What gradings run on: one environment and one sandbox, for as many as come along."""

    environment: Environment
    sandbox: Sandbox


@contextmanager
def open_dock(name: str = "standard", *, unsafe: bool = False, warm: bool = True) -> Iterator[Dock]:
    """Make ready what gradings run on, and clear it away in the end.

    :param name: the environment
    :param unsafe: run submitted code without a sandbox; every report says so
    :param warm: fork jobs from a process that has the packages imported already
    :raises SandboxError: no sandbox can be held on this machine, and ``unsafe`` was not asked for
    """
    pinned = environment.load(name)
    with open_sandbox(pinned, unsafe=unsafe, warm=warm) as sandbox:
        yield Dock(environment=pinned, sandbox=sandbox)


def grade(
    source: str,
    challenge: Challenge,
    dock: Dock,
    workspace: Path,
    *,
    scope: Scope = Scope.FULL,
    working_tree: bool = False,
    waivers: Sequence[Waiver] = (),
    progress: Progress = lambda _: None,
) -> Report:
    """Grade one submission.

    :param source: a directory, an archive, a repository or a URL, as ``checkout`` takes it
    :param workspace: an empty folder; the submission's files are found in its ``tree`` afterwards
    :param working_tree: grade the files as they lie, not the last commit
    :param waivers: the granted ones that are in force
    :raises SourceError: the source cannot become a tree
    """
    clock = _Clock(progress)
    with clock.step("checkout"):
        checkout = check_out(source, workspace, working_tree=working_tree)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="standards") as pool:
        inspection = pool.submit(_inspect, checkout, challenge, dock, clock)
        wheel, tests, measured = _run(checkout, challenge, dock, scope, clock)
        evidence = inspection.result()
    found = standards.judge(evidence, Observed(wheel=wheel, tests=tests), _families(challenge))
    findings = points.apply_waivers(challenge, found, waivers)
    return _report(checkout, challenge, dock, scope, findings, measured, clock.seconds)


def _families(challenge: Challenge) -> frozenset[str]:
    return frozenset(standard.family for standard in challenge.standards)


def _inspect(
    checkout: Checkout, challenge: Challenge, dock: Dock, clock: _Clock
) -> standards.Evidence:
    with clock.step("standards"):
        return standards.inspect(
            checkout,
            challenge.contract,
            public_files=package.public_digests(challenge),
            environment_packages=frozenset(dock.environment.packages),
        )


def _run(
    checkout: Checkout, challenge: Challenge, dock: Dock, scope: Scope, clock: _Clock
) -> tuple[WheelBuild, TestRun, accuracy.Accuracy]:
    """Build the submission's wheel, then run its tests and measure it, side by side."""
    with clock.step("wheel"):
        wheel, site = dynamic.build_wheel(
            checkout, dock.sandbox, challenge.limits, dock.environment
        )
    if site is None:
        return wheel, _UNTESTED, accuracy.not_run(challenge, scope, "the wheel does not build")
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="tests") as pool:
        testing = pool.submit(_test, checkout, site, challenge, dock, clock)
        measured = accuracy.measure(
            challenge, site, dock.sandbox, scope=scope, progress=clock.report
        )
        return wheel, testing.result(), measured


def _test(
    checkout: Checkout, site: Path, challenge: Challenge, dock: Dock, clock: _Clock
) -> TestRun:
    with clock.step("tests"):
        return dynamic.run_tests(
            checkout, site, dock.sandbox, challenge.limits, challenge.contract.package
        )


def _report(
    checkout: Checkout,
    challenge: Challenge,
    dock: Dock,
    scope: Scope,
    findings: Sequence[Finding],
    measured: accuracy.Accuracy,
    seconds: Mapping[str, float],
) -> Report:
    return Report(
        challenge_slug=challenge.slug,
        challenge_title=challenge.title,
        challenge_version=challenge.version,
        challenge_digest=challenge.digest,
        source=checkout.source,
        commit=checkout.commit,
        tree_digest=checkout.tree_digest,
        grader_version=VERSION,
        environment_digest=dock.environment.digest,
        sandbox=dock.sandbox.level,
        scope=scope,
        left_out=_left_out(scope),
        notes=checkout.notes,
        findings=tuple(findings),
        cases=measured.cases,
        columns=measured.columns,
        scores=points.score(challenge, standards.all_checks(), findings, measured.cases),
        timings=dict(sorted({**measured.timings, **seconds}.items())),
    )


def _left_out(scope: Scope) -> tuple[str, ...]:
    if scope is Scope.FULL:
        return ()
    return (
        "Hidden cases: the public cases stand in for them, so these points are an estimate.",
        "The hidden trap segments, in which ports of this model tend to go wrong.",
    )


class _Clock:
    """Tells the progress of steps, and remembers how long each took. Steps run side by side."""

    def __init__(self, progress: Progress, now: Callable[[], float] = time.perf_counter) -> None:
        self._progress = progress
        self._now = now
        self._started: dict[str, float] = {}
        self._lock = threading.Lock()
        self.seconds: dict[str, float] = {}

    def report(self, step: Step) -> None:
        with self._lock:
            if step.state is StepState.STARTED:
                self._started[step.name] = self._now()
            else:
                began = self._started.get(step.name, self._now())
                self.seconds[step.name] = self._now() - began
            self._progress(step)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.report(Step(name=name, state=StepState.STARTED))
        try:
            yield
        except BaseException:
            self.report(Step(name=name, state=StepState.FAILED))
            raise
        self.report(Step(name=name, state=StepState.DONE))
