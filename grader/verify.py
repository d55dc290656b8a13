"""A challenge held against its own reference submissions, before anyone is graded by it.

Right ports must pass and wrong ones fail for the reason named; nothing hidden may reach a team;
the recorded outputs must be what the legacy engine gives; and grading the same reference again
must give the same report.
"""

from __future__ import annotations

import fnmatch
import hashlib
import math
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from grader import compare, legacy, package, references, standards
from grader.engine import Dock, grade
from grader.model import (
    Case,
    Challenge,
    Column,
    GroupKind,
    Outcome,
    OutputTable,
    Progress,
    Report,
    Step,
    StepState,
    Verdict,
)
from grader.references import Reference

PARITY_MARGIN = 10.0
"""Points of parity, of 100, that a wrong port must lose against the worst accepted one."""

AT_ONCE = min(3, os.cpu_count() or 1)
"""References graded side by side: those that sleep or wait leave the processors to others."""

SPARE_TIME = 2.0
"""How many times the slowest accepted reference must fit into the wall limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was proven, or not."""

    what: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceResult:
    """What grading a reference showed, against what was expected of it."""

    reference: Reference
    outcome: Outcome
    total: int | None
    parity: float | None
    """0..100."""
    slowest_seconds: float
    """Of its cases."""
    seconds: float
    """Of one whole grading."""
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether it landed where it was expected."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All that verifying a challenge showed."""

    proofs: tuple[Proof, ...]
    references: tuple[ReferenceResult, ...]

    @property
    def ok(self) -> bool:
        """Whether the challenge is proven."""
        return all(proof.ok for proof in self.proofs) and all(item.ok for item in self.references)


def verify(
    challenge: Challenge,
    dock: Dock,
    *,
    runs: int = 3,
    only: str = "*",
    legacy_engine: bool = True,
    progress: Progress = lambda _: None,
) -> Verification:
    """Prove a challenge by its package and its references.

    :param runs: how often each reference is graded
    :param only: a glob over the references' names; fewer references prove less
    :param legacy_engine: run it where it is installed; it runs without a sandbox
    """
    proofs = [*prove_package(challenge, legacy_engine=legacy_engine)]
    chosen = [
        item for item in references.list_references(challenge) if fnmatch.fnmatch(item.name, only)
    ]

    def check(reference: Reference) -> ReferenceResult:
        progress(Step(name=reference.name, state=StepState.STARTED))
        result = grade_reference(reference, challenge, dock, runs=runs)
        state = StepState.DONE if result.ok else StepState.FAILED
        progress(Step(name=reference.name, state=state, detail="; ".join(result.problems)))
        return result

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="verify") as pool:
        results = list(pool.map(check, chosen))
    proofs += prove_spread(challenge, results)
    return Verification(proofs=tuple(proofs), references=tuple(results))


# ------------------------------------------------------------------------------ the package


def prove_package(challenge: Challenge, *, legacy_engine: bool = True) -> Iterator[Proof]:
    """Prove what needs no submission: the data, the export, the record, the tolerances."""
    yield _prove_data(challenge)
    yield _prove_disjoint(challenge)
    yield _prove_export(challenge)
    yield _prove_record(challenge, run=legacy_engine)
    yield _prove_tolerances(challenge)
    yield _prove_rubric(challenge)
    yield _prove_gates(challenge)
    points = sum(item.points for item in challenge.standards)
    points += sum(item.points for item in challenge.groups)
    yield Proof(what="points sum to 1000", ok=points == 1000, detail=str(points))  # noqa: PLR2004


def _prove_data(challenge: Challenge) -> Proof:
    package.check_data(challenge)
    rows = sum(len(_inputs(challenge, case)) for case in challenge.cases)
    detail = f"{len(challenge.cases)} cases, {rows} rows"
    return Proof(what="tables follow the schema", ok=True, detail=detail)


