"""The live API: the batch's answers, and a clear refusal of what is malformed."""

from __future__ import annotations

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from healthtariff import __version__
from healthtariff.artefact import Artefact
from healthtariff.schema import FEATURES, NUMERIC
from healthtariff.scoring import score


def test_health_names_the_version(client: TestClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["version"] == __version__


def test_api_answers_like_batch(
    client: TestClient, trained: Artefact, rows: pd.DataFrame, records: list[dict[str, object]]
) -> None:
    answer = client.post("/score", json={"rows": records})
    assert answer.status_code == 200
    assert answer.json()["rows"] == score(trained, rows).to_dict(orient="records")


def test_one_row_is_enough(client: TestClient, records: list[dict[str, object]]) -> None:
    answer = client.post("/score", json={"rows": records[:1]})
    assert answer.status_code == 200
    assert len(answer.json()["rows"]) == 1


def test_missing_column_is_named(client: TestClient, records: list[dict[str, object]]) -> None:
    for record in records:
        del record[FEATURES[0]]
    answer = client.post("/score", json={"rows": records})
    assert answer.status_code == 422
    assert FEATURES[0] in answer.json()["detail"]


@pytest.mark.parametrize("name", NUMERIC)
def test_text_for_number_named(
    client: TestClient, records: list[dict[str, object]], name: str
) -> None:
    records[0][name] = "12"
    answer = client.post("/score", json={"rows": records})
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", "{}", '{"rows": 1}', '{"rows": []}', '{"rows": [[1]]}', '{"rows": [{}]}'],
)
def test_malformed_request_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert client.get("/health").status_code == 200
