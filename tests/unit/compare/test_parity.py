from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.compare import compare_case, compare_column, compare_tables, rows_equal, table_score
from grader.errors import ChallengeError
from grader.model import Case, Column, ColumnParity, OutputTable, Segment

Numbers = npt.NDArray[np.float64]

LOOSE = Column(name="x", absolute=1e-3, decision=(25.0, 50.0, 75.0), weight=1.0)
RELATIVE = Column(name="x", relative=1e-6, weight=1.0)
TEXT = Column(name="x", exact=True, weight=1.0)

values = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False, width=32)
steps = st.floats(min_value=0, max_value=1e9, allow_nan=False)
answers = values | st.sampled_from([np.nan, np.inf, -np.inf])


@st.composite
def ports(draw: st.DrawFn) -> tuple[Numbers, Numbers]:
    """Recorded values and a port's answers: right, off or missing."""
    legacy = np.array(draw(st.lists(values, min_size=1, max_size=40)))
    other = st.lists(answers, min_size=len(legacy), max_size=len(legacy))
    right = draw(st.lists(st.booleans(), min_size=len(legacy), max_size=len(legacy)))
    return legacy, np.where(right, legacy, np.array(draw(other)))


def halves(count: int) -> dict[str, npt.NDArray[np.bool_]]:
    return {"first half": np.arange(count) < count / 2, "odd": np.arange(count) % 2 == 1}


def compare(legacy: Numbers, ported: Numbers, column: Column = LOOSE) -> ColumnParity:
    return compare_column(legacy, ported, column, halves(len(legacy)))


def score(legacy: Numbers, ported: Numbers, column: Column = LOOSE) -> float:
    return compare(legacy, ported, column).score


columns = st.sampled_from([LOOSE, RELATIVE])


@given(ports(), columns)
def test_score_stays_in_bounds(port: tuple[Numbers, Numbers], column: Column) -> None:
    assert 0 <= score(*port, column) <= 100


@given(st.lists(answers, min_size=1, max_size=40), columns)
def test_equal_tables_score_full(numbers: list[float], column: Column) -> None:
    legacy = np.array(numbers)
    assume(not np.isinf(legacy).any())
    assert score(legacy, legacy.copy(), column) == 100


@given(ports(), columns)
def test_full_score_means_within(port: tuple[Numbers, Numbers], column: Column) -> None:
    found = compare(*port, column)
    assert (found.score == 100) == (found.within == 1)


@given(ports(), columns, st.randoms(use_true_random=False))
def test_row_order_means_nothing(
    port: tuple[Numbers, Numbers], column: Column, draw: object
) -> None:
    legacy, ported = port
    order = list(range(len(legacy)))
    draw.shuffle(order)  # type: ignore[attr-defined] # Hypothesis types its Random as object
    masks = {"odd": np.arange(len(legacy)) % 2 == 1}
    turned = {"odd": masks["odd"][order]}
    straight = compare_column(legacy, ported, column, masks)
    mixed = compare_column(legacy[order], ported[order], column, turned)
    assert straight.score == mixed.score


@given(ports(), columns, st.data())
def test_further_off_never_pays(
    port: tuple[Numbers, Numbers], column: Column, data: st.DataObject
) -> None:
    legacy, ported = port
    further = np.array(data.draw(st.lists(steps, min_size=len(legacy), max_size=len(legacy))))
    away = np.where(ported < legacy, ported - further, ported + further)
    assert score(legacy, away, column) <= score(legacy, ported, column) + 1e-9


@given(ports(), columns, st.data())
def test_broken_rows_never_pay(
    port: tuple[Numbers, Numbers], column: Column, data: st.DataObject
) -> None:
    legacy, ported = port
    broken = data.draw(st.lists(st.booleans(), min_size=len(legacy), max_size=len(legacy)))
    worse = np.where(broken, np.nan, ported)
    assert score(legacy, worse, column) <= score(legacy, ported, column) + 1e-9


@given(ports(), st.data())
def test_missing_never_beats_wrong(port: tuple[Numbers, Numbers], data: st.DataObject) -> None:
    legacy, ported = port
    row = data.draw(st.integers(0, len(legacy) - 1))
    for nothing in (np.nan, np.inf, -np.inf):
        silent = ported.copy()
        silent[row] = nothing
        assert score(legacy, silent) <= score(legacy, ported) + 1e-9


@given(ports(), st.integers(-20, 20))
def test_units_change_no_score(port: tuple[Numbers, Numbers], exponent: int) -> None:
    unit = 2.0**exponent
    legacy, ported = port
    assert score(legacy * unit, ported * unit, RELATIVE) == score(legacy, ported, RELATIVE)


