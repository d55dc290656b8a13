from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from grader.accuracy.robustness import Variant, judge_variant, names, variants
from grader.model import CaseResult, Cause, Contract, OutputTable, Verdict

CONTENT = b'id,age,site,note\nk1,30,x,"a, b"\nk2,,y,\nk3,5.10,x,c\n'
USUAL = pd.DataFrame({"id": ["k1", "k2", "k3"], "price": [1.0, 2.0, 3.0]})
ANSWERS = "id,price\nk1,1\nk2,2\nk3,3\n"


def make(contract: Contract) -> dict[str, Variant]:
    return {v.name.removeprefix("robustness/"): v for v in variants(CONTENT, contract)}


def judge(name: str, outcome: Any, contract: Contract, table: OutputTable) -> CaseResult:
    variant = make(contract)[name]
    usual = USUAL.set_index("id", drop=False).loc[variant.keys["id"]].reset_index(drop=True)
    return judge_variant(variant, outcome, usual, "robust", table)


def test_names_follow_the_contract(contract: Contract) -> None:
    bare = replace(contract, numeric_columns=(), category_columns=(), required_columns=("id",))
    assert len(names(contract)) == 9
    assert len(names(bare)) == 6


def test_names_and_variants_agree(contract: Contract) -> None:
    assert tuple(v.name for v in variants(CONTENT, contract)) == names(contract)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing-column", b'id,site,note\nk1,x,"a, b"\nk2,y,\nk3,x,c\n'),
        ("text-in-number", CONTENT.replace(b"30", b"n/a?")),
        ("empty-file", b""),
        ("header-only", b"id,age,site,note\n"),
        ("unseen-level", CONTENT.replace(b"30,x", b"30,never-seen-before")),
        ("one-row", b"id,age,site,note\nk3,5.10,x,c\n"),
        ("shuffled-columns", b'note,site,age,id\n"a, b",x,30,k1\n,y,,k2\nc,x,5.10,k3\n'),
    ],
)
def test_variants_change_one_thing(name: str, content: bytes, contract: Contract) -> None:
    assert make(contract)[name].content == content


def test_shuffled_rows_are_all_there(contract: Contract) -> None:
    content = make(contract)["shuffled-rows"].content
    assert sorted(content.splitlines()) == sorted(CONTENT.splitlines())


def test_unseen_number_is_a_number(contract: Contract) -> None:
    coded = replace(contract, category_columns=("age",))
    assert make(coded)["unseen-level"].content == CONTENT.replace(b"30", b"31")


def test_large_tables_are_sampled(contract: Contract) -> None:
    rows = "".join(f"k{number},1,x,\n" for number in range(1000))
    found = variants(f"id,age,site,note\n{rows}".encode(), contract)
    assert max(len(v.keys) for v in found) == 60


@pytest.mark.parametrize("name", ["missing-column", "text-in-number"])
def test_naming_refusal_passes(
    name: str, contract: Contract, table: OutputTable, outcomes: Any
) -> None:
    found = judge(name, outcomes.refused("port: column age is bad\n"), contract, table)
    assert (found.verdict, found.share, found.group) == (Verdict.PASS, 1, "robust")


@pytest.mark.parametrize(
    ("stderr", "code", "left", "said"),
    [
        ("column age", 1, None, "not with exit code 2"),
        ("bad input", 2, None, "without naming the column 'age'"),
        ("Traceback (most recent call last):\nKeyError: 'age'", 2, None, "traceback"),
        ("column age", 2, b"id,pri", "left an output file behind"),
    ],
)
def test_poor_refusals_fail(
    stderr: str,
    code: int,
    left: bytes | None,
    said: str,
    contract: Contract,
    table: OutputTable,
    outcomes: Any,
) -> None:
    found = judge("missing-column", outcomes.refused(stderr, code, left=left), contract, table)
    assert found.cause is Cause.CRASH
    assert said in found.message


def test_silent_refusal_fails(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("empty-file", outcomes.refused(" \n"), contract, table)
    assert "without saying why" in found.message


def test_answering_bad_input_fails(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("text-in-number", outcomes.wrote(ANSWERS), contract, table)
    assert (found.cause, found.share) == (Cause.WRONG_VALUE, 0)


def test_same_answers_pass(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    assert judge("shuffled-rows", outcomes.wrote(ANSWERS), contract, table).share == 1


def test_other_answers_fail(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("one-row", outcomes.wrote("id,price\nk3,3.1\n"), contract, table)
    assert found.cause is Cause.WRONG_VALUE


def test_refusing_good_input_fails(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("extra-column", outcomes.refused("what is this?"), contract, table)
    assert found.message == "Refused a table that it can answer."


def test_header_alone_gives_no_rows(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    assert judge("header-only", outcomes.wrote("id,price\n"), contract, table).share == 1
    assert judge("header-only", outcomes.refused("no rows"), contract, table).share == 1


@pytest.mark.parametrize(("price", "share"), [("", 1), ("99", 1)])
def test_unseen_row_is_open(
    price: str, share: float, contract: Contract, table: OutputTable, outcomes: Any
) -> None:
    wrote = outcomes.wrote(f"id,price\nk1,{price}\nk2,2\nk3,3\n")
    assert judge("unseen-level", wrote, contract, table).share == share


def test_other_rows_are_not_open(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    wrote = outcomes.wrote("id,price\nk1,1\nk2,9\nk3,3\n")
    assert judge("unseen-level", wrote, contract, table).share == 0


def test_missing_table_is_named(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("one-row", outcomes.failed(Cause.MISSING_OUTPUT), contract, table)
    assert (found.cause, found.verdict) == (Cause.MISSING_OUTPUT, Verdict.FAIL)


def test_our_failure_is_an_error(contract: Contract, table: OutputTable, outcomes: Any) -> None:
    found = judge("one-row", outcomes.failed(Cause.SANDBOX), contract, table)
    assert found.verdict is Verdict.ERROR
