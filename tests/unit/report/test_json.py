"""The report as JSON: whole, stable, and read back."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from grader.errors import UserError
from grader.model import Report
from grader.report import from_json, to_json


def test_samples_come_back_alike(sample: Report) -> None:
    assert to_json(from_json(to_json(sample))) == to_json(sample)


def test_keys_stand_in_order(accepted: Report) -> None:
    assert list(json.loads(to_json(accepted))) == [
        "schema", "challenge", "submission", "grader", "outcome", "total", "possible",
        "gated", "weakest", "reasons", "left_out", "notes", "standards", "accuracy",
        "findings", "cases", "columns", "timings",
    ]  # fmt: skip


def test_text_ends_with_newline(sample: Report) -> None:
    assert to_json(sample).endswith("}\n")


def test_text_is_plain_ascii(hostile: Report) -> None:
    assert to_json(hostile).isascii()


def test_order_of_timings_is_fixed(accepted: Report) -> None:
    turned = dict(reversed(list(accepted.timings.items())))
    assert to_json(replace(accepted, timings=turned)) == to_json(accepted)


def test_floats_keep_all_digits(accepted: Report) -> None:
    report = replace(accepted, timings={"train": 0.1 + 0.2})
    assert '"train": 0.30000000000000004' in to_json(report)


def test_unscored_points_are_null(ungraded: Report) -> None:
    document = json.loads(to_json(ungraded))
    assert (document["total"], document["accuracy"]["earned"]) == (None, None)


def test_nothing_scored_is_null(accepted: Report) -> None:
    bare = replace(accepted, scores=replace(accepted.scores, families={}))
    assert json.loads(to_json(bare))["standards"]["earned"] is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_finite_becomes_null(accepted: Report, value: float) -> None:
    columns = (replace(accepted.columns[0], largest_difference=value, points=((1.0, value),)),)
    document = json.loads(to_json(replace(accepted, columns=columns)))
    column = document["columns"][0]
    assert (column["largest_difference"], column["points"]) == (None, [[1.0, None]])


def test_infinite_difference_comes_back(accepted: Report) -> None:
    columns = (replace(accepted.columns[0], largest_difference=math.inf),)
    report = replace(accepted, columns=columns)
    assert from_json(to_json(report)) == report


def test_blocks_hold_their_sums(rejected: Report) -> None:
    document = json.loads(to_json(rejected))
    standards = document["standards"]
    assert standards["earned"] == sum(item["earned"] for item in standards["families"].values())


def test_finding_carries_its_points(rejected: Report) -> None:
    finding = json.loads(to_json(rejected))["findings"][-1]
    assert (finding["points"], finding["possible"], finding["line"]) == (0, 40, 12)


@pytest.mark.parametrize(
    "written",
    ["", "no JSON", "[]", "{}", '{"schema": "drydock.report/2"}', '{"schema": "drydock.report/1"}',
     "[" * 100_000],
)  # fmt: skip
def test_other_text_is_refused(written: str) -> None:
    with pytest.raises(UserError, match="bad-report"):
        from_json(written)


def test_refusal_names_the_place(accepted: Report) -> None:
    document = json.loads(to_json(accepted))
    document["findings"][2]["verdict"] = "perfect"
    with pytest.raises(UserError, match=r"\$\.findings\[2\]\.verdict"):
        from_json(json.dumps(document))
