"""The register of legacy models: read from a table, looked over, then taken in whole."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

import pandas as pd

from leaderboard.model import LegacyModel, Person, Role
from leaderboard.store import events, models, people, withdrawing
from leaderboard.store.models import NewModel
from portal.errors import Forbidden, PortalError
from portal.house import House

REQUIRED = ("name", "unit", "owner", "language")
OPTIONAL = ("challenge", "live")
_YES = frozenset({"yes", "true", "1", "y"})
_NO = frozenset({"", "no", "false", "0", "n"})
"""An empty cell changes nothing."""
_LONGEST = {"name": 200, "owner": 200, "language": 40, "challenge": 100}
_READERS = frozenset({Role.MANAGER, Role.LEADER, Role.ADMIN})
_WRITERS = frozenset({Role.MANAGER, Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table that is to be imported."""

    number: int
    """As a spreadsheet counts them: the header is row 1."""
    cells: Mapping[str, str]
    problems: tuple[str, ...]
    """What is wrong with it; none where it can be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A table, read and looked over."""

    rows: tuple[Row, ...]

    @property
    def good(self) -> bool:
        """Whether it can be imported."""
        return bool(self.rows) and not any(row.problems for row in self.rows)


def preview(house: House, person: Person, name: str, content: bytes) -> Preview:
    """Read a CSV or Excel table of legacy models, and say what is wrong with which row.

    Columns: name, unit, owner, language; optionally challenge (a slug) and live (yes or no).

    :raises Forbidden: the person may not (slug ``not-yours``)
    :raises PortalError: it is no table, or lacks a column (slug ``bad-table``)
    """
    _check(person, _WRITERS)
    table = _read(name, content)
    with house.database.read() as tx:
        units = {unit.name for unit in people.units(tx)}
        slugs = {version.slug for version in events.published(tx)}
    seen: set[str] = set()
    rows = []
    for position, record in zip(table.index, table.to_dict("records"), strict=True):
        cells = {key: str(record.get(key, "")).strip() for key in (*REQUIRED, *OPTIONAL)}
        problems = tuple(_problems(cells, units, slugs, seen))
        seen.add(cells["name"])
        rows.append(Row(number=int(position) + 2, cells=cells, problems=problems))
    return Preview(rows=tuple(rows))


def take_in(house: House, person: Person, looked_over: Preview) -> tuple[int, int]:
    """Register what was looked over, all of it or nothing.

    :return: how many are new, and how many were changed
    :raises PortalError: there is something wrong with it (slug ``bad-table``)
    """
    _check(person, _WRITERS)
    if not looked_over.good:
        raise PortalError("bad-table", "Rows with problems are not taken in.", remedy="Mend them.")
    now = house.now()
    with house.database.write() as tx:
        units = {unit.name: unit.id for unit in people.units(tx)}
        known = {model.name: model for model in models.models(tx)}
        new = [
            _new_model(row.cells, units, known.get(row.cells["name"]), now)
            for row in looked_over.rows
        ]
        return models.register(tx, new, at=now, by=person.id)


def registered(house: House, person: Person) -> tuple[LegacyModel, ...]:
    """Return the register, by name.

    :raises Forbidden: the person may not (slug ``not-yours``)
    """
    _check(person, _READERS)
    with house.database.read() as tx:
        return models.models(tx)


def published(house: House) -> tuple[str, ...]:
    """Return the challenges that a model's port can be asked for by, by slug."""
    with house.database.read() as tx:
        return tuple(sorted({version.slug for version in events.published(tx)}))


