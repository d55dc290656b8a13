"""Who may do what: a table of the pages, one of what is done to a team's things, one of the routes.

What is not in a table is allowed to nobody; a route that is not is as closed as the pages are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


class Audience(StrEnum):
    """Whom a route lets come near, before its use case looks at what they ask for."""

    ANYBODY = "anybody"
    """It shows nothing of anybody, or is the way in."""
    HOLDERS = "who holds its word"
    """A link that was handed out, a hook's key, a webhook's secret: the route proves it itself."""
    BEARERS = "who sends a token"
    """The route reads the token, or for reading a session, itself."""
    SIGNED_IN = "who is signed in"
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True, slots=True)
class Door:
    """A route, and who gets through."""

    audience: Audience
    action: Action | None = None
    """What it does to a team's things, for whom `BY_ROLE` and `BY_MEMBERS` say."""


ROUTES: Mapping[str, Door] = {
    "/": Door(Audience.SIGNED_IN),
    "/home": Door(Audience.SIGNED_IN),
    "/sign-in": Door(Audience.ANYBODY),
    "/sign-out": Door(Audience.ANYBODY),
    "/sso/": Door(Audience.ANYBODY),
    "/setup/": Door(Audience.HOLDERS),
    "/join/": Door(Audience.HOLDERS),
    "/enter/": Door(Audience.HOLDERS),
    "/health": Door(Audience.ANYBODY),
    "/metrics": Door(Audience.ANYBODY),
    "/static/": Door(Audience.ANYBODY),
    "/favicon": Door(Audience.ANYBODY),
    "/_stcore/health": Door(Audience.ANYBODY),
    "/_stcore/metrics": Door(Audience.ADMINISTRATORS),
    "/files/challenges/": Door(Audience.SIGNED_IN),
    "/files/kits/": Door(Audience.SIGNED_IN),
    "/files/lessons/": Door(Audience.SIGNED_IN),
    "/files/feedback/": Door(Audience.SIGNED_IN),
    "/files/reports/": Door(Audience.SIGNED_IN, Action.READ),
    "/files/records/": Door(Audience.SIGNED_IN, Action.READ),
    "/files/records/portal.pem": Door(Audience.SIGNED_IN),
    "/api/": Door(Audience.BEARERS),
    "/api/v1/submissions": Door(Audience.BEARERS, Action.SUBMIT),
    "/api/v1/submissions/": Door(Audience.BEARERS, Action.READ),
    "/git/": Door(Audience.BEARERS, Action.READ),
    "/hook/": Door(Audience.HOLDERS),
    "/webhooks/": Door(Audience.HOLDERS, Action.SUBMIT),
}
"""Beginnings of addresses; of those that fit, the longest counts. All pages are behind the first,
and `PAGES` says whose each is. A push, which is under ``/git/`` too, is `Action.SUBMIT`."""

_UNPROVEN = frozenset({Audience.ANYBODY, Audience.HOLDERS, Audience.BEARERS})


def door(path: str) -> Door:
    """Return the door that an address is behind."""
    return ROUTES[max((known for known in ROUTES if path.startswith(known)), key=len)]


def passes(person: Person | None, path: str) -> bool:
    """Return whether somebody comes near a route; None is a stranger."""
    audience = door(path).audience
    if audience in _UNPROVEN or person is None:
        return audience in _UNPROVEN
    return audience is Audience.SIGNED_IN or Role.ADMIN in person.roles


def may_open(person: Person, page: Page) -> bool:
    """Return whether somebody may open a page."""
    return person.active and not PAGES[page].isdisjoint(person.roles)


def may(person: Person, action: Action, team: Team) -> bool:
    """Return whether somebody may do something to a team's things."""
    if not person.active:
        return False
    own = action in BY_MEMBERS and person.id in team.members
    return own or not BY_ROLE[action].isdisjoint(person.roles)
