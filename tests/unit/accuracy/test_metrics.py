"""A metrics report is data from a stranger: what is wrong with it is named, whatever it is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from grader.accuracy.metrics import LARGEST, judge_report
from grader.accuracy.port import METRICS_FILE, Reported
from grader.model import ColumnParity, ReportRun
from grader.sandbox import Collected

PICTURE = "parity-premium.png"
SEEN = ColumnParity(
    case="public/usual",
    column="premium",
    score=90.0,
    within=0.75,
    worst_segment="all rows",
    worst_segment_within=0.75,
    median_difference=0.0,
    largest_difference=2.5,
)


def png(width: int = 800, height: int = 400) -> bytes:
    size = width.to_bytes(4) + height.to_bytes(4)
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + b"IHDR" + size + b"the rest"


@pytest.fixture
def training(tmp_path: Path) -> Path:
    (tmp_path / "train.csv").write_text("a\n1\n")
    return tmp_path


@pytest.fixture
def content(training: Path) -> dict[str, Any]:
    digest = hashlib.sha256((training / "train.csv").read_bytes()).hexdigest()
    figures = {
        "rows": 4,
        "within_tolerance": 0.75,
        "median_difference": 0,
        "largest_difference": 2.5,
    }
    return {
        "schema": "drydock.metrics/1",
        "columns": {"premium": figures},
        "lineage": {"package_version": "1.0", "data": {"train.csv": digest}},
    }


def judged(written: bytes | None, training: Path, picture: bytes | None = None) -> ReportRun:
    files = {METRICS_FILE: written, PICTURE: png() if picture is None else picture}
    collected = {
        name: Collected(name=name, content=held, problem="missing" if held is None else None)
        for name, held in files.items()
    }
    return judge_report(Reported(files=collected, failure=None), [SEEN], 4, training)


def test_true_report_has_no_fault(content: dict[str, Any], training: Path) -> None:
    assert judged(json.dumps(content).encode(), training) == ReportRun()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("rows", 3, "premium: rows is 4, not 3"),
        ("rows", 10**400, "premium: rows is 4, not 1000"),
        ("within_tolerance", 0.7501, "premium: within_tolerance is 0.75, not 0.7501"),
        ("median_difference", None, "premium: median_difference is 0, not null"),
        ("largest_difference", 2.6, "premium: largest_difference is 2.5, not 2.6"),
    ],
)
def test_untrue_figure_is_named(
    content: dict[str, Any], training: Path, name: str, value: float | None, told: str
) -> None:
    content["columns"]["premium"][name] = value
    (said,) = judged(json.dumps(content).encode(), training).untrue
    assert said.startswith(told)


def test_missing_column_is_named(content: dict[str, Any], training: Path) -> None:
    content["columns"]["price"] = content["columns"].pop("premium")
    assert judged(json.dumps(content).encode(), training).untrue == ("premium is missing",)


def test_last_digits_are_free(content: dict[str, Any], training: Path) -> None:
    content["columns"]["premium"]["largest_difference"] = 2.5000001
    assert judged(json.dumps(content).encode(), training) == ReportRun()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "left no usable metrics.json: missing"),
        (b"", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"schema": NaN}', "NaN is no JSON number"),
        (b"9" * 5000, "is no JSON"),
        (b" " * (LARGEST + 1), "is larger than 1024 kB"),
        (b"[]", "is not of type"),
        (b"{}", "is a required property"),
        (
            (
                b'{"schema": "drydock.metrics/1", "columns": {"a": 3},'
                b' "lineage": {"package_version": "1", "data": {}}}'
            ),
            "metrics.json / columns / a: 3 is not of type",
        ),
    ],
)
def test_other_content_is_refused(written: bytes | None, told: str, training: Path) -> None:
    run = judged(written, training)
    assert told in run.problem
    assert run.problem.isprintable()


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (b"", "no PNG"),
        (b"GIF89a" + png(), "no PNG"),
        (png()[:20], "no PNG"),
        (png(1, 1), "1 by 1 pixels"),
    ],
)
def test_no_picture_is_named(
    content: dict[str, Any], training: Path, picture: bytes, told: str
) -> None:
    run = judged(json.dumps(content).encode(), training, picture)
    assert run.undrawn == (f"{PICTURE} ({told})",)


def test_missing_digest_is_named(content: dict[str, Any], training: Path) -> None:
    (training / "second.csv").write_text("b\n2\n")
    assert judged(json.dumps(content).encode(), training).untraced == ("second.csv",)
