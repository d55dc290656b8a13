"""Waivers: asking changes nothing, and what is granted reaches no further than it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader import standards
from grader.model import Finding, Observed, Verdict, Waiver, WaiverRequest
from grader.standards.waivers import asked_for, read_waivers, unusable

REASON = "One branch for each clause of the tariff."
GRANTED = Waiver(code="TYPE001", reason=REASON, granted_by="a leader", path="src/tariff/loads.py")
UNTYPED = "".join(f"def load_{n}(x):\n    return x\n" for n in "abc")


@pytest.fixture
def judged(changed: Callable[..., Any]) -> Callable[..., Finding]:
    def judge(files: dict[str, str], *waivers: Waiver) -> Finding:
        evidence = changed(files).evidence()
        (found,) = standards.judge(evidence, Observed(), {"TYPE001"}, waivers=waivers)
        return found

    return judge


def test_text_is_request_for_check() -> None:
    (request,) = read_waivers({"MODU004": REASON})
    assert request == WaiverRequest(code="MODU004", reason=REASON)


def test_table_names_path() -> None:
    (request,) = read_waivers({"MODU004": {"path": "./src/a/", "reason": REASON}})
    assert request.path == "src/a"


def test_list_holds_several_paths() -> None:
    found = read_waivers({"A": [{"path": "a", "reason": REASON}, {"path": "b", "reason": REASON}]})
    assert [request.path for request in found] == ["a", "b"]


@pytest.mark.parametrize("entry", [1, None, [], {}, {"reason": 2}, ["x", 3], {"path": 1}])
def test_nonsense_justifies_nothing(entry: Any) -> None:
    assert asked_for("A", read_waivers({"A": entry})) is None


def test_asking_names_its_path() -> None:
    request = WaiverRequest(code="A", reason=REASON, path="src/a.py")
    assert asked_for("A", [request]) == f"{REASON} (src/a.py)"


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (WaiverRequest(code="NONE999", reason=REASON), "which is no check"),
        (WaiverRequest(code="SECU001", reason=REASON), "gates can't be waived"),
        (WaiverRequest(code="MODU004", reason="because"), "without a reason"),
    ],
)
def test_unusable_request_is_told(request_: WaiverRequest, told: str) -> None:
    (line,) = unusable([request_], codes={"SECU001", "MODU004"}, gates={"SECU001"})
    assert told in line


def test_granted_path_is_waived(judged: Callable[..., Finding]) -> None:
    found = judged({"src/tariff/loads.py": UNTYPED}, GRANTED)
    assert (found.verdict, found.share) == (Verdict.WAIVED, 1.0)
    assert found.waiver == f"{REASON} (src/tariff/loads.py)"


def test_granted_path_excuses_no_other(judged: Callable[..., Finding]) -> None:
    files = {"src/tariff/loads.py": UNTYPED, "src/tariff/saves.py": UNTYPED}
    found = judged(files, GRANTED)
    assert found.verdict is Verdict.FAIL
    assert found.message.startswith("Beside what is waived: ")


def test_granted_folder_holds_its_files(judged: Callable[..., Finding]) -> None:
    granted = Waiver(code="TYPE001", reason=REASON, granted_by="a leader", path="src/tariff/rules")
    found = judged({"src/tariff/rules/loads.py": UNTYPED}, granted)
    assert found.verdict is Verdict.WAIVED


def test_other_check_stays_failed(judged: Callable[..., Finding]) -> None:
    granted = Waiver(code="TYPE002", reason=REASON, granted_by="x", path="src/tariff/loads.py")
    assert judged({"src/tariff/loads.py": UNTYPED}, granted).verdict is Verdict.FAIL
