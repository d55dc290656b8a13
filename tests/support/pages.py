"""Pages as somebody sees them, drawn without a browser."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.model import Session
from portal.access import Page
from portal.pages import common
from portal.settings import HOME
from tests.support.portal import Held


class _Labelled(Protocol):
    label: str


_Widget = TypeVar("_Widget", bound=_Labelled)


def drawn(monkeypatch: pytest.MonkeyPatch, held: Held, name: str, page: Page) -> AppTest:
    """Draw a page as somebody sees it; AppTest has no cookies to sign in with."""
    session = Session(
        person=held.people[name],
        form_token="word",  # noqa: S106 - no door is gone through
        expires_at=held.event.ends_at + timedelta(days=1),
    )
    monkeypatch.setattr(common, "current_session", lambda: session)
    app = AppTest.from_file(str(HOME / "app.py"), default_timeout=30).run()
    if page is not Page.HOME:
        app.switch_page(str(Path("portal") / "pages" / f"{page.value}.py")).run()
    return app


def named(widgets: Iterable[_Widget], label: str) -> _Widget:
    """Return the one widget that has a label."""
    (found,) = [item for item in widgets if item.label == label]
    return found
