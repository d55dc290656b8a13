"""What all tests share: the real environment, and the real challenges."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from grader import environment
from grader.model import Environment

# How busy a machine is decides about no test.
settings.register_profile("drydock", deadline=None)
settings.load_profile("drydock")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def standard_environment() -> Environment:
    return environment.load("standard")


@pytest.fixture(scope="session")
def challenges_folder() -> Path:
    return ROOT / "challenges"
