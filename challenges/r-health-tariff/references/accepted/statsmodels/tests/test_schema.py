"""The package answers what the challenge asks for, as closely as the challenge asks for it."""

from __future__ import annotations

import tomllib
from pathlib import Path

from healthtariff.schema import CATEGORY, FEATURES, KEY, NUMERIC, OUTPUTS

CHALLENGE = Path(__file__).parents[1] / "challenge" / "challenge.toml"


def test_schema_is_the_challenges() -> None:
    asked = tomllib.loads(CHALLENGE.read_text(encoding="utf-8"))
    tolerances = {
        name: (column.get("absolute", 0.0), column.get("relative", 0.0))
        for output in asked["output"]
        for name, column in output["columns"].items()
    }
    assert {output.name: (output.absolute, output.relative) for output in OUTPUTS} == tolerances
    assert list(KEY) == asked["submission"]["key"]
    assert set(FEATURES) == set(asked["submission"]["required_columns"])
    assert set(NUMERIC) == set(asked["submission"]["numeric_columns"])


def test_levels_are_of_features() -> None:
    assert set(CATEGORY) <= set(FEATURES)
