"""Everything runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from fastapi.testclient import TestClient

from healthtariff.artefact import Artefact
from healthtariff.cli import main
from healthtariff.data import read_table
from healthtariff.pipeline import build_pipeline
from healthtariff.reporting import compare, pair
from healthtariff.scoring import score


def test_pipeline_is_built() -> None:
    assert build_pipeline() is not None


def test_rows_are_scored(trained: Artefact, rows: pd.DataFrame) -> None:
    assert score(trained, rows) is not None


def test_table_is_scored(model_file: Path, public_case: Path, tmp_path: Path) -> None:
    options = {
        "--model": model_file,
        "--input": public_case / "inputs" / "policies.csv",
        "--output": tmp_path / "premiums.csv",
    }
    arguments = [str(part) for option in options.items() for part in option]
    assert isinstance(main(["score", *arguments]), int)


def test_answers_are_compared(public_case: Path) -> None:
    expected = read_table(public_case / "expected" / "premiums.csv")
    assert compare(pair(expected, expected)) is not None


def test_service_answers(client: TestClient, records: list[dict[str, object]]) -> None:
    assert client.get("/health").status_code in range(200, 600)
    assert client.post("/score", json={"rows": records}).status_code in range(200, 600)
