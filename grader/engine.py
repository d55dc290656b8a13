"""One submission in, one report out: the table of contents of the project.

::

    checkout → wheel → train → score the cases ∥ live API ∥ tests → mutants ∥ CI → judge → score
             ↘ standards, read off the tree ───────────────────────────────────↗

Nothing calls back; the progress callback is the only thing that flows out early.
"""

from __future__ import annotations

import importlib.metadata
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from grader import accuracy, dynamic, environment, package, standards
from grader import scoring as points
from grader.checkout import check_out
from grader.model import (
    Challenge,
    Checkout,
    CiRun,
    Environment,
    Finding,
    MutantRun,
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
from grader.wanted import Wanted, want

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


_UNTRIED = MutantRun(
    mutants=(),
    sites=0,
    decoys_green=True,
    message="No mutant was tried, because the wheel does not build.",
)
_NOT_STARTED = CiRun(steps=(), canary_red=None, message="the wheel does not build")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dock:
    """What gradings run on: one environment and one sandbox, for as many as come along."""

    environment: Environment
    sandbox: Sandbox
    shell: Path
    """A shell for the submissions' own CI, in a folder of the sandbox's."""


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
        yield Dock(environment=pinned, sandbox=sandbox, shell=dynamic.place_shell(sandbox))


def grade(  # noqa: PLR0913 - one submission, and what each caller may say of it
    source: str,
    challenge: Challenge,
    dock: Dock,
    workspace: Path,
    *,
    scope: Scope = Scope.FULL,
    working_tree: bool = False,
    waivers: Sequence[Waiver] = (),
    only: Collection[str] = (),
    progress: Progress = lambda _: None,
) -> Report:
    """Grade one submission.

    :param source: a directory, an archive, a repository or a URL, as ``checkout`` takes it
    :param workspace: an empty folder; the submission's files are found in its ``tree`` afterwards
    :param working_tree: grade the files as they lie, not the last commit
    :param waivers: the granted ones that are in force
    :param only: codes, families and groups to look at alone; the report is then a partial one
    :raises SourceError: the source cannot become a tree
    :raises UsageError: ``only`` names what the challenge does not look at
    """
    wanted = want(challenge, only)
    clock = _Clock(progress)
    with clock.step("checkout"):
        given = package.given_lines(challenge)
        checkout = check_out(source, workspace, working_tree=working_tree, given=given)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="standards") as pool:
        inspection = pool.submit(_inspect, checkout, challenge, dock, wanted, clock)
        run = _Run(
            checkout=checkout,
            challenge=challenge,
            dock=dock,
            scope=scope,
            clock=clock,
            inspection=inspection,
        )
        observed, measured = run.all(wanted)
        evidence = inspection.result()
    findings = _judge(evidence, observed, wanted, challenge, waivers)
    seen = _Seen(findings=findings, measured=measured, wanted=wanted)
    notes = (*checkout.notes, *standards.unusable_waivers(evidence, points.gates(challenge)))
    return _report(replace(checkout, notes=notes), challenge, dock, scope, seen, clock.seconds)


def _inspect(
    checkout: Checkout, challenge: Challenge, dock: Dock, wanted: Wanted, clock: _Clock
) -> standards.Evidence:
    with clock.step("standards"):
        return standards.inspect(
            checkout,
            challenge.contract,
            public_files=package.public_digests(challenge),
            environment_packages=frozenset(dock.environment.packages),
            codes=wanted.codes,
        )


