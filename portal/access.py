"""Who may do what: one table for pages and routes, and one for what is done to things.

What is not in a table is allowed to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from leaderboard.model import Person, Role, Team

ANYONE = frozenset(Role)
"""Everybody who is signed in."""


class Page(StrEnum):
    """The portal's pages, by their addresses."""

    HOME = "home"
    LESSONS = "lessons"
    CHALLENGES = "challenges"
    TEAM = "team"
    REPORT = "report"
    LEADERBOARD = "leaderboard"
    REVIEW = "review"
    ADOPTION = "adoption"
    DESK = "desk"
    ADMINISTRATION = "administration"
    PROFILE = "profile"


PAGES: Mapping[Page, frozenset[Role]] = {
    Page.HOME: ANYONE,
    Page.LESSONS: ANYONE,
    Page.CHALLENGES: ANYONE,
    Page.TEAM: ANYONE,
    Page.REPORT: ANYONE,
    Page.LEADERBOARD: ANYONE,
    Page.REVIEW: frozenset({Role.LEADER}),
    Page.ADOPTION: frozenset({Role.MANAGER, Role.LEADER, Role.ADMIN}),
    Page.DESK: frozenset({Role.CHAMPION}),
    Page.ADMINISTRATION: frozenset({Role.ADMIN}),
    Page.PROFILE: ANYONE,
}


class Action(StrEnum):
    """What may be done to a team's things."""

    READ = "read reports and code"
    SUBMIT = "submit"
    ASK = "ask for a waiver"
    REVIEW = "review"
    REGRADE = "grade again"


BY_ROLE: Mapping[Action, frozenset[Role]] = {
    Action.READ: frozenset({Role.LEADER, Role.CHAMPION}),
    Action.SUBMIT: frozenset(),
    Action.ASK: frozenset(),
    Action.REVIEW: frozenset({Role.LEADER}),
    Action.REGRADE: frozenset({Role.LEADER, Role.CHAMPION}),
}
"""Roles that may do it to any team's things."""

BY_MEMBERS = frozenset({Action.READ, Action.SUBMIT, Action.ASK})
"""What a team's members may do to its own."""


def may_open(person: Person, page: Page) -> bool:
    """Return whether somebody may open a page."""
    return person.active and not PAGES[page].isdisjoint(person.roles)


def may(person: Person, action: Action, team: Team) -> bool:
    """Return whether somebody may do something to a team's things."""
    if not person.active:
        return False
    own = action in BY_MEMBERS and person.id in team.members
    return own or not BY_ROLE[action].isdisjoint(person.roles)
