"""Single sign-on, against a real OpenID Connect provider on this machine."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest

from leaderboard.model import Person, Role
from leaderboard.store import people
from portal.settings import SingleSignOn
from portal.web import signin, sso
from portal.web.sso import roles
from tests.support.portal import Opened, answering, free_port


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        await_answer(address)
        yield address
        process.terminate()


def await_answer(address: str) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            httpx.get(f"{address}/.well-known/openid-configuration").raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("The provider did not start.")


def served(data: Path, issuer: str) -> AbstractContextManager[Opened]:
    """Serve the sign-in of a portal that trusts a provider."""
    company = SingleSignOn(issuer=issuer, client_id="drydock", client_secret="known to both")  # noqa: S106 - made up
    return answering(
        data, lambda house: [*signin.routes(house), *sso.routes(house)], single_sign_on=company
    )


@pytest.fixture(scope="module")
def portal(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    with served(tmp_path_factory.mktemp("sso"), provider) as opened:
        yield opened


def known_as(provider: str, subject: str, **claims: object) -> None:
    """Tell the provider about somebody."""
    httpx.put(f"{provider}/users/{subject}", json={"sub": subject, **claims}).raise_for_status()


def came_back(portal: Opened, subject: str, goal: str = "/challenges") -> httpx.Response:
    """Sign in at the provider, as a browser does, and return the portal's last answer."""
    with httpx.Client(base_url=portal.address, timeout=30) as browser:
        away = browser.get("/sso/start", params={"next": goal})
        assert away.status_code == 302, away.text
        vouched = browser.post(away.headers["location"], data={"sub": subject})
        return browser.get(vouched.headers["location"])


def found(portal: Opened, email: str) -> Person:
    with portal.house.database.read() as tx:
        return next(person for person in people.people(tx) if person.email == email)


def unit_of(portal: Opened, person: Person) -> str:
    with portal.house.database.read() as tx:
        return next(unit.name for unit in people.units(tx) if unit.id == person.unit_id)


def test_company_vouches_for_somebody_new(portal: Opened, provider: str) -> None:
    known_as(
        provider,
        "u1",
        email="nora@example.org",
        name="Nora Pier",
        department="Reserving",
        groups=["drydock-leader", "everybody"],
    )
    answer = came_back(portal, "u1")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/challenges"
    cookie = answer.headers["set-cookie"]
    assert "drydock_session=" in cookie
    assert "HttpOnly" in cookie
    nora = found(portal, "nora@example.org")
    assert nora.name == "Nora Pier"
    assert nora.roles == {Role.MEMBER, Role.LEADER}
    assert unit_of(portal, nora) == "Reserving"

    known_as(
        provider, "u1", email="nora@example.org", name="Nora Pier", department="Life", groups=[]
    )
    came_back(portal, "u1")
    nora = found(portal, "nora@example.org")
    assert nora.roles == {Role.MEMBER}
    assert unit_of(portal, nora) == "Life"


def test_account_of_the_same_address_is_theirs(portal: Opened, provider: str) -> None:
    known_as(provider, "hugo", email="hugo@example.org", name="Hugo", groups=["member"])
    assert came_back(portal, "hugo").status_code == 303
    assert found(portal, "hugo@example.org").roles == {Role.MEMBER, Role.ADMIN}
    known_as(provider, "somebody-else", email="hugo@example.org", name="Hugo Two")
    refused = came_back(portal, "somebody-else")
    assert refused.status_code == 403
    assert "belongs to another account" in refused.text
    assert "set-cookie" not in refused.headers or "drydock_session" not in str(refused.headers)


@pytest.mark.parametrize(
    "claims", [{}, {"email": "mole@example.org", "email_verified": False}], ids=["none", "unproven"]
)
def test_address_must_be_vouched_for(
    portal: Opened, provider: str, claims: dict[str, object]
) -> None:
    known_as(provider, "mole", **claims)
    refused = came_back(portal, "mole")
    assert refused.status_code == 403
    assert "does not vouch for an e-mail address" in refused.text


def test_answer_nobody_asked_for_is_refused(portal: Opened) -> None:
    answer = httpx.get(f"{portal.address}/sso/callback?code=stolen&state=made-up")
    assert answer.status_code == 502
    assert re.search("did not vouch for you", answer.text)


def test_nobody_is_led_away(portal: Opened, provider: str) -> None:
    known_as(provider, "u2", email="olaf@example.org", name="Olaf")
    answer = came_back(portal, "u2", goal="https://evil.example")
    assert answer.headers["location"] == "/"


def test_sign_in_page_offers_it(portal: Opened) -> None:
    assert "/sso/start?next=" in httpx.get(f"{portal.address}/sign-in").text


def test_provider_that_is_away_is_told(tmp_path: Path) -> None:
    with served(tmp_path, "http://127.0.0.1:9") as portal:
        answer = httpx.get(f"{portal.address}/sso/start")
    assert answer.status_code == 502
    assert "does not answer" in answer.text


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (["drydock-champion", "staff"], {Role.CHAMPION}),
        ("leader manager", {Role.LEADER, Role.MANAGER}),
        (["DRYDOCK-ADMIN"], {Role.ADMIN}),
        ([], set()),
        (7, set()),
        (None, None),
    ],
)
def test_claims_give_roles(claim: object, expected: set[Role] | None) -> None:
    assert roles({"groups": claim}, "groups") == expected