def _judge(
    evidence: standards.Evidence,
    observed: Observed,
    wanted: Wanted,
    challenge: Challenge,
    waivers: Sequence[Waiver],
) -> tuple[Finding, ...]:
    granted = [waiver for waiver in waivers if waiver.code not in points.gates(challenge)]
    found = standards.judge(evidence, observed, wanted.codes, waivers=granted)
    return points.apply_waivers(challenge, found, granted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Everything that runs a team's code, in the sandbox."""

    checkout: Checkout
    challenge: Challenge
    dock: Dock
    scope: Scope
    clock: _Clock
    inspection: Future[standards.Evidence]
    """What is read off the tree meanwhile."""

    def all(self, wanted: Wanted) -> tuple[Observed, accuracy.Accuracy]:
        """Build the wheel and try what is wanted of it."""
        if not wanted.runs:
            return Observed(), accuracy.Accuracy(cases=())
        wheel, site = self.wheel()
        observed = Observed(wheel=wheel)
        if site is None:
            return self.unbuilt(observed, wanted)
        # The port is measured beside its tests alone: what comes after would make it wait.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="tests") as pool:
            testing = pool.submit(self.tests, site) if wanted.tests else None
            measured = self.measure(wanted, site)
            observed = replace(
                observed,
                tests=testing.result() if testing else None,
                training=measured.training,
                report=measured.report,
            )
        return self.later(observed, wanted, site), measured

    def wheel(self) -> tuple[WheelBuild, Path | None]:
        with self.clock.step("wheel"):
            return dynamic.build_wheel(
                self.checkout, self.dock.sandbox, self.challenge.limits, self.dock.environment
            )

    def unbuilt(self, observed: Observed, wanted: Wanted) -> tuple[Observed, accuracy.Accuracy]:
        """Say of everything else that it cannot be run."""
        challenge = wanted.part_of(self.challenge)
        measured = accuracy.not_run(challenge, self.scope, "the wheel does not build")
        observed = replace(
            observed,
            tests=_UNTESTED,
            mutants=_UNTRIED,
            ci=_NOT_STARTED,
            training=measured.training,
            report=measured.report,
        )
        return observed, measured

    def tests(self, site: Path) -> TestRun:
        with self.clock.step("tests"):
            return dynamic.run_tests(
                self.checkout,
                site,
                self.dock.sandbox,
                self.challenge.limits,
                self.challenge.contract.package,
            )

    def measure(self, wanted: Wanted, site: Path) -> accuracy.Accuracy:
        if not wanted.measures:
            return accuracy.Accuracy(cases=())
        return accuracy.measure(
            wanted.part_of(self.challenge),
            site,
            self.dock.sandbox,
            scope=self.scope,
            report="report" in wanted.needs,
            progress=self.clock.report,
        )

    def later(self, observed: Observed, wanted: Wanted, site: Path) -> Observed:
        """Try mutants of the package and, side by side, the submission's own CI."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="ci") as pool:
            ci = pool.submit(self.ci, site) if "ci" in wanted.needs else None
            tests = observed.tests
            mutants = self.mutants(site, tests) if tests and "mutants" in wanted.needs else None
            return replace(observed, mutants=mutants, ci=ci.result() if ci else None)

    def mutants(self, site: Path, tests: TestRun) -> MutantRun:
        with self.clock.step("mutants"):
            return dynamic.run_mutants(
                self.checkout,
                site,
                self.dock.sandbox,
                self.challenge.limits,
                self.challenge.contract.package,
                tests,
            )

    def ci(self, site: Path) -> CiRun:
        plan = standards.plan_ci(self.inspection.result().project)
        with self.clock.step("ci"):
            return dynamic.run_ci(
                self.checkout,
                plan,
                site,
                self.dock.sandbox,
                self.challenge.limits,
                self.dock.shell,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """All that a report is made of."""

    findings: tuple[Finding, ...]
    measured: accuracy.Accuracy
    wanted: Wanted


def _report(
    checkout: Checkout,
    challenge: Challenge,
    dock: Dock,
    scope: Scope,
    seen: _Seen,
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
        left_out=_left_out(scope, seen.wanted),
        notes=checkout.notes,
        findings=seen.findings,
        cases=seen.measured.cases,
        columns=seen.measured.columns,
        scores=points.score(
            challenge,
            standards.all_checks(),
            seen.findings,
            seen.measured.cases,
            partial=seen.wanted.partial,
        ),
        timings=dict(sorted({**seen.measured.timings, **seconds}.items())),
        losses=seen.measured.losses,
        data_digest=package.data_digest(challenge.root),
        rubric_digest=standards.rubric_digest(challenge),
    )


def _left_out(scope: Scope, wanted: Wanted) -> tuple[str, ...]:
    if wanted.partial:
        return (f"Everything but {', '.join(wanted.names)}.",)
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