@given(ports(), columns)
def test_every_row_is_counted(port: tuple[Numbers, Numbers], column: Column) -> None:
    assert sum(compare(*port, column).decades) == len(port[0])


@pytest.fixture
def legacy() -> Numbers:
    return np.random.default_rng(5).gamma(2.0, 25.0, 4000)


def test_constant_answers_earn_nothing(legacy: Numbers) -> None:
    assert score(legacy, np.full_like(legacy, np.median(legacy))) < 5


def test_shuffled_answers_earn_nothing(legacy: Numbers) -> None:
    assert score(legacy, np.random.default_rng(0).permutation(legacy)) < 3


def test_right_order_alone_earns_nothing(legacy: Numbers) -> None:
    assert score(legacy, legacy**2 + 7) < 3


def test_missing_answers_earn_nothing(legacy: Numbers) -> None:
    assert score(legacy, np.full_like(legacy, np.nan)) == 0


def test_noise_is_paid_by_size(legacy: Numbers) -> None:
    noise = np.random.default_rng(1).normal(size=len(legacy))
    scores = [score(legacy, legacy + noise * 10.0**power) for power in np.linspace(-6, 3, 40)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 100
    assert scores[-1] < 2


def test_missing_matches_missing() -> None:
    legacy = np.array([1.0, np.nan])
    assert score(legacy, np.array([1.0, np.nan])) == 100


def test_number_for_missing_is_wrong() -> None:
    found = compare(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    assert found.within == 0.5


def test_decision_within_tolerance_agrees() -> None:
    column = Column(name="x", absolute=0.01, decision=(50.0,), weight=1.0)
    assert score(np.array([50.0, 20.0]), np.array([49.995, 20.0]), column) == 100


def test_zero_tolerance_is_exact() -> None:
    column = Column(name="x", weight=1.0)
    assert rows_equal(np.array([0.1, 1.0]), np.array([0.1, 1.0 + 2e-16]), column).tolist() == [
        True,
        False,
    ]


def test_worst_segment_is_named() -> None:
    legacy = np.arange(1.0, 101.0)
    rows = {"small": legacy <= 10, "large": legacy > 90}
    found = compare_column(legacy, np.where(rows["large"], legacy + 9, legacy), LOOSE, rows)
    assert (found.worst_segment, found.worst_segment_within) == ("large", 0.0)


def test_tiny_segments_are_left_out() -> None:
    legacy = np.arange(1.0, 101.0)
    found = compare_column(legacy, legacy + (legacy <= 4), LOOSE, {"four rows": legacy <= 4})
    assert found.worst_segment == "all rows"


def test_text_is_compared_exactly() -> None:
    legacy, ported = np.array(["a", "b"], dtype=object), np.array(["a", "B"], dtype=object)
    found = compare_column(legacy, ported, TEXT, {})
    assert (found.within, found.largest_difference, found.points) == (0.5, None, ())


def test_hidden_cases_show_no_points(legacy: Numbers) -> None:
    assert compare_column(legacy, legacy, LOOSE, {}, hidden=True).points == ()


def test_pictures_draw_few_points(legacy: Numbers) -> None:
    assert len(compare_column(legacy, legacy, LOOSE, {}).points) == 500


def test_no_rows_are_full_parity() -> None:
    assert score(np.array([]), np.array([])) == 100


def test_columns_weigh_as_declared(table: OutputTable) -> None:
    expected = pd.DataFrame({"rate": [1.0], "price": [10.0], "band": ["low"]})
    actual = expected.assign(band="high")
    found = compare_tables(expected, actual, table, {})
    assert table_score(found, table) == pytest.approx(75)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    for name, text in {
        "inputs/in.csv": "id,age\n2,40\n1,3\n",
        "expected/out.csv": "id,rate,price,band\n1,0.5,10.0,low\n2,0.25,60.0,high\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Case(name="public/x", inputs=tmp_path / "inputs", expected=tmp_path / "expected")


def test_whole_case_is_compared(case: Case, table: OutputTable) -> None:
    content = b"id,rate,price,band\n2,0.25,60.004,high\n1,0.5,10,low\n"
    found = compare_case(case, table, content, input_file="in.csv", limit_bytes=1000)
    assert found.score == 100


def test_inputs_must_match_recording(case: Case, table: OutputTable) -> None:
    (case.inputs / "in.csv").write_text("id,age\n2,40\n", encoding="utf-8")
    content = (case.expected / "out.csv").read_bytes()
    with pytest.raises(ChallengeError, match="keys of case public/x"):
        compare_case(
            case,
            table,
            content,
            input_file="in.csv",
            segments=(Segment(name="young", where="age < 5"),),
            limit_bytes=1000,
        )
