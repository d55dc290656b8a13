"""What a rule is: a check, and beside it the function that judges it.

A rule's function looks at evidence and answers with a `Judgement`; `Rule.find` turns that into a
`Finding`. Which tools a rule leans on stands at the rule: where one of them failed, the finding is
an error of ours, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TypeVar

from grader.model import Check, Finding, Observed, Verdict, Where
from grader.standards.evidence import Evidence
from grader.standards.scales import Scale
from grader.standards.waivers import asked_for

PASS_SHARE = 0.999
"""Least share that counts as passed; below it the check fails and keeps its partial credit."""

LEAST_SOURCE_LINES = 20
"""Fewer lines of code than this are nothing to judge: they fail rather than pass on nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a rule's function says."""

    share: float
    """Credit, 0..1; what lies outside is cut off."""
    message: str
    """The evidence, in one sentence."""
    where: Where | None = None
    fix: str = ""
    """The check's fix made concrete; empty where the check says it well enough."""
    verifiable: bool = True
    """False where it can't be told here, which is nobody's fault; the share then says nothing."""


_Seen = TypeVar("_Seen")
_Judge = Callable[[Evidence, Observed], Judgement | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A check and how it is judged."""

    check: Check
    tools: tuple[str, ...]
    judge: _Judge
    """Answers None where what the rule needs was not looked at in this run."""
    scales: tuple[Scale, ...] = ()
    """By which degrees of quality become credit."""

    def find(self, evidence: Evidence, observed: Observed) -> Finding:
        """Judge the evidence.

        :returns: a finding; its verdict is an error where a tool failed or the check broke, skipped
            where the run did not look, and otherwise pass or fail by the share
        """
        failed = [tool for tool in self.tools if tool in evidence.linters.failures]
        if failed:
            reason = evidence.linters.failures[failed[0]]
            return self._finding(Verdict.ERROR, 0.0, f"Our tool {failed[0]} failed: {reason}.")
        try:
            judgement = self.judge(evidence, observed)
        except Exception as error:  # noqa: BLE001 - told as our error
            message = f"This check of ours broke ({type(error).__name__})."
            return self._finding(Verdict.ERROR, 0.0, message)
        if judgement is None:
            return self._finding(Verdict.SKIPPED, 0.0, "Not looked at in this run.")
        if not judgement.verifiable:
            return self._finding(
                Verdict.NEUTRAL, 0.0, judgement.message, where=judgement.where, fix=judgement.fix
            )
        share = round(min(1.0, max(0.0, judgement.share)), 4)
        if share >= PASS_SHARE:
            return self._finding(Verdict.PASS, 1.0, judgement.message)
        return self._finding(
            Verdict.FAIL,
            share,
            judgement.message,
            fix=judgement.fix or self.check.fix,
            where=judgement.where,
            waiver=asked_for(self.check.code, evidence.project.waivers),
        )

    def find_beside(
        self, evidence: Evidence, observed: Observed, excused: Mapping[str, str]
    ) -> Finding:
        """Judge the evidence where a leader granted that some paths deviate.

        :param excused: reason by file or folder
        :returns: what was found of all of it, as waived if nothing else is wrong; otherwise what is
            wrong beside the paths that are excused
        """
        found = self.find(evidence, observed)
        if found.verdict is not Verdict.FAIL or not excused:
            return found
        rest = self.find(evidence.without(excused), observed)
        reasons = "; ".join(f"{reason} ({path})" for path, reason in sorted(excused.items()))
        if rest.verdict is Verdict.PASS:
            return replace(found, verdict=Verdict.WAIVED, share=1.0, waiver=reasons)
        return replace(rest, message=f"Beside what is waived: {rest.message}")

    def _finding(
        self,
        verdict: Verdict,
        share: float,
        message: str,
        *,
        fix: str = "",
        where: Where | None = None,
        waiver: str | None = None,
    ) -> Finding:
        return Finding(
            code=self.check.code,
            family=self.check.family,
            verdict=verdict,
            share=share,
            message=message,
            fix=fix,
            where=where,
            waiver=waiver,
        )


def rule(
    check: Check,
    *,
    tools: Sequence[str] = (),
    needs_source: bool = False,
    scales: Sequence[Scale] = (),
) -> Callable[[Callable[[Evidence], Judgement]], Rule]:
    """Make a rule of a function that looks at the tree and its history.

    :param tools: names of the tools whose failure makes the finding an error of ours
    :param needs_source: fail outright where there is next to no source code
    :param scales: those that the function grades by
    """

    def decorate(function: Callable[[Evidence], Judgement]) -> Rule:
        def judge(evidence: Evidence, _: Observed) -> Judgement:
            if needs_source and evidence.project.code_lines < LEAST_SOURCE_LINES:
                return Judgement(share=0.0, message="There is next to no Python source to judge.")
            return function(evidence)

        return Rule(check=check, tools=tuple(tools), judge=judge, scales=tuple(scales))

    return decorate


def seen_rule(
    check: Check, see: Callable[[Observed], _Seen | None], *, scales: Sequence[Scale] = ()
) -> Callable[[Callable[[Evidence, _Seen], Judgement]], Rule]:
    """Make a rule of a function that looks at what running the submission showed.

    :param see: takes what it needs from what was observed
    """

    def decorate(function: Callable[[Evidence, _Seen], Judgement]) -> Rule:
        def judge(evidence: Evidence, observed: Observed) -> Judgement | None:
            seen = see(observed)
            return None if seen is None else function(evidence, seen)

        return Rule(check=check, tools=(), judge=judge, scales=tuple(scales))

    return decorate


def rules_of(module: ModuleType) -> tuple[Rule, ...]:
    """Give the rules that a family's module defines, by code."""
    rules = [item for item in vars(module).values() if isinstance(item, Rule)]
    return tuple(sorted(rules, key=lambda item: item.check.code))


def yes_or_no(
    ok: object, good: str, bad: str, *, where: Where | None = None, fix: str = ""
) -> Judgement:
    """Judge what is either so or not: full credit, or none."""
    if ok:
        return Judgement(share=1.0, message=good)
    return Judgement(share=0.0, message=bad, where=where, fix=fix)


def not_verifiable(message: str, *, where: Where | None = None) -> Judgement:
    """Judge what can't be told here, by no fault of the submission's."""
    return Judgement(share=0.0, message=message, where=where, verifiable=False)
