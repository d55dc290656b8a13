"""What a submission itself asks of its leaders."""

from __future__ import annotations

import pytest

from portal.grading import asked_waivers

PROJECT = """
[project]
name = "port"

[tool.drydock.waivers]
STYL004 = "The rating table keeps the legacy branches."
MODU004 = [{ path = "./src/port/tariff.py", reason = "One function per page of the tariff." }]
"""


def test_waivers_are_read_off_the_project() -> None:
    asked = asked_waivers(PROJECT.splitlines())
    assert [(item.code, item.path) for item in asked] == [
        ("MODU004", "src/port/tariff.py"),
        ("STYL004", ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not = [toml",
        "tool = 7",
        "[tool]\ndrydock = 7",
        "[tool.drydock]\nwaivers = 7",
        "[tool.drydock.waivers]",
    ],
)
def test_what_cannot_be_read_asks_for_nothing(text: str) -> None:
    assert asked_waivers(text.splitlines()) == ()
