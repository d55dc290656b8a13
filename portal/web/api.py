"""The REST API, version 1: what a team's own CI and scripts ask. FastAPI writes its description."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import (
    APIRouter,
    Depends,
    FastAPI,
    File,
    Form,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
)
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from fastapi.sse import EventSourceResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as AnyHttpError
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from grader.errors import DrydockError
from leaderboard.errors import StoreError
from leaderboard.model import ChallengeVersion, Person, Submission, Team
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.repositories import MAX_PUSH
from portal.services import boards, challenges, joining, submitting, telling
from portal.services.submitting import Status
from portal.services.uploads import stored
from portal.web import identity

ROOT = "/api/v1"
_POLL = 0.5
_LARGEST_ID = 2**31 - 1
_SLUG = r"^[a-z0-9][a-z0-9-]{0,99}$"
_Slug = Annotated[str, PathParameter(pattern=_SLUG)]
# A form has no way to say null.
_Archive = UploadFile | SkipJsonSchema[None]
_Id = Annotated[int, PathParameter(ge=1, le=_LARGEST_ID)]
_LARGEST = MAX_PUSH + 2**20
"""Bytes of a request: an archive, and what a form says beside it."""
_SIGN_IN = "Send an access token: Authorization: Bearer drydock_…"
_HTTP = {
    401: ("signed-out", _SIGN_IN),
    413: ("too-large", f"A request may have {MAX_PUSH >> 20} MB."),
}
_REFUSALS = {
    400: "What was refused, and why",
    401: "No token, or none that opens anything",
    403: "Not yours to see or do",
}
_router = APIRouter()
_bearer = HTTPBearer(auto_error=False, description="An access token of your profile")


class Problem(BaseModel):
    """What was refused, and what to do."""

    error: str = Field(description="A heading of docs/errors.md")
    message: str
    remedy: str = ""


class Me(BaseModel):
    """Whose token this is."""

    name: str
    email: str
    roles: list[str]


class EventOut(BaseModel):
    """An event."""

    slug: str
    title: str
    starts_at: datetime
    ends_at: datetime
    freezes_at: datetime | None
    challenges: list[str]
    team: str | None = Field(description="Your team's address; null where you are in none")


class Place(BaseModel):
    """A team's place on a board."""

    rank: int
    team: str
    points: int
    reached_at: datetime
    submissions: int
    loss: float | None = Field(
        description="How much worse than the legacy model on the true labels, relative to it, by "
        "the Ladder; negative where better; null where not measured"
    )


class SubmissionOut(BaseModel):
    """A submission, and how far its grading is."""

    id: int
    commit: str
    received_at: datetime
    state: str
    said: str = Field(description="Where it stands, in a line")
    before: int = Field(description="How many others are graded first")
    seconds: float = Field(description="An estimate of how long it will still take")
    outcome: str | None
    total: int | None
    possible: int | None
    report: str = Field(description="The page of its report")
    address: str = Field(description="Where to ask how far it is")


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house


async def _who(request: Request, _: Annotated[object, Depends(_bearer)]) -> Person:
    person = await identity.person(_house(request), request)
    if person is None:
        raise HTTPException(401, _SIGN_IN)
    return person


_House = Annotated[House, Depends(_house)]
_Person = Annotated[Person, Depends(_who)]


def mount(house: House) -> Mount:
    """Return the API, mounted under its root."""
    return Mount(ROOT, app=build(house))


def build(house: House) -> FastAPI:
    """Return the API as an application of its own."""
    # Its page brings what it needs along: a portal may be where no other site is reached.
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Drydock",
        version="1",
        description="Sign in with an access token of your profile: Authorization: Bearer drydock_…",
        servers=[{"url": ROOT}],
        max_body_size=_LARGEST,
        responses={
            status: {"model": Problem, "description": said} for status, said in _REFUSALS.items()
        },
    )
    app.state.house = house
    app.include_router(_router)
    app.add_middleware(Vouched, house=house)
    app.add_exception_handler(DrydockError, _refused)
    app.add_exception_handler(AnyHttpError, _http)
    return app


class Vouched:
    """Middleware that lets strangers send nothing: an upload is stored before any route sees it."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not."""
        request = Request(scope) if scope["type"] == "http" else None
        reads = request is None or request.method in {"GET", "HEAD", "OPTIONS"}
        answer: ASGIApp = self._app
        if request and not reads and await identity.person(self._house, request) is None:
            answer = await _http(request, HTTPException(401, _SIGN_IN))
        await answer(scope, receive, send)


@_router.get("/me")
def me(person: _Person) -> Me:
    """Say whose token this is."""
    roles = sorted(role.value for role in person.roles)
    return Me(name=person.name, email=person.email, roles=roles)


@_router.get("/events")
def events(house: _House, person: _Person) -> list[EventOut]:
    """List all events, the newest first."""
    known = challenges.all_events(house, person)
    return [_event(house, person, event.slug) for event in known]


