"""The words and figures that all forms of a report share."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Report, Score, Verdict, Where
from grader.report.summary import (
    DASH,
    at,
    clean,
    clean_line,
    decade_label,
    figure,
    gains,
    headline,
    label,
    of_points,
    percent,
    score_of_100,
    total_of,
    waiver,
    weakest,
)


def score(earned: int | None, possible: int = 10) -> Score:
    return Score(criterion="x", earned=earned, possible=possible)


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_percentage_is_honest(share: float) -> None:
    assert percent(share) not in {"0 %", "100 %"}


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50 %"), (0.9999, "99.9 %"), (1e-9, "0.1 %"),
     (0.125, "12.5 %"), (None, DASH), (math.nan, DASH)],
)  # fmt: skip
def test_percentage_as_shown(share: float | None, shown: str) -> None:
    assert percent(share) == shown


def test_parity_score_is_honest() -> None:
    assert [score_of_100(value) for value in (100.0, 99.99, 0.001, 0.0)] == [
        "100", "99.9", "0.1", "0",
    ]  # fmt: skip


def test_unscored_is_not_zero() -> None:
    assert of_points(None, 40) == "not scored of 40"


def test_sum_with_gap_is_unscored() -> None:
    assert total_of([score(3), score(None)]) == (None, 20)


def test_sum_of_nothing_is_unscored() -> None:
    assert total_of([]) == (None, 0)


def test_weakest_has_lowest_share() -> None:
    assert weakest({"a": score(9), "b": score(30, 100), "c": score(None)}) == "b"


def test_full_points_have_no_weakest() -> None:
    assert weakest({"a": score(10), "b": score(0, 0)}) is None


def test_decisive_gains_come_first(rejected: Report) -> None:
    assert [(gain.name, gain.points) for gain in gains(rejected)] == [
        ("SECR001", 40), ("edges", 39), ("REPO004", 40),
    ]  # fmt: skip


def test_gains_follow_the_points(accepted: Report) -> None:
    points = [gain.points for gain in gains(accepted)]
    assert points == sorted(points, reverse=True)


def test_code_within_code_decides_nothing(rejected: Report) -> None:
    scores = replace(rejected.scores, reasons=("Gate SECR0010 failed: a longer code.",))
    assert not any(gain.decisive for gain in gains(replace(rejected, scores=scores)))


def test_gate_without_points_is_listed(rejected: Report) -> None:
    checks = {code: item for code, item in rejected.scores.checks.items() if code != "SECR001"}
    report = replace(rejected, scores=replace(rejected.scores, checks=checks))
    assert next(gain.points for gain in gains(report) if gain.name == "SECR001") == 0


def test_waived_finding_gains_nothing(rejected: Report) -> None:
    waived = tuple(replace(item, verdict=Verdict.WAIVED) for item in rejected.findings)
    assert [gain.kind for gain in gains(replace(rejected, findings=waived))] == ["accuracy"]


def test_group_names_its_worst_case(rejected: Report) -> None:
    gain = next(gain for gain in gains(rejected) if gain.name == "edges")
    assert gain.message.startswith("hidden/edges: premium is off")


def test_headline_knows_the_sandbox(accepted: Report) -> None:
    assert [headline(replace(accepted, sandbox=level)).unsafe for level in ("cold", "none")] == [
        False, True,
    ]  # fmt: skip


def test_decades_have_names() -> None:
    times = "\N{MULTIPLICATION SIGN}"
    assert [decade_label(index, 5) for index in range(5)] == [
        "within tolerance", f"up to 10 {times}", f"up to 100 {times}", f"over 100 {times}",
        "missing",
    ]  # fmt: skip


@given(st.text(st.characters()))
def test_cleaned_text_is_encodable(text: str) -> None:
    assert "\x1b" not in clean(text).encode("utf-8").decode("utf-8")


def test_direction_overrides_are_shown() -> None:
    assert clean("a\u202eb\ud800") == "a\ufffdb\ufffd"


def test_clean_line_is_one_line() -> None:
    assert clean_line(" a\r\n\tb\u2028c ") == "a b c"


def test_places_are_clickable() -> None:
    assert [at(Where(path="a.py", line=3)), at(Where(path="a.py")), at(None)] == [
        "a.py:3",
        "a.py",
        "",
    ]


def test_labels_are_for_people() -> None:
    assert label("model-card_text") == "Model card text"


@pytest.mark.parametrize(
    ("verdict", "said"),
    [(Verdict.WAIVED, "Waiver granted: a reason"), (Verdict.FAIL, "Waiver asked for: a reason")],
)
def test_asked_is_not_granted(accepted: Report, verdict: Verdict, said: str) -> None:
    finding = replace(accepted.findings[0], verdict=verdict, waiver="a\nreason")
    assert waiver(finding) == said


def test_figures_keep_three_digits() -> None:
    assert [figure(value) for value in (1234.5, 0.00012345, 0.0)] == ["1.23e+03", "0.000123", "0"]