def _prove_disjoint(challenge: Challenge) -> Proof:
    """Prove that no hidden row can be known from a public one.

    Rows may be alike in all but their keys, as people of one age are; how many are is told.
    """
    key = list(challenge.contract.key)
    hidden, public = _rows(challenge, key, hidden=True), _rows(challenge, key, hidden=False)
    shared = {row.key for row in hidden} & {row.key for row in public}
    known = {row.rest for row in public}
    alike = sum(row.rest in known for row in hidden)
    return Proof(
        what="public and hidden are disjoint",
        ok=not shared and bool(hidden),
        detail=f"{len(hidden)} hidden rows, {len(shared)} keys of them public; {alike} rows are "
        "like a public one in all but the key",
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of inputs, taken apart."""

    key: tuple[str, ...]
    rest: tuple[str, ...]


def _rows(challenge: Challenge, key: list[str], *, hidden: bool) -> list[_Row]:
    tables = [
        _inputs(challenge, case).astype(str) for case in challenge.cases if case.hidden is hidden
    ]
    return [
        _Row(own, rest)
        for table in tables
        for own, rest in zip(
            table[key].itertuples(index=False, name=None),
            table.drop(columns=key).itertuples(index=False, name=None),
            strict=True,
        )
    ]


def _prove_export(challenge: Challenge) -> Proof:
    """Prove that no hidden file and no hidden line of data is in what teams receive."""
    hidden = [path for path in (challenge.root / "cases" / "hidden").rglob("*") if path.is_file()]
    digests = {hashlib.sha256(path.read_bytes()).digest() for path in hidden}
    lines = {line for path in hidden for line in path.read_bytes().splitlines()[1:]}
    with tempfile.TemporaryDirectory(prefix="drydock-export-") as folder:
        target = Path(folder) / "export"
        exported = [target / path for path in package.export_public(challenge, target)]
        leaks = [
            path.name
            for path in exported
            if hashlib.sha256(path.read_bytes()).digest() in digests
            or lines.intersection(path.read_bytes().splitlines())
        ]
    detail = f"{len(exported)} files exported" if not leaks else f"leaks in {', '.join(leaks)}"
    return Proof(what="nothing hidden is exported", ok=not leaks, detail=detail)


def _prove_record(challenge: Challenge, *, run: bool) -> Proof:
    found = legacy.compare(challenge, run=run)
    what = "the legacy engine reproduces" if found.ran else "recorded digests hold"
    return Proof(what=what, ok=found.ok, detail="; ".join(found.lines))


def _prove_rubric(challenge: Challenge) -> Proof:
    """Prove that each family and gate that points are given to is one that is looked at."""
    known = {check.code: check.family for check in standards.all_checks()}
    wrong = [item.family for item in challenge.standards if item.family not in known.values()]
    wrong += [
        code for item in challenge.standards for code in item.gate if known.get(code) != item.family
    ]
    detail = f"no such family, or gate of it: {', '.join(wrong)}" if wrong else "all are known"
    return Proof(what="families and gates exist", ok=not wrong, detail=detail)


def _prove_gates(challenge: Challenge) -> Proof:
    """Prove that each gate is seen to close: some reference is rejected that fails it."""
    gates = {code for item in challenge.standards for code in item.gate}
    closed = {
        code
        for reference in references.list_references(challenge)
        if reference.outcome is Outcome.REJECTED
        for code in reference.findings
    }
    unseen = sorted(gates - closed)
    detail = f"no reference fails {', '.join(unseen)}" if unseen else f"{len(gates)} gates"
    return Proof(what="each gate closes", ok=not unseen, detail=detail)


def _prove_tolerances(challenge: Challenge) -> Proof:
    """Prove that an answer off by ten times the tolerance loses, in each column of each case."""
    kept = [
        f"{case.name} {column.name}"
        for case in challenge.cases
        for table in challenge.outputs
        for column in table.columns
        if _parity_when_off(case, table, column) >= 100.0  # noqa: PLR2004 - of 100
    ]
    detail = "each column loses" if not kept else f"no loss in {', '.join(kept)}"
    return Proof(what="ten times the tolerance loses", ok=not kept, detail=detail)


def _parity_when_off(case: Case, table: OutputTable, column: Column) -> float:
    recorded = compare.read_recorded(case.expected / table.file, table)[column.name].to_numpy()
    if column.exact:
        off = np.array([f"{value}?" for value in recorded], dtype=object)
    else:
        off = recorded + 10 * (column.absolute + column.relative * np.abs(recorded))
    return compare.compare_column(recorded, off, column, {}).score


def _inputs(challenge: Challenge, case: Case) -> pd.DataFrame:
    return pd.read_csv(case.inputs / challenge.contract.input_file)


# ------------------------------------------------------------------------------ the references


def grade_reference(
    reference: Reference, challenge: Challenge, dock: Dock, *, runs: int = 1
) -> ReferenceResult:
    """Grade a reference as a team's submission would be, and hold it against its expectation.

    One that expects no total is graded on what it speaks of: the checks that it expects to fail,
    and its answers. Where it expects a parity, and no case to fail, the parity groups are enough.
    """
    reports = []
    only = () if reference.whole else (*_asked(reference, challenge), *reference.findings)
    with tempfile.TemporaryDirectory(prefix="drydock-reference-") as folder:
        source = references.build(reference, challenge, Path(folder) / "port")
        began = time.perf_counter()
        for run in range(runs):
            workspace = Path(folder) / f"run-{run}"
            workspace.mkdir()
            reports.append(grade(str(source), challenge, dock, workspace, only=only))
        seconds = (time.perf_counter() - began) / runs
    first = reports[0]
    problems = [*_unexpected(reference, challenge, first)]
    if any(steady(report) != steady(first) for report in reports[1:]):
        problems.append(f"{runs} runs gave different reports")
    return ReferenceResult(
        reference=reference,
        outcome=_outcome(first),
        total=first.scores.total,
        parity=parity(challenge, first),
        slowest_seconds=max((case.seconds for case in first.cases), default=0.0),
        seconds=seconds,
        problems=tuple(problems),
    )


def _asked(reference: Reference, challenge: Challenge) -> Iterator[str]:
    enough = reference.parity is not None and not reference.cases
    return (
        group.name for group in challenge.groups if group.kind is GroupKind.PARITY or not enough
    )


def _outcome(report: Report) -> Outcome:
    """Return what a report comes to; a partial one is rejected where it holds a reason for that."""
    scores = report.scores
    if scores.outcome is Outcome.PARTIAL and scores.reasons:
        return Outcome.REJECTED
    return scores.outcome


def steady(report: Report) -> Report:
    """Return a report without what may differ from run to run: times and memory."""
    cases = tuple(replace(case, seconds=0.0, memory_mb=0.0) for case in report.cases)
    return replace(report, cases=cases, timings={})


def parity(challenge: Challenge, report: Report) -> float | None:
    """Return the mean parity of a report's scored cases, 0..100; None where none was scored."""
    groups = {group.name for group in challenge.groups if group.kind is GroupKind.PARITY}
    shares = [case.share for case in report.cases if case.group in groups]
    return 100 * math.fsum(shares) / len(shares) if shares else None


def _unexpected(reference: Reference, challenge: Challenge, report: Report) -> Iterator[str]:
    scores = report.scores
    if (outcome := _outcome(report)) is not reference.outcome:
        yield f"{outcome}, not {reference.outcome}: {'; '.join(scores.reasons)[:300]}"
    low, high = reference.total
    if scores.total is not None and not low <= scores.total <= high:
        yield f"total {scores.total} is not within {low} to {high}"
    yield from _off_parity(reference, parity(challenge, report))
    causes = {str(case.cause) for case in report.cases if case.cause}
    if reference.cause and reference.cause not in causes:
        yield f"no case shows {reference.cause!r}, only {sorted(causes)}"
    failed = {item.code for item in report.findings if item.verdict is Verdict.FAIL}
    if missing := sorted(set(reference.findings) - failed):
        yield f"{', '.join(missing)} did not fail"
    wrong = {case.case for case in report.cases if case.verdict is Verdict.FAIL}
    if missing := sorted(set(reference.cases) - wrong):
        yield f"case {', '.join(missing)} did not fail"


def _off_parity(reference: Reference, measured: float | None) -> Iterator[str]:
    if reference.parity is None:
        return
    low, high = reference.parity
    if measured is None or not low <= measured <= high:
        yield f"parity {measured} is not within {low} to {high}"


def prove_spread(challenge: Challenge, results: Sequence[ReferenceResult]) -> Iterator[Proof]:
    """Prove what only the references together show: enough time, and enough distance."""
    accepted = [item for item in results if item.reference.kind == "accepted"]
    if not accepted:
        return
    slowest = max(item.slowest_seconds for item in accepted)
    yield Proof(
        what="there is time to spare",
        ok=slowest * SPARE_TIME <= challenge.limits.wall_seconds,
        detail=f"the slowest accepted step takes {slowest:.1f} s of "
        f"{challenge.limits.wall_seconds:g}",
    )
    least = min(item.parity or 0.0 for item in accepted)
    close = [
        f"{item.reference.name} ({item.parity:.1f})"
        for item in results
        if item.reference.kind == "wrong_value"
        and item.parity is not None
        and item.parity > least - PARITY_MARGIN
    ]
    yield Proof(
        what=f"wrong ports lose {PARITY_MARGIN:g} parity points",
        ok=not close,
        detail=f"accepted ports have {least:.1f}"
        + (f"; too close: {', '.join(close)}" if close else ""),
    )
