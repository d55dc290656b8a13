"""The published schema, and that reports keep to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from grader.model import Report
from grader.report import from_json, schema, to_json

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"


def validate(document: object) -> None:
    Draft202012Validator(dict(schema())).validate(document)


def test_schema_itself_is_valid() -> None:
    Draft202012Validator.check_schema(dict(schema()))


def test_published_schema_is_current() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema()


def test_samples_keep_to_it(sample: Report) -> None:
    validate(json.loads(to_json(sample)))


@pytest.mark.parametrize("key", ["schema", "challenge", "total", "findings", "timings"])
def test_every_key_is_required(accepted: Report, key: str) -> None:
    document = json.loads(to_json(accepted))
    del document[key]
    with pytest.raises(ValidationError, match="required"):
        validate(document)


def test_reports_of_earlier_graders_are_read(accepted: Report) -> None:
    document = json.loads(to_json(accepted))
    del document["challenge"]["data_digest"], document["grader"]["rubric_digest"]
    read = from_json(json.dumps(document))
    assert (read.data_digest, read.rubric_digest) == ("", "")


def test_unknown_keys_are_refused(accepted: Report) -> None:
    document = json.loads(to_json(accepted)) | {"extra": 1}
    with pytest.raises(ValidationError, match="extra"):
        validate(document)


def test_shares_above_one_are_refused(accepted: Report) -> None:
    document = json.loads(to_json(accepted))
    document["cases"][0]["share"] = 1.5
    with pytest.raises(ValidationError, match="maximum"):
        validate(document)
