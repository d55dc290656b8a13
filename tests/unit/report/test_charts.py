"""The geometry of the pictures."""

from __future__ import annotations

import math
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.report import charts

POINTS = st.lists(st.tuples(st.floats(), st.floats()), max_size=20)


def places(plot: charts.Plot) -> list[tuple[float, float]]:
    found = re.findall(r"M(\S+) (\S+)h0", plot.dots)
    return [(float(x), float(y)) for x, y in found]


@settings(deadline=None)
@given(POINTS)
def test_dots_stay_inside(points: list[tuple[float, float]]) -> None:
    for plot in (charts.scatter(points), charts.differences(points)):
        if plot is not None:
            assert all(0 <= x <= plot.width and 0 <= y <= plot.height for x, y in places(plot))


@settings(deadline=None)
@given(POINTS)
def test_axes_hold_few_figures(points: list[tuple[float, float]]) -> None:
    plot = charts.scatter(points)
    assert plot is None or len(plot.x_ticks) <= 8


def test_missing_answers_are_left_out() -> None:
    plot = charts.scatter([(1.0, math.nan), (1.0, 2.0)])
    assert plot is not None
    assert len(places(plot)) == 1


def test_nothing_draws_no_picture() -> None:
    assert charts.scatter([]) is None
    assert charts.differences([(math.inf, 1.0)]) is None


def test_equal_answers_lie_on_diagonal() -> None:
    plot = charts.scatter([(1.0, 1.0), (9.0, 9.0)])
    assert plot is not None
    assert "2 of them lie" in plot.description


def test_higher_answers_lie_higher() -> None:
    plot = charts.scatter([(1.0, 1.0), (1.0, 9.0)])
    assert plot is not None
    low, high = places(plot)
    assert high[1] < low[1]


def test_differences_tell_their_range() -> None:
    plot = charts.differences([(1.0, 1.5), (2.0, 1.0)])
    assert plot is not None
    assert "between -1 and 0.5" in plot.description


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_bar_width_is_honest(share: float) -> None:
    assert 0 < charts.bar_width(share) < 100


def test_decades_mark_what_is_off() -> None:
    assert [bar.good for bar in charts.decades((5, 1, 0))] == [True, False, False]


def test_few_rows_stay_visible() -> None:
    assert charts.decades((1_000_000, 1, 0))[1].width == 1.0


def test_worst_segment_comes_first() -> None:
    bars = charts.segments({"all": 0.9, "old": 0.2, "new": 1.0}, "old")
    assert [(bar.label, bar.note) for bar in bars] == [("old", "worst"), ("all", ""), ("new", "")]


def test_longest_step_comes_first() -> None:
    assert [bar.label for bar in charts.timings({"a": 1.0, "b": 2.0})] == ["b", "a"]


def test_timings_of_nothing_are_flat() -> None:
    assert charts.timings({"a": 0.0})[0].width == 0.0
