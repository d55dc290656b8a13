"""Repositories elsewhere: fetched from allowed hosts, told by webhooks, and told how it went."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import httpx
import pytest

from leaderboard.model import Job, JobState, Person, ReportFigures, Team
from leaderboard.store import people, submissions
from portal.errors import Forbidden, PortalError
from portal.hosts import HostKind, State, find, parse_hosts, proven, pushed
from portal.services import accounts, joining, telling, webhooks
from portal.web import api
from portal.web import webhooks as called
from tests.support.portal import SLUG, Git, Opened, answering, run_git


@dataclass
class CodeServer:
    """A host with one public repository, over git's plain HTTP; it keeps what it is told."""

    address: str
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host")


@pytest.fixture(scope="module")
def server(served: Path) -> Iterator[CodeServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = served / self.path.split("?")[0].lstrip("/")
            self.send_response(200 if file.is_file() else 404)
            self.end_headers()
            if file.is_file():
                self.wfile.write(file.read_bytes())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            known.told.append((self.path, body))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        known = CodeServer(f"http://127.0.0.1:{http.server_port}")
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield known
        http.shutdown()


@pytest.fixture(scope="module")
def portal(server: CodeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    allowed = parse_hosts(HostKind.GITHUB, f"{server.address}=a-token")
    with answering(
        tmp_path_factory.mktemp("portal"),
        lambda house: [api.mount(house), *called.routes(house)],
        hosts=allowed,
    ) as opened:
        yield opened


@dataclass(frozen=True)
class Entrant:
    """Somebody in a team of their own, and a project of theirs on the host."""

    person: Person
    team: Team
    client: httpx.Client
    folder: Path
    git: Git
    url: str

    def submit(self, commit: str, url: str = "") -> httpx.Response:
        fields = {"team": self.team.slug, "challenge": SLUG, "commit": commit}
        return self.client.post("/api/v1/submissions", data={**fields, "url": url or self.url})

    def head(self) -> str:
        return self.git("rev-parse", "HEAD").stdout.strip()


_numbers = count()


@pytest.fixture
def entrant(
    portal: Opened, server: CodeServer, served: Path, project: tuple[Path, Git]
) -> Iterator[Entrant]:
    folder, git = project
    name = f"Team {next(_numbers)}"
    with portal.house.database.write() as tx:
        email = f"{name.replace(' ', '.')}@example.org"
        person = people.add_person(tx, email, name, at=portal.house.now())
    team, _ = joining.found(portal.house, person, portal.held.event, name)
    token = accounts.add_token(portal.house, person, "test")
    bare = served / "claims" / f"{team.slug}.git"
    git("clone", "--quiet", "--bare", str(folder), str(bare))
    git("remote", "add", "host", str(bare))
    push(git, bare)
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=portal.address, headers=headers, timeout=60) as client:
        url = f"{server.address}/claims/{team.slug}.git"
        yield Entrant(person, team, client, folder, git, url)


def push(git: Git, bare: Path) -> None:
    """Push as the host's user does; a host of plain files has to be told."""
    git("push", "--quiet", "--force", str(bare), "HEAD:main")
    run_git(bare, "update-server-info")


def call(portal: Opened, entrant: Entrant, body: bytes, headers: dict[str, str]) -> httpx.Response:
    place = f"/webhooks/github/{entrant.team.slug}/{SLUG}/{entrant.person.id}"
    return httpx.post(f"{portal.address}{place}", content=body, headers=headers, timeout=60)


def signed(portal: Opened, entrant: Entrant, body: bytes) -> dict[str, str]:
    settings = portal.house.settings
    secret = webhooks.secret(settings, entrant.team.slug, SLUG, entrant.person.id)
    figure = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"x-github-event": "push", "x-hub-signature-256": f"sha256={figure}"}


def told_of(entrant: Entrant, ref: str = "refs/heads/main") -> bytes:
    content = {"ref": ref, "after": entrant.head(), "repository": {"clone_url": entrant.url}}
    return json.dumps(content).encode()


def test_commit_is_fetched_and_submitted(
    portal: Opened, server: CodeServer, entrant: Entrant
) -> None:
    sent = entrant.submit(entrant.head())
    assert sent.status_code == 202, sent.text
    assert entrant.submit(entrant.head()).json()["id"] == sent.json()["id"]
    with portal.house.database.read() as tx:
        known = submissions.find(tx, sent.json()["id"])
    assert known.origin == entrant.url
    path, body = server.told[-1]
    assert path == f"/api/v3/repos/claims/{entrant.team.slug}/statuses/{entrant.head()}"
    assert body["state"] == "pending"
    assert body["target_url"].endswith(f"report?submission={known.id}")


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://evil.example/claims/tariff.git", "host-not-allowed"),
        ("http://127.0.0.1:1/claims/tariff.git", "host-not-allowed"),
        ("file:///etc/passwd", "host-not-allowed"),
        ("{server}/claims/../../etc", "host-not-allowed"),
        ("{server}@evil.example/a/b", "host-not-allowed"),
        ("{server}/claims/nothing-here.git", "cannot-fetch"),
    ],
)
def test_nothing_else_is_fetched(server: CodeServer, entrant: Entrant, url: str, slug: str) -> None:
    answer = entrant.submit("a" * 40, url.format(server=server.address))
    assert answer.status_code == 400
    assert answer.json()["error"] == slug
    assert "a-token" not in answer.text


def test_commit_must_be_there(entrant: Entrant) -> None:
    assert entrant.submit("b" * 40).json()["error"] == "commit-unknown"


