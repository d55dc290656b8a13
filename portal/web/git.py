"""git over HTTP: ``git http-backend`` behind the port, with tokens for passwords.

Whoever pushes hears how grading goes on: git's own hook asks the portal, which answers line by
line until the report is there or a limit is reached.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import os
import re
import secrets
import signal
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grader.errors import DrydockError
from leaderboard.model import ChallengeVersion, Person, Team
from portal.access import Action, may
from portal.house import House
from portal.repositories import MAX_FILE, MAX_PUSH, quiet
from portal.services import accounts, submitting, summary

_PATH = re.compile(
    r"/git/(?P<team>[a-z0-9][a-z0-9-]*)/(?P<challenge>[a-z0-9][a-z0-9-]*)(?:\.git)?"
    r"(?P<rest>/(?:info/refs|git-upload-pack|git-receive-pack))"
)
TELL = "/hook/received"
PATIENCE = 300.0
"""Seconds after which a push is left to itself: the report's address was told at its start."""
_POLL = 0.3
_CHUNK = 65536
_PACKET_HEAD = 4
_STRANGER = (
    "The password is an access token, and this is none that opens anything. "
    "Make one on the page My team.\n"
)
_T = TypeVar("_T")
_PASSED_ON = {
    "content-encoding": "HTTP_CONTENT_ENCODING",
    "git-protocol": "GIT_PROTOCOL",
    "content-length": "CONTENT_LENGTH",
}


@dataclass(frozen=True, slots=True)
class _Push:
    """What one push is about, and who sends it."""

    person: Person
    team: Team
    version: ChallengeVersion


class Git:
    """The outermost middleware: git's own addresses, and everything else passed on."""

    def __init__(self, app: ASGIApp, house: House, pushes: Pushes) -> None:
        self._app = app
        self._house = house
        self._pushes = pushes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer git, or pass a request on."""
        found = scope["type"] == "http" and _PATH.fullmatch(scope["path"])
        if not found:
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        person = await self._person(request)
        if person is None:
            realm = {"www-authenticate": 'Basic realm="Drydock: an access token as password"'}
            response = PlainTextResponse(_STRANGER, 401, realm)
            await response(scope, receive, send)
            return
        refused = await self._answer(request, found.groupdict(), person, receive, send)
        if refused is not None:
            await refused(scope, receive, send)

    async def _person(self, request: Request) -> Person | None:
        kind, _, coded = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            word = base64.b64decode(coded, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
        return await run_in_threadpool(accounts.bearer, self._house, word)

    async def _answer(
        self,
        request: Request,
        named: Mapping[str, str],
        person: Person,
        receive: Receive,
        send: Send,
    ) -> Response | None:
        """Answer by git, or return why not."""
        writes = "git-receive-pack" in named["rest"] + request.url.query
        try:
            team, _, version = await run_in_threadpool(
                submitting.find_entry, self._house, named["team"], named["challenge"]
            )
        except DrydockError as error:
            return PlainTextResponse(f"{error.message}\n", 404)
        if not may(person, Action.SUBMIT if writes else Action.READ, team):
            return PlainTextResponse("This is another team's repository.\n", 403)
        if int(request.headers.get("content-length", 0)) > MAX_PUSH:
            return PlainTextResponse(f"A push may have {MAX_PUSH >> 20} MB.\n", 413)
        await run_in_threadpool(self._house.repositories.ensure, team.slug, version.slug)
        push = _Push(person=person, team=team, version=version)
        with self._pushes.opened(push) as key:
            environment = self._environment(request, push, named["rest"], key)
            await Backend(environment, receive, send).run()
        return None

    def _environment(self, request: Request, push: _Push, rest: str, key: str) -> Mapping[str, str]:
        root = self._house.repositories.root.absolute()
        headers = {
            name: request.headers[header]
            for header, name in _PASSED_ON.items()
            if header in request.headers
        }
        return {
            **quiet(push.person.name),
            **headers,
            "GIT_PROJECT_ROOT": str(root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{push.team.slug}/{push.version.slug}.git{rest}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.url.query,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "REMOTE_USER": push.person.email,
            "DRYDOCK_TELL": f"http://127.0.0.1:{self._house.settings.port}{TELL}",
            "DRYDOCK_PUSH": key,
            "DRYDOCK_MAX_FILE": str(MAX_FILE),
        }


class Pushes:
    """Pushes under way, each by a key that its own hook alone is told."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._open: dict[str, _Push] = {}

    def opened(self, push: _Push) -> _Opened:
        """Return a context in which a key stands for a push."""
        return _Opened(self._open, push)

    def routes(self) -> list[Route]:
        """Return the route that hooks ask."""
        return [Route(TELL, self.received, methods=["POST"])]

    async def received(self, request: Request) -> Response:
        """Submit a commit that has been stored, and tell how its grading goes on."""
        _, _, key = request.headers.get("authorization", "").partition(" ")
        push = self._open.get(key)
        if push is None:
            return PlainTextResponse("This is for the portal's own hooks.\n", 403)
        commit = (await request.body()).decode()
        return StreamingResponse(self._told(push, commit), media_type="text/plain")

    async def _told(self, push: _Push, commit: str) -> AsyncIterator[str]:
        try:
            sent, new = await run_in_threadpool(
                submitting.submit, self._house, push.person, push.team, push.version, commit
            )
        except DrydockError as error:
            yield f"Stored, and not submitted: {error.message}\n"
            if error.remedy:
                yield f"Remedy: {error.remedy}\n"
            return
        known = "" if new else ", submitted before"
        yield f"Submission {sent.id} of {push.team.name}: {commit[:10]}{known}\n"
        yield f"Report: {submitting.report_address(self._house, sent.id)}\n"
        async for line in self._followed(push.person, sent.id):
            yield line

    async def _followed(self, person: Person, submission: int) -> AsyncIterator[str]:
        said, end = "", asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < end and not self._house.ending.is_set():
            status = await run_in_threadpool(submitting.status, self._house, person, submission)
            if status.job.state.terminal:
                report = await run_in_threadpool(
                    submitting.recorded, self._house, person, submission
                )
                for line in summary.lines(status, report):
                    yield f"{line}\n"
                return
            stage = f"{status.job.state}{status.job.step}{status.before}"
            if stage != said:
                yield f"{status.said}\n"
                said = stage
            await asyncio.sleep(_POLL)
        yield "Grading goes on; the report's page follows it.\n"


