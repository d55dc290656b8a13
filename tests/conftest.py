"""What all tests share: the real environment, and the real challenges."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import environment
from grader.model import Environment

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def standard_environment() -> Environment:
    return environment.load("standard")


@pytest.fixture(scope="session")
def challenges_folder() -> Path:
    return ROOT / "challenges"
