"""The challenge's public files, read once, and a model trained on them once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from healthtariff import artefact
from healthtariff.api import app
from healthtariff.artefact import Artefact
from healthtariff.data import read_table
from healthtariff.schema import TRAINING_FILE
from healthtariff.training import train

CHALLENGE = Path(__file__).parents[1] / "challenge"


@pytest.fixture(scope="session")
def training_folder() -> Path:
    return CHALLENGE / "data" / "train"


@pytest.fixture(scope="session")
def public_case() -> Path:
    return min((CHALLENGE / "cases" / "public").iterdir())


@pytest.fixture(scope="session")
def training_table(training_folder: Path) -> pd.DataFrame:
    return read_table(training_folder / TRAINING_FILE)


@pytest.fixture(scope="session")
def trained(training_folder: Path) -> Artefact:
    return train(training_folder)


@pytest.fixture(scope="session")
def model_file(trained: Artefact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.bin"
    artefact.save(trained, path)
    return path


@pytest.fixture(scope="session")
def public_rows(public_case: Path) -> pd.DataFrame:
    return read_table(public_case / "inputs" / "policies.csv")


@pytest.fixture
def rows(public_rows: pd.DataFrame) -> pd.DataFrame:
    """Return a few rows that a test may change as it likes."""
    return public_rows.head(8).copy()


@pytest.fixture
def records(rows: pd.DataFrame) -> list[dict[str, object]]:
    """Return the same rows as JSON would bring them: what is missing is None."""
    table = rows.astype(object).where(rows.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


@pytest.fixture
def client(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("MODEL_FILE", str(model_file))
    with TestClient(app) as client:
        yield client
