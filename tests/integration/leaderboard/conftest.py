"""Times of the event that the store's tests are about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def now() -> Callable[..., datetime]:
    """Give a time in the event, so many hours and minutes after its start."""
    return lambda hours=0, minutes=0: START + timedelta(hours=hours, minutes=minutes)
