"""The commands that a scheduler runs: what they write, and how they fail."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pandas as pd
import pytest

from healthtariff.cli import main
from healthtariff.data import read_table
from healthtariff.schema import FEATURES, KEY, OUTPUTS


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "premiums.csv"


def _score(model: Path, table: Path, output: Path) -> int:
    return main(["score", "--model", str(model), "--input", str(table), "--output", str(output)])


def test_train_writes_the_model(training_folder: Path, model_file: Path, tmp_path: Path) -> None:
    written = tmp_path / "model.bin"
    assert main(["train", "--data", str(training_folder), "--model", str(written)]) == 0
    assert written.read_bytes() == model_file.read_bytes()


def test_score_answers_every_row(
    model_file: Path, public_case: Path, public_rows: pd.DataFrame, output: Path
) -> None:
    assert _score(model_file, public_case / "inputs" / "policies.csv", output) == 0
    answers = read_table(output)
    assert answers[list(KEY)].equals(public_rows[list(KEY)])
    assert list(answers.columns) == [*KEY, *(column.name for column in OUTPUTS)]


def test_bad_input_exits_two(
    model_file: Path,
    rows: pd.DataFrame,
    tmp_path: Path,
    output: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = tmp_path / "table.csv"
    rows.drop(columns=FEATURES[0]).to_csv(table, index=False)
    assert _score(model_file, table, output) == 2
    assert f"column {FEATURES[0]!r} is missing" in caplog.text
    assert not output.exists()


def test_unwritable_output_exits_two(
    model_file: Path, public_case: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = tmp_path / "no" / "such" / "folder.csv"
    assert _score(model_file, public_case / "inputs" / "policies.csv", nowhere) == 2
    assert "folder.csv cannot be written" in caplog.text


def test_report_measures_the_port(model_file: Path, public_case: Path, tmp_path: Path) -> None:
    written = tmp_path / "metrics.json"
    table = public_case / "inputs" / "policies.csv"
    expected = public_case / "expected" / "premiums.csv"
    files = {"model": model_file, "input": table, "expected": expected, "output": written}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    assert main(["report", *options]) == 0
    metrics = json.loads(written.read_text(encoding="utf-8"))
    assert set(metrics["columns"]) == {column.name for column in OUTPUTS}
    drawn = {file.name for file in tmp_path.glob("parity-*.png")}
    assert drawn == {f"parity-{column.name}.png" for column in OUTPUTS if not column.exact}


def test_module_runs_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["healthtariff", "--help"])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("healthtariff", run_name="__main__")
    assert stopped.value.code == 0
