"""``drydock backup`` and ``drydock restore``: a portal in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from grader.cli.common import console
from leaderboard.store import open_database
from portal import backup as backups
from portal.cli.common import DEFAULT_DATA, Data, DatabaseUrl, existing_portal, settings_of


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as drydock.tar.gz.")],
    data: Data = DEFAULT_DATA,
    database_url: DatabaseUrl = "",
) -> None:
    """Write a portal into one archive, while it runs.

    It holds the database, the teams' repositories, the published challenges, the signing key and
    the records: keep it as safe as the portal itself.

    Examples:
      drydock backup --data /srv/drydock /backups/2026-11-23.tar.gz
    """
    settings = existing_portal(data, database_url)
    database = open_database(settings.database)
    try:
        written = backups.write(settings, database, file)
    finally:
        database.close()
    size = file.stat().st_size / 2**20
    console().print(f"{file}: {size:.1f} MB, {written.lines} lines of audit", soft_wrap=True)


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `drydock backup` wrote.")],
    data: Data = DEFAULT_DATA,
    database_url: DatabaseUrl = "",
) -> None:
    """Bring a portal back, into an empty data folder and database.

    Examples:
      drydock restore --data /srv/drydock /backups/2026-11-23.tar.gz
    """
    settings = settings_of(data, database_url)
    found = backups.restore(settings, file)
    console().print(
        f"The portal of {found.at} is back in {settings.data}; its audit holds, "
        f"{found.lines} lines.",
        soft_wrap=True,
    )
