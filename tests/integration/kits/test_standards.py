"""A fresh project meets the standards, all but those that only time can: a history that grew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader import package, standards
from grader.checkout import check_out
from grader.model import Challenge, Environment, Finding, Observed, Verdict


@pytest.fixture
def findings(
    make_project: Callable[..., Path],
    tiny_challenge: Challenge,
    standard_environment: Environment,
    tmp_path: Path,
) -> tuple[Finding, ...]:
    evidence = standards.inspect(
        check_out(str(make_project(tiny_challenge)), tmp_path / "checkout"),
        tiny_challenge.contract,
        public_files=package.public_digests(tiny_challenge),
        environment_packages=frozenset(standard_environment.packages),
    )
    return standards.judge(evidence, Observed(), standards.FAMILIES)


def test_fresh_project_lacks_history(findings: tuple[Finding, ...]) -> None:
    failed = {item.code: item.message for item in findings if item.verdict is not Verdict.PASS}
    waiting = {item.code for item in findings if item.verdict is Verdict.SKIPPED}
    assert set(failed) - waiting == {"REPO001", "REPO007", "REPO008"}, failed