class _Opened:
    """A key that stands for a push, as long as it lasts."""

    def __init__(self, pushes: dict[str, _Push], push: _Push) -> None:
        self._pushes = pushes
        self._push = push
        self._key = secrets.token_urlsafe(32)

    def __enter__(self) -> str:
        """Return the key."""
        self._pushes[self._key] = self._push
        return self._key

    def __exit__(self, *_: object) -> None:
        """Let the key stand for nothing."""
        del self._pushes[self._key]


class Backend:
    """One run of ``git http-backend``, streamed both ways."""

    def __init__(self, environment: Mapping[str, str], receive: Receive, send: Send) -> None:
        self._environment = environment
        self._receive = receive
        self._send = send
        self._too_much = False

    async def run(self) -> None:
        """Run it to its end; who goes away ends it."""
        process = await asyncio.create_subprocess_exec(
            "git",
            "http-backend",
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # its hooks are to end with it
        )
        feeder = asyncio.create_task(self._feed(process))
        try:
            await self._relay(process)
        finally:
            feeder.cancel()
            _end(process)
            await process.wait()

    async def _feed(self, process: asyncio.subprocess.Process) -> None:
        size, more = 0, True
        pipe = _some(process.stdin)
        try:
            while more:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    _end(process)
                    return
                body = message.get("body", b"")
                more = message.get("more_body", False)
                size += len(body)
                if size > MAX_PUSH:
                    self._too_much = True
                    _end(process)
                    return
                pipe.write(body)
                await pipe.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # git has read all that it wanted
        finally:
            pipe.close()
        if (await self._receive())["type"] == "http.disconnect":
            _end(process)

    async def _relay(self, process: asyncio.subprocess.Process) -> None:
        pipe = _some(process.stdout)
        # Nothing between here and git may hold lines back.
        status, headers = 200, [(b"content-encoding", b"identity"), (b"x-accel-buffering", b"no")]
        while line := (await pipe.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"status":
                status = int(value.split()[0])
            else:
                headers.append((name.lower(), value.strip()))
        told = f"A push may have {MAX_PUSH >> 20} MB.\n".encode() if self._too_much else b""
        if told:
            status, headers = 413, [(b"content-type", b"text/plain")]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        while chunk := await pipe.read(_CHUNK):
            await self._send(_part(chunk, more=True))
        if self._too_much and not told:  # git has begun to answer already, in its own protocol
            told = _fatal(f"A push may have {MAX_PUSH >> 20} MB.")
        await self._send(_part(told, more=False))


def _end(process: asyncio.subprocess.Process) -> None:
    """Kill git and its hooks, if they still run."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _part(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


def _fatal(message: str) -> bytes:
    """Return an error as git's protocol has it: a packet on side band 3 (gitprotocol-pack(5))."""
    content = b"\x03" + message.encode() + b"\n"
    return b"%04x%s" % (len(content) + _PACKET_HEAD, content)


def _some(value: _T | None) -> _T:
    if value is None:
        raise RuntimeError("a pipe that was asked for is not there")
    return value
