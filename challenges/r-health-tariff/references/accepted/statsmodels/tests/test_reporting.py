"""The metrics report says what is so, in figures and in pictures."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from healthtariff import __version__
from healthtariff.artefact import Artefact
from healthtariff.data import read_table
from healthtariff.plots import draw_parity
from healthtariff.reporting import compare, pair, report
from healthtariff.schema import KEY, OUTPUTS, TRAINING_FILE, Output

NUMBERS = [output for output in OUTPUTS if not output.exact]


@pytest.fixture
def expected(public_case: Path) -> pd.DataFrame:
    return read_table(public_case / "expected" / "premiums.csv")


def _allowed(output: Output, expected: pd.DataFrame) -> pd.Series:
    return output.absolute + output.relative * expected[output.name].abs()


@pytest.mark.parametrize("output", NUMBERS, ids=lambda output: output.name)
def test_tolerance_itself_is_within(expected: pd.DataFrame, output: Output) -> None:
    nothing = expected.assign(**{output.name: 0.0})
    answered = expected.assign(**{output.name: output.absolute})
    assert compare(pair(answered, nothing))[output.name].within_tolerance == 1


@pytest.mark.parametrize("output", NUMBERS, ids=lambda output: output.name)
def test_half_a_tolerance_is_within(expected: pd.DataFrame, output: Output) -> None:
    moved = expected[output.name] + _allowed(output, expected) / 2
    agreement = compare(pair(expected.assign(**{output.name: moved}), expected))[output.name]
    assert agreement.within_tolerance == 1
    assert agreement.rows == len(expected)


@pytest.mark.parametrize("output", NUMBERS, ids=lambda output: output.name)
def test_two_tolerances_are_beyond(expected: pd.DataFrame, output: Output) -> None:
    answered = expected.copy()
    step = 2 * float(_allowed(output, expected).max()) + 1
    answered.loc[answered.index[0], output.name] -= step
    agreement = compare(pair(answered, expected))[output.name]
    assert agreement.within_tolerance == pytest.approx(1 - 1 / len(expected))
    assert agreement.largest_difference == pytest.approx(step)
    assert agreement.median_difference == 0


@pytest.mark.parametrize("output", NUMBERS, ids=lambda output: output.name)
def test_nothing_answered_is_no_figure(expected: pd.DataFrame, output: Output) -> None:
    agreement = compare(pair(expected.head(0), expected))[output.name]
    assert agreement.within_tolerance == 0
    assert agreement.largest_difference is None
    assert agreement.median_difference is None


def test_pairs_keep_the_recorded_order(expected: pd.DataFrame) -> None:
    pairs = pair(expected.iloc[::-1], expected)
    assert pairs[KEY[0]].tolist() == expected[KEY[0]].astype("str").tolist()


def test_report_tells_where_from(trained: Artefact, expected: pd.DataFrame) -> None:
    content = json.loads(report(compare(pair(expected, expected)), trained.lineage))
    assert content["schema"] == "drydock.metrics/1"
    assert content["lineage"]["package_version"] == __version__
    assert content["lineage"]["data"] == {TRAINING_FILE: trained.lineage.data_digest}


def test_each_number_has_a_picture(expected: pd.DataFrame) -> None:
    pictures = dict(draw_parity(pair(expected, expected)))
    assert set(pictures) == {f"parity-{output.name}.png" for output in NUMBERS}
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())


def test_pictures_can_be_drawn_of_nothing(expected: pd.DataFrame) -> None:
    assert len(dict(draw_parity(pair(expected.head(0), expected)))) == len(NUMBERS)
