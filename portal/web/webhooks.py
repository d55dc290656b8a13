"""GitHub and GitLab call here when somebody pushes there."""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from grader.errors import UserError
from portal import hosts
from portal.errors import Forbidden
from portal.hosts import HostKind, Push
from portal.house import House
from portal.services import submitting, telling, webhooks

_LARGEST = 5 * 2**20
"""Bytes of a body: a push tells at most a few thousand commits."""
_PUSH = {
    HostKind.GITHUB: ("x-github-event", "push"),
    HostKind.GITLAB: ("x-gitlab-event", "Push Hook"),
}


def routes(house: House) -> list[Route]:
    """Return the routes that code hosts call."""

    async def called(request: Request) -> Response:
        return await _called(house, request)

    path = "/webhooks/{kind}/{team}/{challenge}/{person:int}"
    return [Route(path, called, methods=["POST"])]


async def _called(house: House, request: Request) -> Response:
    given = request.path_params
    try:
        push = await _proven(house, request)
        if push is None:
            return _told(200, "Only pushes are of interest; this is well.")
        sent, new = await run_in_threadpool(
            webhooks.submit, house, given["team"], given["challenge"], given["person"], push
        )
    except UserError as error:
        return _told(_status(error), f"{error.message} {error.remedy}".strip())
    await run_in_threadpool(telling.tell, house, sent.id)
    address = submitting.report_address(house, sent.id)
    return JSONResponse({"submission": sent.id, "new": new, "report": address}, 202)


async def _proven(house: House, request: Request) -> Push | None:
    """Return the push that is told of, once its sender is proven; None where it is none."""
    given = request.path_params
    if given["kind"] not in {kind.value for kind in HostKind}:
        raise HTTPException(404, "Webhooks are for github and gitlab.")
    kind, body = HostKind(given["kind"]), await _body(request)
    secret = webhooks.secret(house.settings, given["team"], given["challenge"], given["person"])
    if not hosts.proven(kind, secret, request.headers, body):
        raise HTTPException(403, "The signature is not that of this webhook's secret.")
    name, event = _PUSH[kind]
    if request.headers.get(name) != event:
        return None
    try:
        return hosts.pushed(kind, json.loads(body))
    except ValueError as error:
        detail = "The body is not JSON: choose JSON as the content type."
        raise HTTPException(400, detail) from error


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST:
            raise HTTPException(413, f"A webhook may send {_LARGEST >> 20} MB.")
    return bytes(body)


def _status(error: UserError) -> int:
    if error.slug == "nothing-to-submit":
        return 200
    return 403 if isinstance(error, Forbidden) else 400


def _told(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
