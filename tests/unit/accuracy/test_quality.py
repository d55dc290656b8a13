from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics  # type: ignore[import-untyped] # it ships no types

from grader.accuracy.quality import (
    METRICS,
    find_metric,
    interval,
    judge_quality,
    non_inferiority,
    relative_loss,
    standard_error,
)
from grader.errors import ChallengeError
from grader.model import Case, CaseResult, Cause, OutputTable, Quality, Verdict

Numbers = npt.NDArray[np.float64]
DRAW = np.random.default_rng(4)
COUNTS = DRAW.poisson(2.0, 500).astype(float)
MEANS = DRAW.gamma(2.0, 1.0, 500) + 0.1
EVENTS = (DRAW.random(500) < 0.3).astype(float)
CHANCES = DRAW.random(500).round(2)


@pytest.mark.parametrize(
    ("name", "labels", "predicted", "reference"),
    [
        ("poisson_deviance", COUNTS, MEANS, metrics.mean_poisson_deviance),
        ("gamma_deviance", COUNTS + 1, MEANS, metrics.mean_gamma_deviance),
        ("rmse", COUNTS, MEANS, metrics.root_mean_squared_error),
        ("mae", COUNTS, MEANS, metrics.mean_absolute_error),
        ("brier", EVENTS, CHANCES, metrics.brier_score_loss),
        ("log_loss", EVENTS, CHANCES.clip(0.01, 0.99), metrics.log_loss),
        ("roc_auc", EVENTS, CHANCES, metrics.roc_auc_score),
    ],
)
def test_metrics_agree_with_sklearn(
    name: str, labels: Numbers, predicted: Numbers, reference: object
) -> None:
    assert callable(reference)
    found = find_metric(name).measure(labels, predicted)
    assert found == pytest.approx(reference(labels, predicted), rel=1e-12)


def test_gini_of_events_follows_auc() -> None:
    auc = METRICS["roc_auc"].measure(EVENTS, CHANCES)
    assert METRICS["gini"].measure(EVENTS, CHANCES) == pytest.approx(2 * auc - 1)


def test_gini_of_best_order_is_one() -> None:
    assert METRICS["gini"].measure(COUNTS, COUNTS * 3 + 1) == pytest.approx(1)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_metrics_say_what_they_are(metric: object) -> None:
    assert getattr(metric, "source", "")
    low, high = getattr(metric, "bounds", (0, 0))
    assert low < high


def test_unknown_metric_lists_known() -> None:
    with pytest.raises(ChallengeError, match="poisson_deviance"):
        find_metric("accuracy")


@pytest.mark.parametrize(
    ("worse", "credit"),
    [(-0.5, 1), (0, 1), (0.01, 1), (0.055, 0.5), (0.1, 0), (0.5, 0), (np.inf, 0), (np.nan, 0)],
)
def test_credit_falls_beyond_margin(worse: float, credit: float) -> None:
    assert non_inferiority(worse, 0.01) == pytest.approx(credit)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.2))
def test_worse_never_earns_more(one: float, other: float, margin: float) -> None:
    low, high = sorted((one, other))
    assert non_inferiority(high, margin) <= non_inferiority(low, margin)


def test_higher_is_better_turns_sign() -> None:
    worse = relative_loss(METRICS["roc_auc"], EVENTS, 1 - EVENTS, EVENTS)
    assert worse == 1


def test_interval_is_the_same_again() -> None:
    args = METRICS["rmse"], COUNTS, MEANS, MEANS + 0.2
    assert interval(*args) == interval(*args)


def test_interval_surrounds_the_loss() -> None:
    metric, worse = METRICS["poisson_deviance"], MEANS * 1.3
    around = interval(metric, COUNTS, worse, MEANS)
    assert around is not None
    assert around[0] < relative_loss(metric, COUNTS, worse, MEANS) < around[1]


def test_error_is_that_of_loss() -> None:
    metric, worse = METRICS["poisson_deviance"], MEANS * 1.3
    around = interval(metric, COUNTS, worse, MEANS)
    error = standard_error(metric, COUNTS, worse, MEANS)
    assert around is not None
    assert error == pytest.approx((around[1] - around[0]) / 3.92, rel=0.2)


def test_error_of_equal_predictions_is_zero() -> None:
    assert standard_error(METRICS["roc_auc"], EVENTS, CHANCES, CHANCES) == 0


@pytest.fixture
def case(tmp_path: Path) -> Case:
    rows = "".join(f"k{i:03},{mean!r}\n" for i, mean in enumerate(MEANS.tolist()))
    (tmp_path / "o.csv").write_text(f"id,price\n{rows}", encoding="utf-8")
    rows = "".join(f"k{i:03},{count}\n" for i, count in enumerate(COUNTS))
    (tmp_path / "labels.csv").write_text(f"id,visits\n{rows}", encoding="utf-8")
    return Case(name="hidden/main", inputs=tmp_path, expected=tmp_path)


def judge(case: Case, table: OutputTable, factor: float, label: str = "visits") -> CaseResult:
    rows = "".join(f"k{i:03},{mean * factor!r}\n" for i, mean in enumerate(MEANS.tolist()))
    quality = Quality(metric="poisson_deviance", prediction="price", label=label, margin=0.01)
    content = f"id,price\n{rows}".encode()
    return judge_quality(case, "good", table, content, quality, limit_bytes=len(content)).result


def test_equal_predictions_earn_everything(case: Case, table: OutputTable) -> None:
    found = judge(case, table, 1.0)
    assert (found.verdict, found.share) == (Verdict.PASS, 1.0)


def test_worse_predictions_earn_less(case: Case, table: OutputTable) -> None:
    assert judge(case, table, 3.0).share < judge(case, table, 1.02).share + 1e-9


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_undefined_metric_earns_nothing(factor: float, case: Case, table: OutputTable) -> None:
    found = judge(case, table, factor)
    assert (found.share, found.cause) == (0, Cause.WRONG_VALUE)


def test_unreadable_table_is_named(case: Case, table: OutputTable) -> None:
    quality = Quality(metric="rmse", prediction="price", label="visits", margin=0.01)
    found = judge_quality(case, "good", table, b"id\n", quality, limit_bytes=10).result
    assert found.cause is Cause.BAD_SCHEMA


def test_missing_label_blames_challenge(case: Case, table: OutputTable) -> None:
    with pytest.raises(ChallengeError, match="labels of case hidden/main"):
        judge(case, table, 1.0, label="claims")


def test_hidden_gain_is_not_told(case: Case, table: OutputTable) -> None:
    better, equal = judge(case, table, 1.002), judge(case, table, 1.0)
    assert (better.share, better.message) == (equal.share, equal.message)


def test_shown_gain_is_told(case: Case, table: OutputTable) -> None:
    shown = replace(case, name="public/main")
    assert judge(shown, table, 1.002).message != judge(shown, table, 1.0).message
