from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from grader.accuracy.service import compare_rows, make_sample
from grader.model import Column, Contract, OutputTable

TABLE = OutputTable(
    file="o.csv",
    key=("id",),
    columns=(
        Column(name="price", absolute=0.005, final=True, weight=0.5),
        Column(name="band", exact=True, weight=0.5),
    ),
)
ANSWERS = pd.DataFrame({"id": ["1", "2"], "price": [10.0, np.nan], "band": ["low", "high"]})


def rows(**changes: Any) -> dict[str, Any]:
    first = {"id": 1, "price": 10.004, "band": "low"} | changes
    return {"rows": [first, {"id": "2", "price": None, "band": "high", "note": "more"}]}


def test_agreeing_rows_pass() -> None:
    assert compare_rows(rows(), ANSWERS, TABLE) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"price": 10.006},
        {"price": "10"},
        {"price": True},
        {"price": None},
        {"price": float("nan")},
        {"price": 10**400},
        {"price": [10]},
        {"band": "high"},
        {"band": None},
        {"id": "2"},
        {"id": None},
    ],
)
def test_other_values_fail(change: dict[str, Any]) -> None:
    assert compare_rows(rows(**change), ANSWERS, TABLE)


@pytest.mark.parametrize(
    "payload",
    [None, [], {}, {"rows": {}}, {"rows": [1, 2]}, {"rows": []}, {"rows": rows()["rows"] * 2}],
)
def test_other_bodies_fail(payload: Any) -> None:
    assert compare_rows(payload, ANSWERS, TABLE)


def test_other_order_fails() -> None:
    assert compare_rows({"rows": rows()["rows"][::-1]}, ANSWERS, TABLE)


def test_messages_hold_no_values() -> None:
    message = compare_rows(rows(price=4242.0), ANSWERS, TABLE)
    assert message == "POST /score answers another price than the batch command."


def test_sample_is_plain_json(contract: Contract, table: OutputTable) -> None:
    inputs = pd.DataFrame({"id": ["a", "b", "c"], "age": [1.0, np.nan, 3.0], "n": [1, 2, 3]})
    answers = pd.DataFrame({"id": ["a", "b", "c"], "price": [1.0, 2.0, 3.0]})
    sample = make_sample(inputs, answers, contract, table, 2)
    assert sample.rows == ({"id": "a", "age": 1.0, "n": 1}, {"id": "c", "age": 3.0, "n": 3})
    assert sample.answers["price"].tolist() == [1.0, 3.0]


def test_missing_values_are_null(contract: Contract, table: OutputTable) -> None:
    inputs = pd.DataFrame({"id": ["a"], "age": [np.nan], "site": pd.array([None], dtype="str")})
    sample = make_sample(inputs, pd.DataFrame({"id": ["a"]}), contract, table, 5)
    assert sample.rows == ({"id": "a", "age": None, "site": None},)
