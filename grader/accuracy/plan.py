"""Which cases a grading looks at. Set by the challenge alone: denominators never move."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from grader.accuracy import robustness, service
from grader.errors import ChallengeError
from grader.model import (
    Case,
    CaseResult,
    Cause,
    Challenge,
    Contract,
    Group,
    GroupKind,
    OutputTable,
    Scope,
    Verdict,
)

TRAIN_TWICE = "reproducibility/train-twice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that one measuring will judge, in the order of the report."""

    table: OutputTable
    base: Case
    """The case that robustness, reproducibility and the service are tried on."""
    scored: tuple[Case, ...]
    """Cases that the batch command answers: those of groups, and the public ones to look at."""
    shown: tuple[Case, ...]
    """Public cases of a full grading that no group names: judged for parity, not scored."""
    members: tuple[tuple[Group, tuple[str, ...]], ...]
    """Each group with the names of its cases."""
    reported: Case | None
    """The public case that the port's own metrics report is asked for; None where nobody asks."""


def make_plan(challenge: Challenge, scope: Scope, *, report: bool = False) -> Plan:
    """Work out what to judge.

    :param report: ask the port for its own metrics report as well
    :raises ChallengeError: a group has no case in this scope, or scoring writes several tables
    """
    table = _only_table(challenge)
    members = tuple((group, _names(group, challenge, scope)) for group in challenge.groups)
    named = {name for group, names in members if group.cases for name in names}
    public = {case.name for case in challenge.cases if not case.hidden}
    base = _base(challenge, members, scope)
    shown = tuple(
        case for case in challenge.cases if case.name in public - named and scope is Scope.FULL
    )
    reported = next((case for case in challenge.cases if report and not case.hidden), None)
    scored = tuple(
        case
        for case in challenge.cases
        if case.name in named | {base.name} or case in (*shown, reported)
    )
    return Plan(
        table=table, base=base, scored=scored, shown=shown, members=members, reported=reported
    )


def all_failed(plan: Plan, message: str, cause: Cause, verdict: Verdict) -> tuple[CaseResult, ...]:
    """Return every case of every group as failed for one reason: none is left out."""
    return tuple(
        CaseResult(
            case=name, group=group.name, verdict=verdict, share=0.0, message=message, cause=cause
        )
        for group, names in plan.members
        for name in names
    )


def cases_like(pattern: str, challenge: Challenge, scope: Scope) -> tuple[Case, ...]:
    """Return the cases of a glob; in a public grading the public ones stand in for the hidden."""
    if scope is Scope.FULL:
        return _matching(pattern, challenge)
    stand_in = pattern.replace("hidden/", "public/", 1)
    return _matching(stand_in, challenge) or _matching("public/*", challenge)


def _matching(pattern: str, challenge: Challenge) -> tuple[Case, ...]:
    return tuple(case for case in challenge.cases if fnmatchcase(case.name, pattern))


def _names(group: Group, challenge: Challenge, scope: Scope) -> tuple[str, ...]:
    made = _made_names(group.kind, challenge.contract)
    if made:
        return made
    names = tuple(case.name for case in cases_like(group.cases, challenge, scope))
    if not names:
        raise ChallengeError(
            "group-without-cases",
            f"Group {group.name!r} of challenge {challenge.slug} has no case for a "
            f"{scope.value} grading.",
            remedy="Grade with --public: this may be the export that teams receive.",
        )
    return names


def _made_names(kind: GroupKind, contract: Contract) -> tuple[str, ...]:
    if kind is GroupKind.ROBUSTNESS:
        return robustness.names(contract)
    if kind is GroupKind.API:
        return service.NAMES
    return (TRAIN_TWICE,) if kind is GroupKind.REPRODUCIBILITY else ()


def _base(
    challenge: Challenge, members: tuple[tuple[Group, tuple[str, ...]], ...], scope: Scope
) -> Case:
    parity = [names for group, names in members if group.kind is GroupKind.PARITY]
    wanted = {name for names in parity for name in names}
    cases = [case for case in challenge.cases if case.name in wanted]
    return (cases or list(cases_like("hidden/*", challenge, scope)))[0]


def _only_table(challenge: Challenge) -> OutputTable:
    if len(challenge.outputs) != 1:
        raise ChallengeError(
            "one-output-table",
            f"Challenge {challenge.slug} declares {len(challenge.outputs)} output tables; scoring "
            "writes one.",
            remedy="Put the columns into one table, or make a challenge of each.",
        )
    return challenge.outputs[0]
