"""Train, score, serve, compare: everything about a port that only running it can show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import pandas as pd

from grader.accuracy import robustness
from grader.accuracy.cases import Judged, failed, judge_parity, judge_training
from grader.accuracy.metrics import judge_report
from grader.accuracy.plan import TRAIN_TWICE, Plan, all_failed, make_plan
from grader.accuracy.port import Outcome, open_port
from grader.accuracy.quality import judge_quality
from grader.accuracy.runs import Runs, run_all, usual_answers
from grader.commands import Failure
from grader.compare import compare_tables, read_output, read_recorded
from grader.errors import ChallengeError, OutputError, SandboxError
from grader.model import (
    Case,
    CaseResult,
    Cause,
    Challenge,
    ColumnParity,
    Group,
    GroupKind,
    Progress,
    QualityLoss,
    ReportRun,
    Scope,
    Segment,
    TrainingRun,
    Verdict,
)
from grader.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """What running a port showed."""

    cases: tuple[CaseResult, ...]
    """By group in the challenge's order; public cases of no group last."""
    columns: tuple[ColumnParity, ...] = ()
    losses: tuple[QualityLoss, ...] = ()
    """Of the quality cases whose metric could be measured."""
    training: TrainingRun | None = None
    """None where nobody asked for it, as the next."""
    report: ReportRun | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    """Median seconds of one request to the service and to the calibration, and their ratio."""


def measure(
    challenge: Challenge,
    site: Path,
    sandbox: Sandbox,
    *,
    scope: Scope,
    report: bool = True,
    progress: Progress,
) -> Accuracy:
    """Run a port on everything that the challenge asks, and judge it.

    :param site: the unpacked wheel, in a folder of the sandbox's own
    :param report: ask the port for its own metrics report as well
    :raises ChallengeError: the challenge's own tables cannot be used
    """
    plan = make_plan(challenge, scope, report=report)
    port = open_port(challenge, plan.table.file, site, sandbox)
    runs = run_all(port, plan, challenge.training, progress)
    if (why := runs.training.failure) is not None:
        cases = all_failed(plan, why.message, why.cause, why.verdict)
        return Accuracy(cases=cases, **_untrained(why))
    bench = _Judge(challenge=challenge, plan=plan, runs=runs)
    judged = [item for group, names in plan.members for item in bench.judge(group, names)]
    judged += [bench.parity(case, None) for case in plan.shown]
    return Accuracy(
        cases=tuple(item.result for item in judged),
        columns=_once(judged),
        losses=tuple(item.loss for item in judged if item.loss is not None),
        training=_compare_trainings(runs),
        report=bench.report() if report else None,
        timings=runs.served.timings,
    )


def not_run(challenge: Challenge, scope: Scope, reason: str) -> Accuracy:
    """Return what a port earns that could not be run: every case fails, and none is left out.

    :param reason: as it follows "Not run: "
    """
    plan = make_plan(challenge, scope)
    message = f"Not run: {reason}."
    why = Failure(cause=Cause.CRASH, message=message)
    return Accuracy(cases=all_failed(plan, message, why.cause, Verdict.FAIL), **_untrained(why))


class _Untrained(TypedDict):
    training: TrainingRun
    report: ReportRun


def _untrained(why: Failure) -> _Untrained:
    """Say of the artefact and of the report why there is none."""
    return _Untrained(
        training=TrainingRun(same=False, problem=why.message),
        report=ReportRun(problem=why.message),
    )


def _compare_trainings(runs: Runs) -> TrainingRun:
    again = runs.retraining or runs.training
    if again.failure is not None:
        _check_ours(again.failure)
        return TrainingRun(same=False, problem=again.failure.message)
    return TrainingRun(same=again.content == runs.training.content)


