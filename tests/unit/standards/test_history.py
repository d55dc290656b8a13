"""What the history of a repository tells of those who wrote it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from grader.model import Finding, History, Verdict


def found(case: Any, code: str, **changes: object) -> Finding:
    history: History = replace(case.history, **changes)
    finding: Finding = replace(case, history=history).findings()[code]
    return finding


@pytest.mark.parametrize("tags", [(), ("latest",), ("stable", "main")])
def test_tag_names_version(tags: tuple[str, ...], case: Any) -> None:
    assert found(case, "REPO007", tags=tags).verdict is Verdict.FAIL


def test_one_author_is_half(case: Any) -> None:
    commits = tuple(replace(commit, author="Ada") for commit in case.history.commits)
    finding = found(case, "REPO008", commits=commits)
    assert (finding.verdict, finding.share) == (Verdict.FAIL, 0.5)


def test_author_of_no_text_counts_not(case: Any) -> None:
    first, *rest = case.history.commits
    alone = [replace(commit, author="Ada") for commit in rest]
    idle = replace(first, author="Ben", lines=0)
    assert found(case, "REPO008", commits=(idle, *alone)).share == 0.5


@pytest.mark.parametrize("code", ["REPO007", "REPO008"])
def test_no_history_fails(code: str, case: Any) -> None:
    assert replace(case, history=None).findings()[code].verdict is Verdict.FAIL
