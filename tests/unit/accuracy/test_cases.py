from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from grader.accuracy.cases import Judged, judge_parity, judge_training
from grader.model import Case, CaseResult, Cause, Contract, OutputTable, Segment, Verdict

KEYS = pd.DataFrame({"id": ["k1", "k2"]}, dtype="str")


def train(one: str, other: str, table: OutputTable, outcomes: Any) -> CaseResult:
    first, second = outcomes.wrote(one), outcomes.wrote(other)
    return judge_training(first, second, "repeat", "x/twice", KEYS, table)


@pytest.mark.parametrize(
    ("other", "share"),
    [
        ("id,price\nk2,2.0\nk1,1\n", 1.0),
        ("id,price\nk1,1.001\nk2,2\n", 0.5),
        ("id,price\nk1,1.1\nk2,2\n", 0.0),
    ],
)
def test_training_twice_is_compared(
    other: str, share: float, table: OutputTable, outcomes: Any
) -> None:
    found = train("id,price\nk1,1\nk2,2\n", other, table, outcomes)
    assert found.share == share
    assert found.cause is (None if share == 1 else Cause.NONDETERMINISTIC)


def test_failed_second_training_fails(table: OutputTable, outcomes: Any) -> None:
    first, second = outcomes.wrote("id,price\nk1,1\nk2,2\n"), outcomes.failed(Cause.TIMEOUT)
    found = judge_training(first, second, "repeat", "x/twice", KEYS, table)
    assert (found.cause, found.share) == (Cause.TIMEOUT, 0)


def parity(
    outcome: Any, contract: Contract, table: OutputTable, folder: Path, scope: str
) -> Judged:
    (folder / "in.csv").write_text(
        "id,age\n" + "".join(f"k{i},{i}\n" for i in range(10)), encoding="utf-8"
    )
    (folder / "o.csv").write_text(
        "id,price\n" + "".join(f"k{i},{i}.0\n" for i in range(10)), encoding="utf-8"
    )
    return judge_parity(
        Case(name=f"{scope}/main", inputs=folder, expected=folder),
        "parity",
        outcome,
        contract=contract,
        table=table,
        segments=(Segment(name="old", where="age >= 5"),),
        limit_bytes=1000,
    )


def answers(off: float) -> str:
    rows = "".join(f"k{i},{i + (off if i == 7 else 0)!r}\n" for i in range(10))
    return f"id,price\n{rows}"


def test_right_table_passes(
    contract: Contract, table: OutputTable, tmp_path: Path, outcomes: Any
) -> None:
    found = parity(outcomes.wrote(answers(0)), contract, table, tmp_path, "hidden").result
    assert (found.verdict, found.share, found.cause) == (Verdict.PASS, 1, None)


def test_message_places_the_error(
    contract: Contract, table: OutputTable, tmp_path: Path, outcomes: Any
) -> None:
    found = parity(outcomes.wrote(answers(1.23456)), contract, table, tmp_path, "hidden").result
    assert found.message == (
        "price: 90.0 % of the rows within tolerance, 80.0 % in the worst segment (old); "
        "off by up to 1.2."
    )


def test_hidden_differences_are_coarse(
    contract: Contract, table: OutputTable, tmp_path: Path, outcomes: Any
) -> None:
    wrote = outcomes.wrote(answers(1.23456))
    assert parity(wrote, contract, table, tmp_path, "hidden").result.difference == 1.2
    public = parity(wrote, contract, table, tmp_path, "public").result.difference
    assert public == pytest.approx(1.23456)


def test_missing_rows_are_bad_schema(
    contract: Contract, table: OutputTable, tmp_path: Path, outcomes: Any
) -> None:
    wrote = outcomes.wrote("id,price\nk1,1\n")
    found = parity(wrote, contract, table, tmp_path, "hidden").result
    assert (found.cause, found.share) == (Cause.BAD_SCHEMA, 0)


def test_our_failure_is_an_error(
    contract: Contract, table: OutputTable, tmp_path: Path, outcomes: Any
) -> None:
    lost = outcomes.failed(Cause.SANDBOX)
    found = parity(lost, contract, table, tmp_path, "hidden").result
    assert found.verdict is Verdict.ERROR
