"""The good project passes each check; the texts and the order of checks hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader import standards
from grader.errors import UsageError
from grader.model import Check, Observed, Verdict

CODES = [check.code for check in standards.all_checks()]
PREFIXES = dict(
    zip(
        standards.FAMILIES,
        re.findall("....", "REPODOCSLAYTPACKSTYLMODUPIPETYPETESTCICDLINEREPTDEPLSECU"),
        strict=True,
    )
)
GATES = {"REPO001", "DOCS001", "SECU001", "PACK001", "TEST001", "TEST002", "CICD001"}


@pytest.mark.parametrize("code", CODES)
def test_good_project_passes(case: Any, code: str) -> None:
    finding = case.findings()[code]
    assert finding.verdict is Verdict.PASS, finding.message


@pytest.mark.parametrize("check", standards.all_checks(), ids=CODES)
def test_texts_say_something(check: Check) -> None:
    texts = (check.title, check.why, check.fix, check.example, check.source)
    assert all(len(text) >= 12 for text in texts)


@pytest.mark.parametrize("check", standards.all_checks(), ids=CODES)
def test_code_matches_family(check: Check) -> None:
    assert re.fullmatch(PREFIXES[check.family] + r"\d{3}", check.code)


def test_codes_are_unique() -> None:
    assert len(set(CODES)) == len(CODES)


def test_gates_are_there() -> None:
    assert set(CODES) >= GATES


def test_checks_are_sorted() -> None:
    order = list(standards.FAMILIES)
    keys = [(order.index(check.family), check.code) for check in standards.all_checks()]
    assert keys == sorted(keys)


def test_unknown_check_names_nearest() -> None:
    with pytest.raises(UsageError, match="REPO001") as caught:
        standards.find_check("REPO01")
    assert caught.value.slug == "unknown-check"


def test_known_check_is_found() -> None:
    assert standards.find_check("SECU001").family == "security"


def test_page_lists_every_check() -> None:
    page = standards.checks_page(standards.all_checks(), standards.all_scales())
    assert all(f"### {code}:" in page for code in CODES)


def test_judging_is_deterministic(case: Any) -> None:
    assert case.findings() == case.findings()


def test_file_order_changes_nothing(case: Any) -> None:
    backwards = replace(case, files=dict(reversed(case.files.items())))
    assert backwards.findings() == case.findings()


def test_other_families_stay_away(case: Any) -> None:
    found = standards.judge(case.evidence(), Observed(), {"security"})
    assert {finding.family for finding in found} == {"security"}


@pytest.mark.parametrize("code", ["PACK001", "PACK007"])
def test_no_wheel_is_skipped(case: Any, code: str) -> None:
    assert replace(case, wheel=None).findings()[code].verdict is Verdict.SKIPPED


@pytest.mark.parametrize("code", ["TEST001", "TEST002", "TEST007"])
def test_no_run_is_skipped(case: Any, code: str) -> None:
    assert replace(case, tests=None).findings()[code].verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("tool", "code"),
    [
        ("ruff", "STYL001"),
        ("ruff format", "STYL002"),
        ("complexipy", "STYL004"),
        ("deptry", "PACK003"),
        ("validate-pyproject", "PACK002"),
        ("zizmor", "CICD005"),
        ("CI schemas", "CICD002"),
        ("hadolint", "DEPL003"),
        ("detect-secrets", "SECU001"),
    ],
)
def test_failed_tool_is_error(case: Any, tool: str, code: str) -> None:
    linters = replace(case.linters, failures={tool: "it is not installed"})
    assert replace(case, linters=linters).findings()[code].verdict is Verdict.ERROR


def test_waiver_is_asked_for(changed: Callable[..., Any], case: Any) -> None:
    asked = '\n[tool.drydock.waivers]\nDOCS005 = "Nobody outside reads it."\n'
    files = {"pyproject.toml": case.files["pyproject.toml"] + asked, "CHANGELOG.md": None}
    finding = changed(files).findings()["DOCS005"]
    assert (finding.verdict, finding.waiver) == (Verdict.FAIL, "Nobody outside reads it.")
