"""Each page, drawn for each role without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.model import Role, Session
from portal.access import PAGES, Page
from portal.house import House, occupy, open_house
from portal.pages import common
from portal.settings import HOME, Settings
from tests.support.portal import Held, hold

ROLES = {"member": "Ada", "champion": "Edda", "leader": "Finn", "manager": "Gita", "admin": "Hugo"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(Settings(data=tmp_path_factory.mktemp("data")))
    occupy(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def held(house: House) -> Held:
    return hold(house)


def drawn(monkeypatch: pytest.MonkeyPatch, held: Held, name: str, page: Page) -> AppTest:
    """Draw a page as somebody sees it; AppTest has no cookies to sign in with."""
    session = Session(
        person=held.people[name],
        form_token="word",  # noqa: S106 - nobody sends a form
        expires_at=held.event.ends_at + timedelta(days=1),
    )
    monkeypatch.setattr(common, "current_session", lambda: session)
    app = AppTest.from_file(str(HOME / "app.py"), default_timeout=30).run()
    if page is not Page.HOME:
        app.switch_page(str(Path("portal") / "pages" / f"{page.value}.py")).run()
    return app


CASES = [(role, page) for page, roles in PAGES.items() for role in ROLES if Role(role) in roles]


@pytest.mark.parametrize(("role", "page"), CASES)
def test_page_is_drawn_for_whom_it_is(
    monkeypatch: pytest.MonkeyPatch, held: Held, role: str, page: Page
) -> None:
    app = drawn(monkeypatch, held, ROLES[role], page)
    assert not app.exception
    assert app.title[0].value
