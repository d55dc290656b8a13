"""The gate: without a session, nothing of the pages is reached.

Which addresses are open to whom stands in the table of `portal.access`. Browsers are led to the
sign-in and back; all else is told that it must sign in.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.access import passes
from portal.house import House
from portal.web import identity

_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
}
_POLICY_VIOLATION = 1008


class Gate:
    """Middleware that lets through who is signed in."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app = app
        self._house = house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or a websocket through, or turn it away."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if not self._foreign(scope) and await self._admitted(scope):
            await self._app(scope, receive, _hardened(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await _turn_away(scope, receive, send)

    def _foreign(self, scope: Scope) -> bool:
        """Return whether a page of another site opens a websocket.

        Streamlit would refuse it too, but asks a server on the internet for its own address first.
        """
        if scope["type"] != "websocket":
            return False
        headers = HTTPConnection(scope).headers
        return not identity.same_origin(headers, self._house.settings.public_address)

    async def _admitted(self, scope: Scope) -> bool:
        path = scope["path"]
        if passes(None, path):
            return True
        found = await identity.session(self._house, HTTPConnection(scope))
        return found is not None and passes(found.person, path)


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope)
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if wants_page:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response = RedirectResponse(f"/sign-in?next={quote(asked, safe='')}", 303)
        await response(scope, receive, send)
        return
    await PlainTextResponse("Sign in first: /sign-in\n", 401)(scope, receive, send)


def _hardened(send: Send) -> Send:
    async def send_hardened(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *((name, value) for name, value in _HEADERS.items() if name not in known),
            ]
        await send(message)

    return send_hardened
