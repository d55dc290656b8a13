"""``drydock try-version``: what another version of a challenge would change."""

from __future__ import annotations

from typing import Annotated

import typer

from portal.cli.common import DEFAULT_DATA, Data, DatabaseUrl, settings_of
from portal.errors import PortalError
from portal.house import open_house
from portal.services import boards, desk, proving


def try_version(
    event: Annotated[str, typer.Argument(help="The event's address.")],
    digest: Annotated[str, typer.Argument(help="Of the published version, or its beginning.")],
    data: Data = DEFAULT_DATA,
    database_url: DatabaseUrl = "",
) -> None:
    """Grade each team's best submission by another version of its challenge, and print both.

    A line of JSON for each team; nothing is recorded. The desk shows the same as a table.

    Examples:
      drydock try-version first-refit 24a68a9dac18 --data /srv/drydock
    """
    house = open_house(settings_of(data, database_url))
    known = [item for item in desk.versions(house) if item.digest.startswith(digest)]
    if len(known) != 1:
        raise PortalError(
            "version-unknown",
            f"{len(known)} published versions have a digest that begins with {digest!r}.",
            remedy="Publish it at the desk first, or give more figures.",
        )
    for change in proving.changes(house, boards.find_event(house, event), known[0]):
        typer.echo(proving.as_line(change))
    house.close()
