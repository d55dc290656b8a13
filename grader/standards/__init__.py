"""The standards: what a seasoned reviewer asks of a port, family by family.

Static checks read a submission's files and history; they never run its code. What only running it
can show (that its wheel builds, that its tests pass and notice a broken package) is collected
elsewhere and judged here. Each family is a module, each check one place in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict
from difflib import get_close_matches

from grader.errors import UsageError
from grader.model import Challenge, Check, Checkout, Contract, Finding, Observed, Waiver
from grader.standards import (
    ci,
    deployment,
    documentation,
    layout,
    lineage,
    modularity,
    packaging,
    pipelines,
    reports,
    repository,
    security,
    style,
    tests,
    types,
)
from grader.standards.evidence import Evidence, gather
from grader.standards.families import FAMILIES, WEIGHTS
from grader.standards.page import checks_page
from grader.standards.plan import plan_ci
from grader.standards.rubric import rules_of
from grader.standards.scales import Scale
from grader.standards.waivers import justified, unusable

__all__ = [
    "FAMILIES",
    "WEIGHTS",
    "Evidence",
    "all_checks",
    "all_scales",
    "checks_page",
    "find_check",
    "inspect",
    "judge",
    "plan_ci",
    "requested_waivers",
    "rubric_digest",
    "unusable_waivers",
]

_MODULES = (
    repository,
    documentation,
    layout,
    packaging,
    style,
    modularity,
    pipelines,
    types,
    tests,
    ci,
    lineage,
    reports,
    deployment,
    security,
)
_RULES = tuple(rule for module in _MODULES for rule in rules_of(module))


def inspect(
    checkout: Checkout,
    contract: Contract,
    *,
    public_files: frozenset[str],
    environment_packages: frozenset[str],
    codes: Collection[str] | None = None,
) -> Evidence:
    """Look at a submission: parse its files and run the linters on them. This is the slow part.

    No code of the submission runs, and nothing in it makes this raise: what can't be read, and
    tools that fail, are part of the evidence.

    :param public_files: SHA-256 of the files that the challenge hands out, which no check sees
    :param environment_packages: distributions of the submissions' environment, names normalised
    :param codes: the checks that will be judged, so that only their tools are run; None for all
    """
    rules = [rule for rule in _RULES if codes is None or rule.check.code in codes]
    return gather(
        checkout,
        contract,
        public_files=public_files,
        environment_packages=environment_packages,
        tools=frozenset(tool for rule in rules for tool in rule.tools),
    )


def requested_waivers(evidence: Evidence) -> tuple[Waiver, ...]:
    """Give the waivers that are asked for with a reason, as if they were granted."""
    return tuple(
        Waiver(code=item.code, reason=item.reason, path=item.path, granted_by="")
        for item in evidence.project.waivers
        if justified(item)
    )


def unusable_waivers(evidence: Evidence, gates: Collection[str]) -> tuple[str, ...]:
    """Say of each waiver that is asked for and that nobody can grant why not."""
    codes = {check.code for check in all_checks()}
    return tuple(unusable(evidence.project.waivers, codes=codes, gates=gates))


def judge(
    evidence: Evidence,
    observed: Observed,
    wanted: Collection[str],
    *,
    waivers: Collection[Waiver] = (),
) -> tuple[Finding, ...]:
    """Judge the evidence: one finding per check that is wanted, in the order of the checks.

    :param observed: what running the submission showed; checks that ask for what is None there are
        skipped
    :param wanted: families and codes
    :param waivers: those that a leader granted for a part of the tree, and that are in force
    """
    excused: dict[str, dict[str, str]] = {}
    for waiver in waivers:
        if waiver.path:
            excused.setdefault(waiver.code, {})[waiver.path] = waiver.reason
    return tuple(
        rule.find_beside(evidence, observed, excused.get(rule.check.code, {}))
        for rule in _RULES
        if {rule.check.family, rule.check.code} & set(wanted)
    )


def rubric_digest(challenge: Challenge) -> str:
    """Return SHA-256 over what a challenge looks at and what that earns.

    Checks with their weights and scales, points, gates, tolerances and the bar: whatever moves a
    score, and no words.
    """
    rubric = {
        "checks": [(rule.check.code, rule.check.family, rule.check.weight) for rule in _RULES],
        "scales": [(code, scale.measure, scale.none, scale.full) for code, scale in all_scales()],
        "standards": [asdict(standard) for standard in challenge.standards],
        "groups": [asdict(group) for group in challenge.groups],
        "outputs": [asdict(table) for table in challenge.outputs],
        "passing": challenge.passing_points,
    }
    return hashlib.sha256(json.dumps(rubric, sort_keys=True).encode()).hexdigest()


def all_scales() -> tuple[tuple[str, Scale], ...]:
    """Give every scale with the code of the check that grades by it, in the order of the checks."""
    return tuple((rule.check.code, scale) for rule in _RULES for scale in rule.scales)


def all_checks() -> tuple[Check, ...]:
    """Give every check, by family and code."""
    return tuple(rule.check for rule in _RULES)


def find_check(code: str) -> Check:
    """Find a check by its code.

    :raises UsageError: there is none; it names the nearest (slug ``unknown-check``)
    """
    checks = {check.code: check for check in all_checks()}
    if code in checks:
        return checks[code]
    near = get_close_matches(code, checks, n=1, cutoff=0.0)
    raise UsageError(
        "unknown-check",
        f"There is no check {code!r}.",
        remedy=f"Did you mean {near[0]}? docs/checks.md lists all of them.",
    )
