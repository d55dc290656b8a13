"""Administration: people, units, workers, the queue, the audit."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from leaderboard.model import AuditEntry, Job, LinkPurpose, Person, Role, Submission, Unit
from leaderboard.store import audit, people, submissions, workers
from leaderboard.store.audit import Proof, Wanted
from portal.errands import Errand
from portal.errors import Forbidden, PortalError
from portal.house import House
from portal.jobs import address
from portal.services import accounts, rehearsing

SILENT = workers.SILENT
"""Who has not been heard of for so long is taken for dead."""
_BACKUPS = "backups"
_MACHINE = "the machine"


def everybody(house: House, person: Person) -> tuple[Person, ...]:
    """Return all people, by address."""
    _check(person)
    with house.database.read() as tx:
        return people.people(tx)


def people_here(house: House, person: Person) -> tuple[Person, ...]:
    """Return all people, by address, but those whom rehearsals made up."""
    return tuple(known for known in everybody(house, person) if not rehearsing.made_up(known))


def units(house: House, person: Person) -> tuple[Unit, ...]:
    """Return all units, by name."""
    _check(person)
    with house.database.read() as tx:
        return people.units(tx)


def add_unit(house: House, person: Person, name: str, parent: int | None) -> Unit:
    """Add a unit below another one, or at the top.

    :raises StoreError: there is one of this name (slug ``unit-exists``)
    :raises PortalError: it has no name (slug ``bad-name``)
    """
    _check(person)
    if not name.strip():
        raise PortalError("bad-name", "A unit needs a name.")
    with house.database.write() as tx:
        return people.add_unit(tx, name.strip(), parent=parent, at=house.now(), by=person.id)


def change_unit(house: House, person: Person, unit: Unit) -> Unit:
    """Give a unit another name, or another place in the chart.

    :param unit: as it is from now on
    :raises StoreError: another one has the name, or it would be part of itself (slugs
        ``unit-exists``, ``unit-circle``)
    :raises PortalError: it has no name (slug ``bad-name``)
    """
    _check(person)
    if not unit.name.strip():
        raise PortalError("bad-name", "A unit needs a name.")
    named = replace(unit, name=unit.name.strip())
    with house.database.write() as tx:
        return people.change_unit(tx, named, at=house.now(), by=person.id)


def remove_unit(house: House, person: Person, unit: Unit) -> None:
    """Remove a unit that nobody and nothing belongs to.

    :raises StoreError: somebody or something belongs to it (slug ``unit-used``)
    """
    _check(person)
    with house.database.write() as tx:
        people.remove_unit(tx, unit.id, at=house.now(), by=person.id)


def move(house: House, person: Person, other: int, unit: int | None) -> Person:
    """Let somebody work in another unit, or in none that is known."""
    _check(person)
    with house.database.write() as tx:
        return people.move(tx, other, unit, at=house.now(), by=person.id)


def invite(
    house: House,
    person: Person,
    *,
    email: str,
    name: str,
    roles: Collection[Role],
    unit: int | None,
) -> str:
    """Add somebody, and return the link that signs them in for the first time.

    :raises StoreError: somebody has this address (slug ``person-exists``)
    :raises PortalError: they would have no role (slug ``no-role``)
    """
    _check(person)
    accounts.check_named(email, name)
    _check_roles(roles)
    with house.database.write() as tx:
        new = people.add_person(
            tx, email, name.strip(), roles=roles, unit=unit, at=house.now(), by=person.id
        )
    return accounts.hand_out(house, LinkPurpose.SIGN_IN, person=new.id, by=person.id)


def sign_in_link(house: House, person: Person, other: int) -> str:
    """Return a link that signs somebody in once, who lost their password say."""
    _check(person)
    return accounts.hand_out(house, LinkPurpose.SIGN_IN, person=other, by=person.id)


def sign_up_link(house: House, person: Person) -> str:
    """Return a link by which anybody who has it may create an account, for a week."""
    _check(person)
    return accounts.hand_out(house, LinkPurpose.SIGN_UP, by=person.id)


def set_roles(house: House, person: Person, other: int, roles: Collection[Role]) -> Person:
    """Give somebody these roles, and no others.

    :raises PortalError: nobody would be an administrator any more (slug ``last-administrator``), or
        they would have no role (slug ``no-role``)
    """
    _check(person)
    if other == person.id and Role.ADMIN not in roles:
        raise PortalError(
            "last-administrator",
            "Nobody takes their own administration away.",
            remedy="Let another administrator do it.",
        )
    _check_roles(roles)
    with house.database.write() as tx:
        return people.set_roles(tx, other, roles, at=house.now(), by=person.id)


def set_active(house: House, person: Person, other: int, *, active: bool) -> Person:
    """Let somebody in, or shut them out.

    :raises PortalError: nobody shuts themselves out (slug ``last-administrator``)
    """
    _check(person)
    if other == person.id:
        raise PortalError("last-administrator", "Nobody shuts themselves out.")
    with house.database.write() as tx:
        return people.set_active(tx, other, active=active, at=house.now(), by=person.id)


def waiting(house: House, person: Person) -> tuple[tuple[Submission, Job], ...]:
    """Return what has no report yet, oldest first."""
    _check(person)
    with house.database.read() as tx:
        return submissions.waiting(tx)


def silences(house: House, person: Person) -> Mapping[str, timedelta]:
    """Return how long ago each worker was heard of."""
    _check(person)
    with house.database.read() as tx:
        return workers.heard_of(tx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the audit, and who did it by name."""

    entry: AuditEntry
    actor: str


