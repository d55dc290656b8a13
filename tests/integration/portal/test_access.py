"""The authorisation matrix on the real portal: who comes through which route.

What is expected is written down here by hand, a second time: a slip in the table shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from leaderboard.model import LinkPurpose
from portal.access import PAGES, ROUTES, Audience, door
from portal.services import accounts, submitting
from portal.settings import SingleSignOn
from portal.web import api, files, operations, signin, sso, webhooks
from portal.web.git import Pushes
from tests.support.portal import SLUG, Portal

MEMBER, OTHER, CHAMPION, LEADER, MANAGER, ADMIN = "Ada", "Cleo", "Edda", "Finn", "Gita", "Hugo"
"""Ada is of the team whose things are asked for; Cleo is of another one."""
EVERYBODY = {MEMBER, OTHER, CHAMPION, LEADER, MANAGER, ADMIN}
READERS = {MEMBER, CHAMPION, LEADER}
BROWSER: Mapping[str, set[str]] = {
    "/files/reports/{blue}.json": READERS,
    "/files/records/{blue}.json": READERS,
    "/files/records/portal.pem": EVERYBODY,
    f"/files/challenges/{SLUG}.zip": EVERYBODY,
    f"/files/kits/{SLUG}.zip": EVERYBODY,
    "/files/lessons/from-notebook-to-package.zip": EVERYBODY,
    "/_stcore/metrics": {ADMIN},
    "/_stcore/host-config": EVERYBODY,
}
PROGRAM: Mapping[tuple[str, str], set[str]] = {
    ("GET", "/api/v1/me"): EVERYBODY,
    ("GET", "/api/v1/events"): EVERYBODY,
    ("GET", f"/api/v1/events/spring/challenges/{SLUG}/leaderboard"): EVERYBODY,
    ("GET", "/api/v1/submissions/{blue}"): READERS,
    ("GET", "/api/v1/submissions/{blue}/progress"): READERS,
    ("POST", "/api/v1/submissions"): {MEMBER},
}
GIT = {"git-upload-pack": READERS, "git-receive-pack": {MEMBER}}
OPEN = ["/health", "/metrics", "/sign-in", "/sign-out", "/_stcore/health", "/api/v1/docs"]
REFUSED = {401, 403}


@pytest.fixture(scope="module")
def blue(portal: Portal) -> int:
    """Return the number of a submission of Blue's."""
    held = portal.held
    sent, _ = submitting.submit(
        portal.house, held.people[MEMBER], held.blue, held.version, "b" * 40
    )
    return sent.id


@pytest.fixture(scope="module")
def browsers(portal: Portal) -> Iterator[Mapping[str, httpx.Client]]:
    opened = {}
    for name in EVERYBODY:
        person = portal.held.people[name]
        link = accounts.hand_out(portal.house, LinkPurpose.SIGN_IN, person.id)
        opened[name] = httpx.Client(base_url=portal.address, timeout=60)
        assert opened[name].post(link).status_code == 303
    yield opened
    for client in opened.values():
        client.close()


@pytest.mark.parametrize("path", BROWSER)
def test_browser_reaches_what_is_its_own(
    portal: Portal, browsers: Mapping[str, httpx.Client], blue: int, path: str
) -> None:
    asked = path.format(blue=blue)
    through = {
        name for name, client in browsers.items() if client.get(asked).status_code not in REFUSED
    }
    assert through == BROWSER[path]
    assert httpx.get(f"{portal.address}{asked}").status_code == 401


@pytest.mark.parametrize(("method", "path"), PROGRAM)
def test_program_reaches_what_is_its_own(portal: Portal, blue: int, method: str, path: str) -> None:
    def answered(name: str) -> int:
        fields = {"team": "blue", "challenge": SLUG} if method == "POST" else None
        address = path.format(blue=blue)
        with (
            portal.client(name) as client,
            client.stream(method, address, data=fields) as answer,
        ):
            return answer.status_code

    assert {name for name in EVERYBODY if answered(name) not in REFUSED} == PROGRAM[method, path]
    assert httpx.request(method, f"{portal.address}{path.format(blue=blue)}").status_code == 401


@pytest.mark.parametrize("service", GIT)
def test_git_reaches_what_is_its_own(portal: Portal, service: str) -> None:
    def answered(name: str) -> int:
        address = f"{portal.git_address(name)}/info/refs"
        return httpx.get(address, params={"service": service}).status_code

    assert {name for name in EVERYBODY if answered(name) not in REFUSED} == GIT[service]
    stranger = f"{portal.address}/git/blue/{SLUG}/info/refs"
    assert httpx.get(stranger, params={"service": service}).status_code == 401


@pytest.mark.parametrize("path", OPEN)
def test_stranger_reaches_the_way_in(portal: Portal, path: str) -> None:
    assert httpx.get(f"{portal.address}{path}").status_code == 200


@pytest.mark.parametrize("path", ["/enter/x", "/join/x", "/setup/x"])
def test_made_up_link_leads_nowhere(portal: Portal, path: str) -> None:
    assert httpx.get(f"{portal.address}{path}").status_code == 404


@pytest.mark.parametrize("path", ["/hook/received", f"/webhooks/github/blue/{SLUG}/1"])
def test_made_up_key_opens_nothing(portal: Portal, path: str) -> None:
    assert httpx.post(f"{portal.address}{path}").status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_page_is_behind_the_sign_in(portal: Portal, page: str) -> None:
    assert door(f"/{page}").audience is Audience.SIGNED_IN
    assert httpx.get(f"{portal.address}/{page}").status_code == 401


def addresses(routes: Iterable[BaseRoute], root: str = "") -> Iterator[str]:
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(route.routes, f"{root}{route.path}")
        elif isinstance(route, Route):
            yield f"{root}{route.path}"


def test_every_route_is_in_the_table(portal: Portal) -> None:
    provider = SingleSignOn(issuer="https://idp", client_id="x", client_secret="x")  # noqa: S106 - made up
    house = replace(portal.house, settings=replace(portal.house.settings, single_sign_on=provider))
    rooms = (signin, sso, operations, files, webhooks)
    routes = [route for room in rooms for route in room.routes(house)]
    known = set(addresses([*routes, *Pushes(house).routes(), api.mount(house)]))
    assert len(known) > 20
    for path in known:
        assert door(path) is not ROUTES["/"], path
