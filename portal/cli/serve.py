"""``drydock serve``: the portal, on one port, with its workers."""

from __future__ import annotations

import signal
import socket
import sys
from typing import Annotated

import typer

from grader.cli.common import console
from leaderboard.model import LinkPurpose
from portal import demonstration
from portal.cli.common import DEFAULT_DATA, Address, Data, DatabaseUrl, settings_of
from portal.errors import PortalError
from portal.house import open_house
from portal.services import accounts
from portal.settings import Settings
from portal.supervisor import Supervisor


def serve(
    data: Data = DEFAULT_DATA,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="How many workers grade on this machine.")
    ] = 1,
    database_url: DatabaseUrl = "",
    address: Address = "",
    *,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Fill an empty portal with a made-up event, and grade it."),
    ] = False,
) -> None:
    """Serve the portal: pages, git, API, and the workers that grade.

    Examples:
      drydock serve

      drydock serve --demo

      drydock serve --data /srv/drydock --port 8080 --workers 4

      drydock serve --database-url postgresql+psycopg://drydock@db/drydock --workers 0
    """
    settings = settings_of(
        data, database_url, host=host, port=port, workers=workers, address=address
    )
    run(settings, demo=demo)


def run(settings: Settings, *, demo: bool = False) -> None:
    """Serve until told to end.

    :raises PortalError: the port is taken (slug ``port-taken``)
    """
    _check_port(settings)
    house = open_house(settings)
    house.repositories.settle()
    out = console()
    out.print(f"Drydock is at {settings.public_address}")
    sys.stdout.flush()
    if demo:
        for who, link in demonstration.prepare(house):
            out.print(f"  {who:<14} {link}", soft_wrap=True)
    elif not accounts.anybody_here(house):
        link = accounts.hand_out(house, LinkPurpose.SETUP)
        out.print(f"Create the first administrator: {link}", soft_wrap=True)
    sys.stdout.flush()
    # Imported here: it takes a second, which commands that serve nothing need not wait.
    from portal.web import server  # noqa: PLC0415

    # The server hands a signal on once it has ended; by then everything is well.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with Supervisor(settings, house.database):
        server.serve(house)
    house.close()


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortalError(
                "port-taken",
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                remedy="End what uses it, or name another one with --port.",
            ) from error
