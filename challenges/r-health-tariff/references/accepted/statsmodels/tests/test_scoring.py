"""Scoring answers every row for itself, and never learns from what it scores."""

from __future__ import annotations

import pandas as pd
import pytest

from healthtariff.artefact import Artefact
from healthtariff.data import InputError
from healthtariff.schema import FEATURES, KEY, OUTPUTS
from healthtariff.scoring import score


def test_every_row_is_answered(trained: Artefact, rows: pd.DataFrame) -> None:
    answered = score(trained, rows)
    assert list(answered.columns) == [*KEY, *(output.name for output in OUTPUTS)]
    assert answered[list(KEY)].equals(rows[list(KEY)])
    assert answered.notna().all(axis=None)


def test_one_row_stands_alone(trained: Artefact, rows: pd.DataFrame) -> None:
    alone = pd.concat([score(trained, rows.iloc[[place]]) for place in range(len(rows))])
    pd.testing.assert_frame_equal(alone, score(trained, rows))


def test_order_of_rows_is_free(trained: Artefact, rows: pd.DataFrame) -> None:
    turned = score(trained, rows.iloc[::-1])
    pd.testing.assert_frame_equal(turned.iloc[::-1], score(trained, rows))


def test_bad_input_is_refused(trained: Artefact, rows: pd.DataFrame) -> None:
    with pytest.raises(InputError, match=f"{FEATURES[0]!r} is missing"):
        score(trained, rows.drop(columns=FEATURES[0]))
