"""The few pages that are there without a session: sign in, sign up, join, out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from grader.errors import UserError
from leaderboard.model import LinkPurpose
from leaderboard.store import people
from portal.errors import Forbidden
from portal.house import House
from portal.services import accounts, joining
from portal.web import identity

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_LARGEST_FORM = 2**16
"""Bytes."""


def routes(house: House) -> list[Route]:
    """Return the routes of signing in."""
    pages = SignIn(house)
    small = [Middleware(RequestBodyLimitMiddleware, max_body_size=_LARGEST_FORM)]
    forms = {
        "/sign-in": pages.sign_in,
        "/sign-out": pages.sign_out,
        "/enter/{word}": pages.enter,
        "/join/{word}": pages.join,
        "/setup/{word}": pages.set_up,
    }
    return [
        Route("/home", _home),
        *(
            Route(path, form, methods=["GET", "POST"], middleware=small)
            for path, form in forms.items()
        ),
    ]


async def _home(request: Request) -> Response:
    """Lead to the first page, which has no name in its address."""
    asked = request.url.query
    return RedirectResponse(f"/?{asked}" if asked else "/", 303)


class SignIn:
    """The pages, over one house."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def sign_in(self, request: Request) -> Response:
        """Ask for address and password, and lead on to where somebody wanted to go."""
        goal = inside(request.query_params.get("next", ""))
        provider = self._house.settings.single_sign_on
        shown: dict[str, Any] = {"goal": goal, "single_sign_on": provider}
        if request.method == "GET":
            return page("sign_in.html", **shown)
        form = await self._form(request)
        place = request.client.host if request.client else ""
        email, password = str(form.get("email", "")), str(form.get("password", ""))
        try:
            word = await run_in_threadpool(accounts.sign_in, self._house, email, password, place)
        except UserError as error:
            status = 401 if isinstance(error, Forbidden) else 429
            return page("sign_in.html", status, error=error, email=email, **shown)
        return self._signed_in(word, goal)

    async def enter(self, request: Request) -> Response:
        """Sign in by a link that was handed out.

        Opening it asks once more: what looks into links ahead of people must not use them up.
        """
        word = request.path_params["word"]
        try:
            purpose = await run_in_threadpool(accounts.purpose_of_link, self._house, word)
        except UserError as error:
            return page("enter.html", 404, error=error, void=True)
        shown = {"own": purpose is LinkPurpose.SIGN_IN}
        if request.method == "GET":
            return page("enter.html", **shown)
        password = str((await self._form(request)).get("password", ""))
        try:
            session = await run_in_threadpool(accounts.sign_in_by_link, self._house, word, password)
        except Forbidden as error:
            return page("enter.html", 404, error=error, void=True)
        except UserError as error:
            return page("enter.html", 400, error=error, **shown)
        return self._signed_in(session, "/")

    async def join(self, request: Request) -> Response:
        """Follow an invitation: into a team who is signed in; others by way of an account."""
        word = request.path_params["word"]
        found = await identity.session(self._house, request)
        try:
            team = await run_in_threadpool(accounts.invitation, self._house, word)
        except UserError as error:
            return page("join.html", 404, error=error, void=True)
        shown = {"team": team, "person": found.person if found else None, "word": word}
        if request.method == "GET":
            return page("join.html", **shown, units=await run_in_threadpool(self._units))
        form = await self._form(request)
        try:
            if found is not None:
                await run_in_threadpool(joining.join, self._house, found.person, word)
                return RedirectResponse("/team", 303)
            return self._signed_in(await run_in_threadpool(self._sign_up, word, form), "/")
        except UserError as error:
            units = await run_in_threadpool(self._units)
            return page("join.html", 400, **shown, units=units, error=error, form=form)

    async def set_up(self, request: Request) -> Response:
        """Create the first administrator, by the link that was printed."""
        if await run_in_threadpool(accounts.anybody_here, self._house):
            return page("setup.html", 404, void=True)
        if request.method == "GET":
            return page("setup.html")
        form = await self._form(request)
        try:
            word = await run_in_threadpool(
                accounts.set_up,
                self._house,
                request.path_params["word"],
                *(str(form.get(name, "")) for name in ("email", "name", "password")),
            )
        except UserError as error:
            return page("setup.html", 400, error=error, form=form)
        return self._signed_in(word, "/")

    async def sign_out(self, request: Request) -> Response:
        """End the session; a page of ours asks for it, no other site can."""
        if request.method == "GET":
            return page("sign_out.html")
        await self._form(request)
        await run_in_threadpool(accounts.sign_out, self._house, identity.word_of(request))
        response = RedirectResponse("/sign-in", 303)
        response.delete_cookie(identity.COOKIE, path="/")
        return response

    def _sign_up(self, word: str, form: FormData) -> str:
        unit = str(form.get("unit", ""))
        email, name, password = (str(form.get(key, "")) for key in ("email", "name", "password"))
        return accounts.sign_up(
            self._house,
            word,
            email,
            name,
            password,
            unit=int(unit) if unit.isdecimal() else None,
        )

    def _units(self) -> list[tuple[int, str]]:
        with self._house.database.read() as tx:
            return [(unit.id, unit.name) for unit in people.units(tx)]

    def _signed_in(self, word: str, goal: str) -> Response:
        response = RedirectResponse(goal or "/", 303)
        return identity.signed_in(response, word, secure=self._house.settings.secure)

    async def _form(self, request: Request) -> FormData:
        if not identity.same_origin(request.headers, self._house.settings.public_address):
            raise Forbidden("foreign-form", "This form was sent by another site.")
        return await request.form()


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page made of a template; nothing of it is kept by a browser or loads anything."""
    content = _templates.get_template(name).render(**values)
    return HTMLResponse(
        content, status, {"cache-control": "no-store", "content-security-policy": _POLICY}
    )


def inside(goal: str) -> str:
    """Return an address of ours, or none: nobody is led away by a link to us."""
    bad = not goal.startswith("/") or goal.startswith(("//", "/\\")) or "\n" in goal
    return "" if bad else goal