def change(house: House, person: Person, changed: LegacyModel, *, live: bool) -> None:
    """Change what the register says of a model; its name stays.

    :param changed: the model as it should be from now on
    :param live: whether its port has taken over in production; since when is noted here
    :raises Forbidden: the person may not (slug ``not-yours``)
    :raises PortalError: something of it will not do (slug ``bad-model``)
    """
    _check(person, _WRITERS)
    now = house.now()
    with house.database.write() as tx:
        units = {unit.id: unit.name for unit in people.units(tx)}
        cells = {
            "name": changed.name,
            "unit": units.get(changed.unit_id, ""),
            "owner": changed.owner.strip(),
            "language": changed.language.strip(),
            "challenge": changed.challenge_slug or "",
            "live": "yes" if live else "no",
        }
        slugs = {version.slug for version in events.published(tx)} | {cells["challenge"]}
        problems = list(_problems(cells, set(units.values()), slugs, set()))
        if problems:
            raise PortalError(
                "bad-model", f"{changed.name}: {'; '.join(problems)}.", remedy="Mend it here."
            )
        new = _new_model(cells, {name: number for number, name in units.items()}, changed, now)
        models.register(tx, [new], at=now, by=person.id)


def remove(house: House, person: Person, model: LegacyModel) -> None:
    """Take a model out of the register.

    :raises Forbidden: the person may not (slug ``not-yours``)
    :raises StoreError: it is not there any more (slug ``model-unknown``)
    """
    _check(person, _WRITERS)
    with house.database.write() as tx:
        withdrawing.remove_model(tx, model.id, at=house.now(), by=person.id)


def _new_model(
    cells: Mapping[str, str], units: Mapping[str, int], known: LegacyModel | None, now: datetime
) -> NewModel:
    before = None if known is None else known.live_since
    return NewModel(
        name=cells["name"],
        unit_id=units[cells["unit"]],
        owner=cells["owner"],
        language=cells["language"],
        challenge_slug=cells["challenge"] or None,
        live_since=_live_since(cells["live"], before, now),
    )


def _live_since(said: str, before: datetime | None, now: datetime) -> datetime | None:
    """Return since when a model is live; what says nothing of it leaves it as it is."""
    if not said:
        return before
    return (before or now) if said.lower() in _YES else None


def _read(name: str, content: bytes) -> pd.DataFrame:
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if suffix == ".xlsx":
            table = pd.read_excel(io.BytesIO(content), dtype=str, keep_default_na=False)
        else:
            # Spreadsheets begin a CSV in UTF-8 with a mark, which is no part of a column's name.
            table = pd.read_csv(
                io.BytesIO(content),
                dtype=str,
                sep=None,
                engine="python",
                encoding="utf-8-sig",
                keep_default_na=False,
            )
    except Exception as error:
        raise PortalError(
            "bad-table",
            f"{name} cannot be read as a table: {str(error).splitlines()[0].rstrip('.')}.",
            remedy="Save it as CSV in UTF-8, or as .xlsx.",
        ) from error
    table = table.rename(columns=lambda column: str(column).strip().lower()).fillna("")
    # Sheets end in rows that only look empty; their numbers stay those of the others.
    table = table[table.map(lambda cell: str(cell).strip() != "").any(axis="columns")]
    missing = [column for column in REQUIRED if column not in table.columns]
    if missing:
        raise PortalError(
            "bad-table",
            f"{name} has no column {', '.join(missing)}.",
            remedy=f"Columns are {', '.join(REQUIRED)}, and optionally {', '.join(OPTIONAL)}.",
        )
    return table


def _problems(
    cells: Mapping[str, str], units: set[str], slugs: set[str], seen: set[str]
) -> Iterator[str]:
    for column in REQUIRED:
        if not cells[column]:
            yield f"{column} is empty"
    for column, longest in _LONGEST.items():
        if len(cells[column]) > longest:
            yield f"{column} has more than {longest} characters"
    if cells["unit"] and cells["unit"] not in units:
        yield f"there is no unit {cells['unit']!r}"
    if cells["challenge"] and cells["challenge"] not in slugs:
        yield f"no challenge {cells['challenge']!r} is published; leave it empty until one is"
    if cells["name"] in seen:
        yield f"{cells['name']!r} stands in a row above too"
    if cells["live"].lower() not in _YES | _NO:
        yield "live is neither yes nor no"


def _check(person: Person, roles: frozenset[Role]) -> None:
    if roles.isdisjoint(person.roles):
        raise Forbidden("not-yours", "The register is for managers.")