def test_history_only_goes_forward(entrant: Entrant, served: Path) -> None:
    assert entrant.submit(entrant.head()).status_code == 202
    entrant.git("commit", "--quiet", "--amend", "-m", "Another history")
    push(entrant.git, served / "claims" / f"{entrant.team.slug}.git")
    refused = entrant.submit(entrant.head()).json()
    assert refused["error"] == "push-refused"
    assert "only goes forward" in refused["remedy"]


def test_large_files_stay_out(entrant: Entrant, served: Path) -> None:
    (entrant.folder / "large.bin").write_bytes(os.urandom(6 * 2**20))
    entrant.git("add", "--all")
    entrant.git("commit", "--quiet", "-m", "Data")
    push(entrant.git, served / "claims" / f"{entrant.team.slug}.git")
    refused = entrant.submit(entrant.head()).json()
    assert refused["error"] == "push-refused"
    assert "large.bin has 6.0 MB" in refused["message"]


def test_webhook_submits_in_a_members_name(portal: Opened, entrant: Entrant) -> None:
    body = told_of(entrant)
    forged = {"x-github-event": "push", "x-hub-signature-256": "sha256=" + "0" * 64}
    assert call(portal, entrant, body, forged).status_code == 403
    assert call(portal, entrant, body, {"x-github-event": "push"}).status_code == 403
    changed = body.replace(b"main", b"evil")
    assert call(portal, entrant, changed, signed(portal, entrant, body)).status_code == 403

    answer = call(portal, entrant, body, signed(portal, entrant, body))
    assert answer.status_code == 202, answer.text
    with portal.house.database.read() as tx:
        sent = submissions.find(tx, answer.json()["submission"])
    assert (sent.commit, sent.submitted_by) == (entrant.head(), entrant.person.id)

    joining.leave(portal.house, entrant.person, entrant.team)
    gone = call(portal, entrant, body, signed(portal, entrant, body))
    assert gone.status_code == 403


def test_other_events_are_well(portal: Opened, entrant: Entrant) -> None:
    ping = {**signed(portal, entrant, b"{}"), "x-github-event": "ping"}
    assert call(portal, entrant, b"{}", ping).status_code == 200
    body = told_of(entrant, "refs/heads/try-something")
    branch = call(portal, entrant, body, signed(portal, entrant, body))
    assert branch.status_code == 200
    assert "Only pushes to main" in branch.text


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]", b'{"repository": 7}'])
def test_bad_body_is_told(portal: Opened, entrant: Entrant, body: bytes) -> None:
    assert call(portal, entrant, body, signed(portal, entrant, body)).status_code == 400


def test_members_are_offered_what_is_allowed(portal: Opened, entrant: Entrant) -> None:
    (offered,) = webhooks.offered(portal.house, entrant.person, entrant.team, portal.held.version)
    assert offered.kind is HostKind.GITHUB
    assert offered.address.startswith(f"{portal.address}/webhooks/github/{entrant.team.slug}/")
    with pytest.raises(Forbidden):
        webhooks.offered(portal.house, portal.held.people["Ada"], entrant.team, portal.held.version)


# ------------------------------------------------------------------------------ what hosts are told


@pytest.mark.parametrize(
    ("state", "report", "expected"),
    [
        (JobState.QUEUED, None, State.PENDING),
        (JobState.RUNNING, None, State.PENDING),
        (JobState.FAILED, None, State.ERROR),
        (JobState.DONE, "accepted", State.SUCCESS),
        (JobState.DONE, "rejected", State.FAILURE),
    ],
)
def test_state_says_how_it_went(state: JobState, report: str | None, expected: State) -> None:
    now = datetime.now(UTC)
    job = Job(
        submission_id=1,
        round=1,
        state=state,
        step="",
        turn=1,
        attempts=1,
        changed_at=now,
        message="",
    )
    known = None
    if report:
        known = ReportFigures(
            id=1,
            submission_id=1,
            round=1,
            outcome=report,
            total=996,
            public_total=996,
            possible=1000,
            seconds=1.0,
            digest="",
            recorded_at=now,
        )
    assert telling.status(job, known)[0] is expected


@pytest.mark.parametrize("text", ["git hub.com", "https://", "github.com/owner", "ftp://a=b"])
def test_bad_host_is_told(text: str) -> None:
    with pytest.raises(PortalError) as caught:
        parse_hosts(HostKind.GITHUB, text)
    assert caught.value.slug == "code-host"


def test_token_is_shown_to_nobody() -> None:
    word = "glpat-secret"
    (host,) = parse_hosts(HostKind.GITLAB, f"git.example.org={word}")
    origin = find((host,), "https://git.example.org/group/sub/tariff.git")
    user, _, place = origin.fetched_from.partition("@")
    assert (user, place) == (f"https://oauth2:{word}", "git.example.org/group/sub/tariff.git")
    assert word not in repr(origin)


def test_gitlab_proves_itself_by_its_token() -> None:
    assert proven(HostKind.GITLAB, "word", {"x-gitlab-token": "word"}, b"")
    assert not proven(HostKind.GITLAB, "word", {"x-gitlab-token": "other"}, b"")
    assert not proven(HostKind.GITLAB, "word", {}, b"")
    content = {
        "ref": "refs/heads/main",
        "after": "0" * 40,
        "project": {"git_http_url": "https://x/y"},
    }
    assert pushed(HostKind.GITLAB, content).commit == ""
