"""The standards: what a seasoned reviewer asks of a port, family by family.

Static checks read a submission's files and history; they never run its code. What only running it
can show (that its wheel builds, that its tests pass and notice a broken package) is collected
elsewhere and judged here. Each family is a module, each check one place in it.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from grader.errors import UsageError
from grader.model import Check, Checkout, Contract, Finding, Observed
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
from grader.standards.families import FAMILIES
from grader.standards.page import checks_page
from grader.standards.rubric import rules_of

__all__ = [
    "FAMILIES",
    "Evidence",
    "all_checks",
    "checks_page",
    "find_check",
    "inspect",
    "judge",
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
) -> Evidence:
    """Look at a submission: parse its files and run the linters on them. This is the slow part.

    No code of the submission runs, and nothing in it makes this raise: what can't be read, and
    tools that fail, are part of the evidence.

    :param public_files: SHA-256 of the files that the challenge hands out, which no check sees
    :param environment_packages: distributions of the submissions' environment, names normalised
    """
    return gather(
        checkout,
        contract,
        public_files=public_files,
        environment_packages=environment_packages,
    )


def judge(evidence: Evidence, observed: Observed, families: Collection[str]) -> tuple[Finding, ...]:
    """Judge the evidence: one finding per check of the families, in the order of the checks.

    :param observed: what running the submission showed; checks that ask for what is None there are
        skipped
    """
    wanted = [rule for rule in _RULES if rule.check.family in families]
    return tuple(rule.find(evidence, observed) for rule in wanted)


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
