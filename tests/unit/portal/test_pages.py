"""Each page, drawn for each role without a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leaderboard.model import Role
from portal.access import PAGES, Page
from portal.house import House, occupy, open_house
from portal.settings import Settings
from tests.support.pages import drawn
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


CASES = [(role, page) for page, roles in PAGES.items() for role in ROLES if Role(role) in roles]


@pytest.mark.parametrize(("role", "page"), CASES)
def test_page_is_drawn_for_whom_it_is(
    monkeypatch: pytest.MonkeyPatch, held: Held, role: str, page: Page
) -> None:
    app = drawn(monkeypatch, held, ROLES[role], page)
    assert not app.exception
    assert app.title[0].value
