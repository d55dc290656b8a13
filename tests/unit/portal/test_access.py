"""The authorisation matrix, written down a second time by hand: a slip shows."""

from __future__ import annotations

from itertools import product

import pytest

from leaderboard.model import Person, Role, Team
from portal.access import BY_ROLE, PAGES, Action, Page, may, may_open

EVERYBODY = "member champion leader manager admin"
MATRIX = {
    "home": EVERYBODY,
    "lessons": EVERYBODY,
    "challenges": EVERYBODY,
    "team": EVERYBODY,
    "report": EVERYBODY,
    "leaderboard": EVERYBODY,
    "profile": EVERYBODY,
    "review": "leader",
    "adoption": "leader manager admin",
    "desk": "champion",
    "administration": "admin",
}
OTHERS_THINGS = {
    "read reports and code": "champion leader",
    "submit": "",
    "ask for a waiver": "",
    "review": "leader",
    "grade again": "champion leader",
}
OWN_THINGS = {"read reports and code", "submit", "ask for a waiver"}


def person(*roles: Role, active: bool = True) -> Person:
    return Person(
        id=7,
        email="ada@example.org",
        name="Ada",
        unit_id=None,
        roles=frozenset(roles),
        active=active,
    )


def team(*members: int) -> Team:
    return Team(id=1, event_id=1, name="Blue", slug="blue", members=members)


def test_matrix_names_every_page_and_action() -> None:
    assert set(MATRIX) == {page.value for page in Page} == {page.value for page in PAGES}
    assert set(OTHERS_THINGS) == {action.value for action in Action}
    assert set(BY_ROLE) == set(Action)


@pytest.mark.parametrize(("role", "page"), list(product(Role, Page)))
def test_page_opens_to_its_roles(role: Role, page: Page) -> None:
    assert may_open(person(role), page) == (role.value in MATRIX[page.value].split())


@pytest.mark.parametrize(("role", "action"), list(product(Role, Action)))
def test_others_things_are_for_few(role: Role, action: Action) -> None:
    expected = role.value in OTHERS_THINGS[action.value].split()
    assert may(person(role), action, team(1, 2)) == expected


@pytest.mark.parametrize("action", Action)
def test_members_do_with_their_own(action: Action) -> None:
    assert may(person(Role.MEMBER), action, team(1, 7)) == (action.value in OWN_THINGS)


def test_closed_account_opens_nothing() -> None:
    shut_out = person(*Role, active=False)
    assert not any(may_open(shut_out, page) for page in Page)
    assert not any(may(shut_out, action, team(7)) for action in Action)


def test_no_role_opens_nothing() -> None:
    assert not any(may_open(person(), page) for page in Page)