def lines(
    house: House, person: Person, found: str = "", *, newest: int | None, skipped: int = 0
) -> tuple[Line, ...]:
    """Return lines of the audit, the newest first.

    :param found: a part of what was done, to what, by whom, or of its details; all without it
    :param newest: how many at most; None for all
    :param skipped: how many of the newest ones are left out
    """
    _check(person)
    with house.database.read() as tx:
        names = {known.id: known.name for known in people.people(tx)}
        wanted = _wanted(names, found)
        entries = audit.entries(tx, wanted, newest=newest, skipped=skipped)
    return tuple(
        Line(entry=entry, actor=names.get(entry.actor_id or 0, _MACHINE)) for entry in entries
    )


def number_of_lines(house: House, person: Person, found: str = "") -> int:
    """Return how many lines of the audit there are of those that are looked for."""
    _check(person)
    with house.database.read() as tx:
        names = {known.id: known.name for known in people.people(tx)}
        return audit.count(tx, _wanted(names, found))


def _wanted(names: Mapping[int, str], found: str) -> Wanted:
    text = found.strip()
    actors = {number for number, name in names.items() if text.casefold() in name.casefold()}
    return Wanted(text=text, actors=frozenset(actors))


def prove(house: House, person: Person) -> Proof:
    """Recompute the audit's chain."""
    _check(person)
    with house.database.read() as tx:
        return audit.verify(tx)


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A backup that lies in the data folder."""

    name: str
    at: datetime
    size_mb: float


def back_up(house: House, person: Person) -> None:
    """Start to write a backup into the data folder; it belongs elsewhere afterwards.

    :raises PortalError: one is under way (slug ``errand-running``)
    """
    _check(person)
    folder = house.settings.data / _BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"drydock-{house.now():%Y%m%d-%H%M%S}.tar.gz"
    command = [sys.executable, "-m", "portal.cli", "backup", str(file)]
    command += ["--data", str(house.settings.data)]
    house.errands.start(_BACKUPS, command, {"DRYDOCK_DATABASE_URL": address(house.database)})
    with house.database.write() as tx:
        audit.record(tx, "backup.begun", file.name, at=house.now(), by=person.id)


def backing_up(house: House, person: Person) -> Errand | None:
    """Return how far the last backup is; None where none was ever taken here."""
    _check(person)
    return house.errands.look(_BACKUPS)


def backups(house: House, person: Person) -> tuple[Archive, ...]:
    """Return the backups that lie in the data folder, the newest first."""
    _check(person)
    files = sorted((house.settings.data / _BACKUPS).glob("drydock-*.tar.gz"), reverse=True)
    return tuple(
        Archive(
            name=file.name,
            at=datetime.fromtimestamp(file.stat().st_mtime, UTC),
            size_mb=file.stat().st_size / 2**20,
        )
        for file in files
    )


def _check_roles(roles: Collection[Role]) -> None:
    if not roles:
        raise PortalError(
            "no-role",
            "Somebody without a role could open no page.",
            remedy="Make them a member at least, or close the account.",
        )


def _check(person: Person) -> None:
    if Role.ADMIN not in person.roles:
        raise Forbidden("not-yours", "Administrators do this.")
