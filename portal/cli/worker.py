"""``drydock worker``: grade what is queued, on this machine."""

from __future__ import annotations

import logging
import socket
from functools import partial
from typing import Annotated

import typer

from portal import teaching
from portal.cli.common import DEFAULT_DATA, Address, Data, DatabaseUrl, settings_of
from portal.grading import Grader
from portal.house import open_house
from portal.jobs import work
from portal.services import telling
from portal.teaching import Teacher


def worker(
    data: Data = DEFAULT_DATA,
    database_url: DatabaseUrl = "",
    address: Address = "",
    name: Annotated[
        str,
        typer.Option(
            help="Its name: the same after a restart, and no other worker's.",
            show_default="this machine's name",
        ),
    ] = "",
    *,
    supervised: Annotated[
        bool, typer.Option("--supervised", hidden=True, help="End with standard input.")
    ] = False,
) -> None:
    """Grade submissions, one after the other, until told to end.

    It needs the portal's data folder (repositories and challenges), shared where it runs on
    another machine, and the portal's database.

    Examples:
      drydock worker --data /srv/drydock

      drydock worker --data /srv/drydock --database-url postgresql+psycopg://drydock@db/drydock
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    house = open_house(settings_of(data, database_url, address=address))
    known = name or f"{socket.gethostname()}/0"
    workshop = house.settings.data / "work" / known.replace("/", "-")
    ended = partial(telling.tell, house)
    locks = house.settings.data / "locks"
    with (
        Grader(house.database, house.library, house.repositories, workshop, ended) as grader,
        Teacher(house.database, teaching.folders(house.settings)) as teacher,
    ):
        work(
            house.database,
            known,
            grader.grade,
            locks,
            teach=teacher.grade,
            supervised=supervised,
        )