@_router.get("/events/{event}/challenges/{challenge}/leaderboard")
def leaderboard(
    event: _Slug,
    challenge: _Slug,
    house: _House,
    person: _Person,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Place]:
    """Show the board that everybody sees."""
    board = boards.board(house, person, event, challenge)
    return [
        Place(
            rank=row.standing.rank,
            team=row.team.name,
            points=row.standing.points,
            reached_at=row.standing.reached_at,
            submissions=row.standing.submissions,
            loss=row.loss,
        )
        for row in board.rows[:limit]
    ]


@_router.get("/submissions/{submission}")
def find_submission(submission: _Id, house: _House, person: _Person) -> SubmissionOut:
    """Say how far a submission is."""
    return _submission(house, submitting.status(house, person, submission))


async def _readable(submission: _Id, house: _House, person: _Person) -> Status:
    """Look a submission up before its answer begins: what has begun cannot become a refusal."""
    return await run_in_threadpool(submitting.status, house, person, submission)


# FastAPI takes a refusal to be of the same media type as what a route answers.
_PROBLEM = {"application/json": {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}


@_router.get(
    "/submissions/{submission}/progress",
    response_class=EventSourceResponse,
    responses={
        status: {"content": _PROBLEM, "description": said} for status, said in _REFUSALS.items()
    },
)
async def progress(
    status: Annotated[Status, Depends(_readable)], house: _House, person: _Person
) -> AsyncIterator[SubmissionOut]:
    """Send each change of a submission's state, as server-sent events, until it has ended."""
    said = ""
    while not house.ending.is_set():
        if status.said != said:
            yield _submission(house, status)
            said = status.said
        if status.job.state.terminal:
            return
        await asyncio.sleep(_POLL)
        number = status.submission.id
        status = await run_in_threadpool(submitting.status, house, person, number)


@_router.post("/submissions", status_code=202)
def submit(
    response: Response,
    house: _House,
    person: _Person,
    *,
    team: Annotated[str, Form(pattern=_SLUG, description="Your team's address")],
    challenge: Annotated[str, Form(pattern=_SLUG)],
    archive: Annotated[_Archive, File(description=".zip, .tar.gz")] = None,
    url: Annotated[str, Form(max_length=500, examples=["https://github.com/claims/tariff"])] = "",
    commit: Annotated[str, Form(pattern=r"^([0-9a-f]{40})?$")] = "",
) -> SubmissionOut:
    """Submit an archive, or a commit of your repository elsewhere, or what was pushed here last.

    An archive becomes a commit in the team's repository. An ``url`` on a host that the portal may
    fetch from, and a ``commit`` there, are fetched. With neither, what the team pushed last is
    submitted. A commit that was submitted before is answered with what it has become. The header
    Location says where to ask how far it is.
    """
    entrant, _, version = submitting.find_entry(house, team, challenge)
    if bool(url) != bool(commit) or (url and archive is not None):
        raise PortalError(
            "submission-unclear",
            "A submission is an archive, or url and commit, or what was pushed last.",
            remedy="Send the field archive, or the fields url and commit, or none of them.",
        )
    if archive is not None:
        sent = _archive(house, person, entrant, version, archive)
    elif url:
        sent, _ = submitting.submit_commit(house, person, entrant, version, url, commit)
        telling.tell(house, sent.id)
    else:
        sent, _ = submitting.submit_head(house, person, entrant, version)
    response.headers["location"] = f"{ROOT}/submissions/{sent.id}"
    return _submission(house, submitting.status(house, person, sent.id))


def _archive(
    house: House, person: Person, team: Team, version: ChallengeVersion, sent: UploadFile
) -> Submission:
    name = Path(sent.filename or "upload.zip").name[:100]
    with stored(name, sent.file) as file:
        new, _ = submitting.submit_archive(house, person, team, version, file, name)
    return new


def _event(house: House, person: Person, slug: str) -> EventOut:
    event = boards.find_event(house, slug)
    team = joining.team_of(house, person, event)
    return EventOut(
        slug=event.slug,
        title=event.title,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        freezes_at=event.freezes_at,
        challenges=[version.slug for version in challenges.versions(house, event)],
        team=team.slug if team else None,
    )


def _submission(house: House, status: Status) -> SubmissionOut:
    report = status.report
    return SubmissionOut(
        id=status.submission.id,
        commit=status.submission.commit,
        received_at=status.submission.received_at,
        state=status.job.state.value,
        said=status.said,
        before=status.before,
        seconds=status.seconds,
        outcome=report.outcome if report else None,
        total=report.total if report else None,
        possible=report.possible if report else None,
        report=submitting.report_address(house, status.submission.id),
        address=f"{house.settings.public_address}{ROOT}/submissions/{status.submission.id}",
    )


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, DrydockError):
        raise error
    unknown = isinstance(error, StoreError) and error.slug.endswith("-unknown")
    status = 403 if isinstance(error, Forbidden) or unknown else 400
    problem = Problem(error=error.slug, message=error.message, remedy=error.remedy)
    return JSONResponse(json.loads(problem.model_dump_json()), status)


async def _http(_: Request, error: Exception) -> Response:
    if not isinstance(error, AnyHttpError):
        raise error
    slug, message = _HTTP.get(error.status_code, ("http", error.detail))
    return JSONResponse({"error": slug, "message": message}, error.status_code)