def _check_ours(failure: Failure) -> None:
    """Stop the grading where the sandbox failed: it says nothing of the port."""
    if failure.cause is Cause.SANDBOX:
        raise SandboxError("sandbox-lost", failure.message, remedy="Grade again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Makes results of what the port did."""

    challenge: Challenge
    plan: Plan
    runs: Runs

    def judge(self, group: Group, names: tuple[str, ...]) -> list[Judged]:
        """Judge the cases of a group."""
        if group.kind is GroupKind.PARITY:
            return [self.parity(case, group) for case in self._cases(names)]
        if group.kind is GroupKind.QUALITY:
            return [self._quality(case, group) for case in self._cases(names)]
        if group.kind is GroupKind.REPRODUCIBILITY:
            return [Judged(result=self._training(group))]
        if group.kind is GroupKind.ROBUSTNESS:
            return [Judged(result=result) for result in self._robustness(group)]
        return [Judged(result=result) for result in self._service(group, names)]

    def parity(self, case: Case, group: Group | None) -> Judged:
        """Judge a case against the recorded table; without a group it is shown, not scored."""
        segments = group.segments if group else self._all_segments()
        return judge_parity(
            case,
            group.name if group else "",
            self.runs.scores[case.name],
            contract=self.challenge.contract,
            table=self.plan.table,
            segments=segments,
            limit_bytes=self._limit(),
        )

    def _quality(self, case: Case, group: Group) -> Judged:
        outcome = self.runs.scores[case.name]
        if outcome.failure is not None:
            return Judged(result=failed(case.name, group.name, outcome))
        if group.quality is None:
            raise ChallengeError(
                "quality-missing",
                f"Group {group.name!r} of challenge {self.challenge.slug} does not say how quality "
                "is measured.",
                remedy="Give it quality = { metric, prediction, label, margin }.",
            )
        judged = judge_quality(
            case,
            group.name,
            self.plan.table,
            outcome.content,
            group.quality,
            limit_bytes=self._limit(),
        )
        used = outcome.result
        timed = replace(judged.result, seconds=used.seconds, memory_mb=used.memory_mb)
        return replace(judged, result=timed)

    def _training(self, group: Group) -> CaseResult:
        first, (second,) = self._base(), self.runs.again
        recorded = read_recorded(self.plan.base.expected / self.plan.table.file, self.plan.table)
        return judge_training(first, second, group.name, TRAIN_TWICE, recorded, self.plan.table)

    def _robustness(self, group: Group) -> list[CaseResult]:
        usual = usual_answers(self.plan, self._base())
        if usual is None:
            message = "The unchanged table has no answers to hold these against."
            why = failed("", group.name, self._base(), Cause.WRONG_VALUE, message)
            return [replace(why, case=variant.name) for variant, _ in self.runs.variants]
        by_key = usual.set_index(list(self.plan.table.key), drop=False)
        results = []
        for variant, outcome in self.runs.variants:
            wanted = variant.keys.set_index(list(variant.keys.columns)).index
            own = by_key.loc[wanted].reset_index(drop=True)
            results.append(
                robustness.judge_variant(variant, outcome, own, group.name, self.plan.table)
            )
        return results

    def _service(self, group: Group, names: tuple[str, ...]) -> list[CaseResult]:
        served = self.runs.served
        if served.failure is None:
            return [replace(result, group=group.name) for result in served.cases]
        return [
            CaseResult(
                case=name,
                group=group.name,
                verdict=served.failure.verdict,
                share=0.0,
                message=served.failure.message,
                cause=served.failure.cause,
            )
            for name in names
        ]

    def report(self) -> ReportRun:
        """Hold the port's own metrics report against what was measured."""
        reported, case = self.runs.reported, self.plan.reported
        if reported is None or case is None:
            return ReportRun(asked=False)
        if reported.failure is not None:
            _check_ours(reported.failure)
        table = self.plan.table
        recorded = read_recorded(case.expected / table.file, table)
        answers = self._answers(case, recorded)
        columns = () if answers is None else compare_tables(recorded, answers, table, {})
        return judge_report(reported, columns, len(recorded), self.challenge.training)

    def _answers(self, case: Case, recorded: pd.DataFrame) -> pd.DataFrame | None:
        outcome = self.runs.scores[case.name]
        if outcome.failure is not None:
            return None
        try:
            return read_output(
                outcome.content, self.plan.table, recorded, limit_bytes=self._limit()
            )
        except OutputError:
            # Judged where the case itself is: here it means that no figure can be true.
            return None

    def _base(self) -> Outcome:
        return self.runs.scores[self.plan.base.name]

    def _cases(self, names: tuple[str, ...]) -> list[Case]:
        return [case for case in self.challenge.cases if case.name in names]

    def _limit(self) -> int:
        return self.challenge.limits.output_mb * 2**20

    def _all_segments(self) -> tuple[Segment, ...]:
        """Return the segments of all parity groups, each once."""
        return tuple(
            {
                segment.name: segment
                for group in self.challenge.groups
                if group.kind is GroupKind.PARITY
                for segment in group.segments
            }.values()
        )


def _once(judged: Iterable[Judged]) -> tuple[ColumnParity, ...]:
    """Return the figures of each case's columns once, even where two groups name the case."""
    columns = {(column.case, column.column): column for item in judged for column in item.columns}
    return tuple(columns.values())
