"""GitHub and GitLab: where a team's own repository may be, and what is told there.

Only hosts that an operator named are asked, by HTTPS or what the operator wrote: nobody makes the
portal reach into the network behind it. Who sends a push is proven by the hosts' own means: an
HMAC over the body (GitHub), a shared token (GitLab).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from portal.errors import PortalError

_PATIENCE = 10.0
_CONTEXT = "drydock"
_LONGEST = 140
"""Characters of a status, as GitHub takes them."""
_PATH = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)+[A-Za-z0-9_][A-Za-z0-9_.-]*")
_log = logging.getLogger("drydock.hosts")


class HostKind(StrEnum):
    """Whose API a host speaks."""

    GITHUB = "github"
    GITLAB = "gitlab"


class State(StrEnum):
    """What a commit's status says."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeHost:
    """A host that repositories may be fetched from."""

    kind: HostKind
    address: str
    """Scheme and host, such as ``https://github.com``."""
    token: str = field(default="", repr=False)
    """Reads private repositories and posts statuses; empty: neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A repository on a host."""

    host: CodeHost
    path: str
    """Owner and name, such as ``claims/tariff``."""

    @property
    def address(self) -> str:
        """Where it is, as people write it."""
        return f"{self.host.address}/{self.path}.git"

    @property
    def fetched_from(self) -> str:
        """Where it is fetched from, with what opens it."""
        if not self.host.token:
            return self.address
        user = "x-access-token" if self.host.kind is HostKind.GITHUB else "oauth2"
        scheme, _, rest = self.address.partition("://")
        return f"{scheme}://{user}:{quote(self.host.token, safe='')}@{rest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What a webhook tells."""

    url: str
    branch: str
    """Empty where it is about something else."""
    commit: str
    """Empty where the branch was deleted."""


def parse_hosts(kind: HostKind, text: str) -> tuple[CodeHost, ...]:
    """Return the hosts of a setting: ``host`` or ``host=token``, by commas.

    :raises PortalError: a host is none (slug ``code-host``)
    """
    found = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, token = entry.partition("=")
        address = name if "://" in name else f"https://{name}"
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(?::\d+)?", address):
            raise PortalError(
                "code-host",
                f"{name!r} is not a host that repositories could be on.",
                remedy="Write host or host=token, by commas: github.com=ghp_…",
            )
        found.append(CodeHost(kind=kind, address=address.lower(), token=token))
    return tuple(found)


def find(hosts: Sequence[CodeHost], url: str) -> Origin:
    """Return the repository that an address names.

    :raises PortalError: its host is not one of these, or it names no repository (slug
        ``host-not-allowed``)
    """
    parts = urlsplit(url)
    path = parts.path.strip("/").removesuffix(".git")
    for host in hosts:
        if f"{parts.scheme}://{parts.netloc}".lower() == host.address and _PATH.fullmatch(path):
            return Origin(host=host, path=path)
    known = ", ".join(host.address for host in hosts) or "none yet"
    raise PortalError(
        "host-not-allowed",
        "Repositories are fetched from the hosts alone that an operator named.",
        remedy=f"Push to the portal, or use an address at one of these: {known}.",
    )


def proven(kind: HostKind, secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether whoever sends a webhook knows its secret."""
    if kind is HostKind.GITHUB:
        expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, headers.get("x-hub-signature-256", ""))
    return hmac.compare_digest(secret.encode(), headers.get("x-gitlab-token", "").encode())


def pushed(kind: HostKind, content: Mapping[str, Any]) -> Push:
    """Return what a webhook tells of a push; of anything else, nothing.

    :raises PortalError: it is not what its host sends (slug ``bad-webhook``)
    """
    place = "repository" if kind is HostKind.GITHUB else "project"
    url = "clone_url" if kind is HostKind.GITHUB else "git_http_url"
    try:
        commit = str(content.get("after") or "")
        return Push(
            url=str(content[place][url]),
            branch=str(content.get("ref") or "").partition("refs/heads/")[2],
            commit=commit.strip("0") and commit,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise PortalError(
            "bad-webhook",
            f"This is not a push as {kind} tells it.",
            remedy="Choose JSON as the content type, and push events alone.",
        ) from error


def post_status(origin: Origin, commit: str, state: State, said: str, target: str) -> bool:
    """Tell a host what became of a commit; return whether it took that.

    A host that is away must not hold up a grading: whatever goes wrong is logged, no more.

    :param said: a line
    :param target: the page of the report
    """
    if not origin.host.token:
        return False
    url, headers, content = _status(origin, commit, state, said[:_LONGEST], target)
    try:
        answer = httpx.post(url, headers=headers, json=content, timeout=_PATIENCE)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        _log.warning("%s took no status: %s", origin.host.address, type(error).__name__)
        return False
    return True


def _status(
    origin: Origin, commit: str, state: State, said: str, target: str
) -> tuple[str, dict[str, str], dict[str, str]]:
    """Return address, headers and body of what a host is told.

    https://docs.github.com/rest/commits/statuses, https://docs.gitlab.com/api/commits
    """
    host = origin.host
    content = {"target_url": target, "description": said}
    if host.kind is HostKind.GITHUB:
        public = host.address == "https://github.com"
        root = "https://api.github.com" if public else f"{host.address}/api/v3"
        headers = {"authorization": f"Bearer {host.token}", "accept": "application/vnd.github+json"}
        url = f"{root}/repos/{origin.path}/statuses/{commit}"
        return url, headers, {**content, "state": state.value, "context": _CONTEXT}
    words = {State.FAILURE: "failed", State.ERROR: "failed"}
    url = f"{host.address}/api/v4/projects/{quote(origin.path, safe='')}/statuses/{commit}"
    body = {**content, "state": words.get(state, state.value), "name": _CONTEXT}
    return url, {"private-token": host.token}, body
