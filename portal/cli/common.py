"""What the portal's commands share: where a portal keeps its things."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from portal.errors import PortalError
from portal.hosts import CodeHost, HostKind, parse_hosts
from portal.settings import Settings, SingleSignOn, checked, existing

Data = Annotated[
    Path,
    typer.Option("--data", envvar="DRYDOCK_DATA", help="Folder that everything is kept in."),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar="DRYDOCK_DATABASE_URL",
        help="postgresql+psycopg://user@host/name, when one outgrows SQLite.",
        show_default="an SQLite file in the data folder",
    ),
]
Address = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="DRYDOCK_ADDRESS",
        help="How browsers reach the portal, where that differs: https://drydock.example.org",
        show_default=False,
    ),
]
DEFAULT_DATA = Path("drydock-data")


def settings_of(data: Path, database_url: str, **more: object) -> Settings:
    """Return checked settings; what holds secrets comes from the environment.

    :raises PortalError: something of it will not do
    """
    return checked(
        Settings(
            data=data.absolute(),
            database_url=database_url,
            single_sign_on=_single_sign_on(),
            hosts=_hosts(),
            jupyterhub=os.environ.get("DRYDOCK_JUPYTERHUB", ""),
            **more,  # type: ignore[arg-type]  # the commands pass fields of Settings
        )
    )


def existing_portal(data: Path, database_url: str) -> Settings:
    """Return the settings of a portal that is there.

    :raises PortalError: there is none (slug ``no-portal``)
    """
    return existing(
        Settings(
            data=data.absolute(),
            database_url=database_url,
        )
    )


def _hosts() -> tuple[CodeHost, ...]:
    return tuple(
        host
        for kind in HostKind
        for host in parse_hosts(kind, os.environ.get(f"DRYDOCK_{kind.name}", ""))
    )


def _single_sign_on() -> SingleSignOn | None:
    names = ("DRYDOCK_OIDC_CLIENT_ID", "DRYDOCK_OIDC_CLIENT_SECRET", "DRYDOCK_OIDC_ISSUER")
    missing = [name for name in names if not os.environ.get(name)]
    if len(missing) == len(names):
        return None
    issuer = os.environ.get(names[2], "")
    if missing or not re.fullmatch(r"https?://\S+", issuer):
        said = f"{' and '.join(missing)} is not" if missing else f"{issuer!r} is no address"
        raise PortalError(
            "single-sign-on",
            f"The single sign-on is half set up: {said}.",
            remedy="Set all three, or none.",
        )
    optional = {"SCOPE": "scope", "UNIT_CLAIM": "unit_claim", "ROLE_CLAIM": "role_claim"}
    return SingleSignOn(
        issuer=issuer.rstrip("/"),
        client_id=os.environ[names[0]],
        client_secret=os.environ[names[1]],
        **{
            field: value
            for name, field in optional.items()
            if (value := os.environ.get(f"DRYDOCK_OIDC_{name}"))
        },
    )
