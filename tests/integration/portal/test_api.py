"""The API: what it describes it does, and nobody gets more than theirs."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok

from leaderboard.model import LinkPurpose
from leaderboard.store import submissions
from portal.services import accounts, administration
from portal.web.identity import COOKIE
from tests.support.portal import SLUG, Portal, running
from tests.support.reports import recorded

SUBMIT = "/api/v1/submissions"
COMMIT = "a" * 40
BLUE = {"team": "blue", "challenge": SLUG}
ROUTES = [
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/events"),
    ("GET", f"/api/v1/events/spring/challenges/{SLUG}/leaderboard"),
    ("GET", "/api/v1/submissions/1"),
    ("GET", "/api/v1/submissions/1/progress"),
    ("POST", SUBMIT),
]
PAGES = ["/", "/team", "/review", "/administration", "/report?submission=1", "/_stcore/metrics"]
FILES = ["/files/reports/1.json", f"/files/challenges/{SLUG}.zip", "/_stcore/host-config"]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Portal]:
    """Give a portal of its own whose submission 1 has been graded: its progress comes to an end."""
    with running(tmp_path) as portal:
        with portal.house.database.write() as tx:
            sent, _ = submissions.submit(
                tx,
                team=portal.held.blue.id,
                challenge=portal.held.version.id,
                commit=COMMIT,
                by=portal.held.people["Ada"].id,
                at=portal.house.now(),
            )
            submissions.start(tx, sent.id, at=portal.house.now())
            submissions.record(tx, sent.id, recorded(portal.held), at=portal.house.now())
        assert sent.id == 1
        yield portal


def test_api_does_what_it_describes(told: Portal) -> None:
    schema = schemathesis.openapi.from_url(f"{told.address}/api/v1/openapi.json")
    tokens = [told.token(name) for name in ("Ada", "Gita")]
    tried = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        tried.append(operation.label)

        @given(case=operation.as_strategy())
        @settings(
            max_examples=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        def holds(case: Any) -> None:
            for token in tokens:
                case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

        holds()
    assert len(tried) == len(ROUTES)


def test_progress_ends_with_the_report(told: Portal) -> None:
    with told.client("Ada") as ada:
        answer = ada.get("/api/v1/submissions/1/progress")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = answer.text.strip().split("\n\n")
    said = json.loads(event.removeprefix("data: "))
    assert (said["id"], said["commit"], said["state"], said["total"]) == (1, COMMIT, "done", 900)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_api_is_for_who_signs_in(portal: Portal, method: str, path: str) -> None:
    for authorization in ("", "Bearer x", "Basic eDp5"):
        headers = {"authorization": authorization} if authorization else {}
        answer = httpx.request(method, f"{portal.address}{path}", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"] == "signed-out"


@pytest.mark.parametrize("path", PAGES)
def test_browser_is_led_to_the_sign_in_and_back(portal: Portal, path: str) -> None:
    answer = httpx.get(f"{portal.address}{path}", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2F")


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_shown_to_strangers(portal: Portal, path: str) -> None:
    assert httpx.get(f"{portal.address}{path}").status_code == 401


@pytest.mark.parametrize("path", ["/health", "/metrics", "/sign-in", "/api/v1/openapi.json"])
def test_open_routes_name_nobody(portal: Portal, path: str) -> None:
    answer = httpx.get(f"{portal.address}{path}")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not any(known.email in answer.text for known in portal.held.people.values())
    assert "Blue" not in answer.text


def packed(name: str = "README.md", content: bytes = b"A project.\n") -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return whole.getvalue()


def test_archive_is_submitted_and_seen_by_its_team_alone(portal: Portal) -> None:
    upload = {"archive": ("../../port.tar.gz", packed())}
    with portal.client("Ada") as ada, portal.client("Cleo") as cleo, portal.client("Finn") as finn:
        assert cleo.post(SUBMIT, data=BLUE, files=upload).status_code == 403
        answer = ada.post(SUBMIT, data=BLUE, files=upload)
        assert answer.status_code == 202
        sent = answer.json()
        assert sent["state"] == "queued"
        assert sent["address"] == f"{portal.address}{answer.headers['location']}"
        seen = [who.get(answer.headers["location"]).status_code for who in (cleo, finn)]
        assert seen == [403, 200]
        broken = ada.post(SUBMIT, data=BLUE, files={"archive": ("port.zip", b"no archive")})
        assert broken.status_code == 400
        assert broken.json()["remedy"]
        with ada.stream("GET", f"{answer.headers['location']}/progress") as stream:
            first = next(line for line in stream.iter_lines() if line)
            assert first.startswith("data: {")


@pytest.mark.parametrize(
    "fields", [{"url": "https://github.com/x/y"}, {"commit": "a" * 40}], ids=["url", "commit"]
)
def test_half_an_address_is_no_submission(portal: Portal, fields: dict[str, str]) -> None:
    with portal.client("Ada") as ada:
        answer = ada.post(SUBMIT, data={**BLUE, **fields})
    assert (answer.status_code, answer.json()["error"]) == (400, "submission-unclear")
    assert "archive" in answer.json()["remedy"]


def test_strangers_send_nothing_and_nobody_sends_much(portal: Portal) -> None:
    def much() -> Iterator[bytes]:
        named = 'Content-Disposition: form-data; name="archive"; filename="a.zip"'
        yield f"--x\r\n{named}\r\n\r\n".encode()
        for _ in range(110):
            yield bytes(2**20)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    with httpx.Client(base_url=portal.address) as stranger:
        assert stranger.post(SUBMIT, data=BLUE).status_code == 401
        assert stranger.post("/sign-in", data={"email": "a" * 2**17}).status_code == 413
    with portal.client("Ada") as ada:
        refused = ada.post(SUBMIT, content=much(), headers=kind)
        assert (refused.status_code, refused.json().get("error")) == (413, "too-large"), (
            refused.text
        )


def test_uploads_have_a_pace(portal: Portal) -> None:
    seen = set()
    with portal.client("Bob") as bob:
        for number in range(25):
            broken = {"archive": (f"{number}.zip", b"no archive")}
            seen.add(bob.post(SUBMIT, data=BLUE, files=broken).json()["error"])
    assert "too-many-attempts" in seen


def test_session_reads_and_does_not_write(portal: Portal) -> None:
    person = portal.held.people["Ada"]
    link = accounts.hand_out(portal.house, LinkPurpose.SIGN_IN, person.id)
    with httpx.Client(base_url=portal.address) as browser:
        assert browser.get(link).status_code == 200
        foreign = browser.post(link, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
        entered = browser.post(link, headers={"sec-fetch-site": "same-origin"})
        assert entered.status_code == 303
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=lax" in cookie.lower()
        assert browser.get("/api/v1/me").json()["name"] == "Ada"
        assert browser.post(SUBMIT, data=BLUE).status_code == 401
        session = accounts.session(portal.house, browser.cookies[COOKIE])
        assert session is not None
        word = {"x-form-token": session.form_token}
        sent = browser.post(SUBMIT, data=BLUE, headers=word)
        assert sent.status_code in {202, 400}
        for folder in ("challenges", "kits"):
            given_out = browser.get(f"/files/{folder}/{SLUG}.zip")
            assert given_out.content[:2] == b"PK"
            assert b"cases/hidden" not in given_out.content
        assert browser.post("/sign-out").headers["location"] == "/sign-in"
        assert browser.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("goal", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_led_away(portal: Portal, goal: str) -> None:
    hugo = portal.held.people["Hugo"]
    link = administration.sign_up_link(portal.house, hugo)
    address = f"{abs(hash(goal))}@example.org"
    accounts.sign_up(portal.house, link.rpartition("/")[2], address, "Zoe", "a few words in a row")
    form = {"email": address, "password": "a few words in a row"}
    answer = httpx.post(f"{portal.address}/sign-in", params={"next": goal}, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_api_has_a_page_that_brings_all_it_needs(portal: Portal) -> None:
    page = httpx.get(f"{portal.address}/api/v1/docs")
    assert page.status_code == 200
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded
    for address in loaded:
        assert address.startswith("/")
        assert httpx.get(f"{portal.address}{address}").status_code == 200
