"""Who sends a request: the cookie of a browser, or the token of a program."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from leaderboard.model import Person, Session
from leaderboard.store.accounts import SESSION_LASTS
from portal.house import House
from portal.services import accounts

COOKIE = "drydock_session"
FORM = "form_token"
"""The field that carries a session's own word in every form."""


def word_of(connection: HTTPConnection) -> str | None:
    """Return the word that a browser sends along."""
    return connection.cookies.get(COOKIE)


async def session(house: House, connection: HTTPConnection) -> Session | None:
    """Return whose browser sends a request; None where nobody is signed in with it."""
    return await run_in_threadpool(accounts.session, house, word_of(connection))


async def person(house: House, request: Request) -> Person | None:
    """Return who sends a request, by token, or by a browser's session.

    A session counts for reading alone: what changes something comes by token, or with the form's
    own word, so that no other site can send it in somebody's name.
    """
    kind, _, word = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return await run_in_threadpool(accounts.bearer, house, word.strip())
    found = await session(house, request)
    if found is None:
        return None
    sent = request.headers.get("x-form-token", "")
    reads = request.method in {"GET", "HEAD"}
    return found.person if reads or secrets.compare_digest(sent, found.form_token) else None


def signed_in(response: Response, word: str, *, secure: bool) -> Response:
    """Let a browser keep the word of its session."""
    response.set_cookie(
        COOKIE,
        word,
        httponly=True,
        samesite="lax",
        secure=secure,
        path="/",
        max_age=int(SESSION_LASTS.total_seconds()),
    )
    return response


def same_origin(headers: Mapping[str, str], public_address: str) -> bool:
    """Return whether a page of ours sent a request; browsers always say where from.

    :param public_address: how browsers reach the portal: a proxy may name another host
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    ours = {headers.get("host"), urlsplit(public_address).netloc}
    return origin is None or urlsplit(origin).netloc in ours
