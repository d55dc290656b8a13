"""Single sign-on: the company's OpenID Connect provider vouches for people.

Authlib does the protocol: authorisation code with PKCE, state, nonce, and the ID token's signature.
What is ours: who may come in, and what claims say of units and roles.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from grader.errors import UserError
from leaderboard.model import Role
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.services import accounts
from portal.settings import SingleSignOn
from portal.web import identity, signin

CALLBACK = "/sso/callback"
_ATTEMPT_LASTS = 600
"""Seconds between setting out for the provider and coming back."""
_GOAL = "goal"
_PREFIX = "drydock-"


def routes(house: House) -> list[Mount]:
    """Return the routes of single sign-on; none where no provider is configured."""
    provider = house.settings.single_sign_on
    if provider is None:
        return []
    pages = _Pages(house, provider)
    # What an attempt has to remember is in the browser, signed; a restart ends open attempts.
    remembered = Middleware(
        SessionMiddleware,
        secret_key=secrets.token_hex(32),
        session_cookie="drydock_sso",
        max_age=_ATTEMPT_LASTS,
        path="/sso",
        same_site="lax",
        https_only=house.settings.secure,
    )
    known = [Route("/start", pages.start), Route("/callback", pages.callback)]
    return [Mount("/sso", routes=known, middleware=[remembered])]


class _Pages:
    """The way to the provider and back."""

    def __init__(self, house: House, provider: SingleSignOn) -> None:
        self._house = house
        self._provider = provider
        self._client = OAuth().register(
            "company",
            server_metadata_url=f"{provider.issuer}/.well-known/openid-configuration",
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            client_kwargs={"scope": provider.scope, "code_challenge_method": "S256"},
        )

    async def start(self, request: Request) -> Response:
        """Lead to the provider."""
        request.session[_GOAL] = signin.inside(request.query_params.get("next", ""))
        back = f"{self._house.settings.public_address}{CALLBACK}"
        try:
            away: Response = await self._client.authorize_redirect(request, back)
        except (httpx.HTTPError, AuthlibBaseError) as error:
            return self._failed(f"The company's sign-on does not answer: {error}")
        return away

    async def callback(self, request: Request) -> Response:
        """Take in who comes back."""
        goal = str(request.session.pop(_GOAL, ""))
        try:
            token = await self._client.authorize_access_token(request)
        except (httpx.HTTPError, AuthlibBaseError) as error:
            return self._failed(f"The company's sign-on did not vouch for you: {error}")
        claims = dict(token.get("userinfo") or {})
        try:
            word = await run_in_threadpool(self._vouched, claims)
        except UserError as error:
            return signin.page("sign_in.html", 403, error=error, single_sign_on=self._provider)
        # Coming from the provider, this request is another site's: the next one is our own.
        response = RedirectResponse(goal or "/", 303)
        return identity.signed_in(response, word, secure=self._house.settings.secure)

    def _failed(self, message: str) -> Response:
        remedy = "Try again; if it stays so, tell an administrator."
        error = PortalError("single-sign-on-failed", message, remedy=remedy)
        return signin.page("sign_in.html", 502, error=error, single_sign_on=self._provider)

    def _vouched(self, claims: Mapping[str, object]) -> str:
        if claims.get("email_verified") is False or not claims.get("email"):
            raise Forbidden(
                "sign-in-refused",
                "The company's sign-on does not vouch for an e-mail address of yours.",
                remedy="Ask whoever runs it to send the claim email.",
            )
        email = str(claims["email"])
        return accounts.sign_in_vouched(
            self._house,
            subject=f"{claims['iss']} {claims['sub']}",
            email=email,
            name=str(claims.get("name") or email.partition("@")[0]),
            roles=roles(claims, self._provider.role_claim),
            unit=str(claims.get(self._provider.unit_claim) or "").strip(),
        )


def roles(claims: Mapping[str, object], claim: str) -> frozenset[Role] | None:
    """Return the roles that a claim gives: ``leader`` or ``drydock-leader`` gives that of a leader.

    :return: None where the claim is missing: then roles are given by the portal's administrators
    """
    found = claims.get(claim)
    if found is None:
        return None
    names = found.split() if isinstance(found, str) else found if isinstance(found, list) else []
    known = {role.value: role for role in Role}
    plain = (str(name).lower().removeprefix(_PREFIX) for name in names)
    return frozenset(known[name] for name in plain if name in known)
