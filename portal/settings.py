"""How one portal is set up: everything that its commands are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import grader
from portal.errors import PortalError
from portal.hosts import CodeHost

HOME = Path(grader.__file__).parents[1]
"""The folder that holds ``app.py``, ``challenges/`` and ``starter_kits/`` beside the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSignOn:
    """The company's OpenID Connect provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid email profile"
    unit_claim: str = "department"
    role_claim: str = "groups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a portal keeps its things, and how it is reached."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8501
    workers: int = 1
    database_url: str = ""
    """Empty: an SQLite file in the data folder."""
    address: str = ""
    """How browsers reach it, without a slash at the end; empty: by host and port."""
    single_sign_on: SingleSignOn | None = None
    jupyterhub: str = ""
    """Where people open ``{notebook}`` of ``{lesson}``; empty: on their own machines alone."""
    hosts: tuple[CodeHost, ...] = ()
    """Where teams' own repositories may be fetched from."""

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data / 'drydock.db'}"

    @property
    def public_address(self) -> str:
        """The address that links are made of."""
        shown = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared
        return self.address.rstrip("/") or f"http://{shown}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over TLS, so that cookies may insist on that."""
        return self.public_address.startswith("https://")


def existing(settings: Settings) -> Settings:
    """Return the settings of a portal that is there: what looks at one must not make an empty one.

    :raises PortalError: no portal keeps its things there (slug ``no-portal``)
    """
    sqlite = not settings.database_url and not (settings.data / "drydock.db").exists()
    if sqlite or not settings.data.is_dir():
        raise PortalError(
            "no-portal",
            f"No portal keeps its things in {settings.data}"
            + (", or its database is another one." if settings.data.is_dir() else "."),
            remedy="Name its folder with --data, and its PostgreSQL with --database-url.",
        )
    return settings


def checked(settings: Settings) -> Settings:
    """Return the settings, with the data folder made where it was not there.

    :raises PortalError: the folder cannot be used (slug ``data-folder``), or the address is none
        (slug ``public-address``)
    """
    if settings.address and not re.fullmatch(r"https?://[^/\s]+/?", settings.address):
        raise PortalError(
            "public-address",
            f"{settings.address!r} is not an address that a portal can be reached at.",
            remedy="Give scheme and host, such as https://drydock.example.org.",
        )
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.data / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PortalError(
            "data-folder",
            f"The data folder {settings.data} cannot be used: {error.strerror}.",
            remedy="Name a folder that you may write to with --data.",
        ) from error
    return settings
