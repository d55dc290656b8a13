"""People, the units that they work in, and what they may do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import Person, Role, Unit
from leaderboard.store import audit
from leaderboard.store.rows import new_id


def add_unit(
    tx: Connection, name: str, *, at: datetime, parent: int | None = None, by: int | None = None
) -> Unit:
    """Add a unit below another one, or at the top.

    :raises StoreError: there is one of this name (slug ``unit-exists``)
    """
    _check_free(tx, name)
    unit_id = new_id(tx, tables.unit, name=name, parent_id=parent, created_at=at)
    audit.record(tx, "unit.added", f"unit:{unit_id}", at=at, by=by, name=name, parent=parent)
    return Unit(id=unit_id, name=name, parent_id=parent)


def change_unit(tx: Connection, unit: Unit, *, at: datetime, by: int | None = None) -> Unit:
    """Give a unit another name, or another place in the chart.

    :param unit: as it is from now on
    :raises StoreError: another one has the name (slug ``unit-exists``), or it would be part of
        itself (slug ``unit-circle``)
    """
    _check_free(tx, unit.name, but=unit.id)
    above = {known.id: known.parent_id for known in units(tx)}
    step = unit.parent_id
    while step is not None:
        if step == unit.id:
            raise StoreError(
                "unit-circle",
                f"{unit.name!r} would be a part of itself.",
                remedy="Choose a unit that is no part of it.",
            )
        step = above[step]
    table = tables.unit
    changed = {"name": unit.name, "parent_id": unit.parent_id}
    tx.execute(update(table).where(table.c.id == unit.id).values(changed))
    audit.record(
        tx, "unit.changed", f"unit:{unit.id}", at=at, by=by, name=unit.name, parent=unit.parent_id
    )
    return unit


def remove_unit(tx: Connection, unit: int, *, at: datetime, by: int | None = None) -> None:
    """Remove a unit that nobody and nothing belongs to.

    :raises StoreError: somebody or something belongs to it (slug ``unit-used``)
    """
    users = (
        (tables.person.c.unit_id, "people work in it"),
        (tables.legacy_model.c.unit_id, "legacy models are its own"),
        (tables.unit.c.parent_id, "units are part of it"),
    )
    for column, said in users:
        number = tx.execute(select(func.count()).where(column == unit)).scalar_one()
        if number:
            raise StoreError(
                "unit-used",
                f"The unit can't be removed: {number} {said}.",
                remedy="Move them elsewhere first, or give the unit another name.",
            )
    tx.execute(delete(tables.unit).where(tables.unit.c.id == unit))
    audit.record(tx, "unit.removed", f"unit:{unit}", at=at, by=by)


def _check_free(tx: Connection, name: str, but: int | None = None) -> None:
    known = tx.execute(select(tables.unit.c.id).where(tables.unit.c.name == name)).scalar()
    if known is not None and known != but:
        raise StoreError("unit-exists", f"There is a unit {name!r} already.")


def units(tx: Connection) -> tuple[Unit, ...]:
    """Return all units, by name."""
    rows = tx.execute(select(tables.unit).order_by(tables.unit.c.name))
    return tuple(Unit(id=row.id, name=row.name, parent_id=row.parent_id) for row in rows)


def add_person(
    tx: Connection,
    email: str,
    name: str,
    *,
    at: datetime,
    roles: Collection[Role] = (Role.MEMBER,),
    unit: int | None = None,
    by: int | None = None,
) -> Person:
    """Add somebody who may sign in; the address is known in small letters.

    :raises StoreError: somebody has this address (slug ``person-exists``)
    """
    address = email.strip().lower()
    if tx.execute(select(tables.person.c.id).where(tables.person.c.email == address)).first():
        raise StoreError("person-exists", f"Somebody with the address {address} is here already.")
    person_id = new_id(
        tx, tables.person, email=address, name=name, unit_id=unit, active=True, created_at=at
    )
    _write_roles(tx, person_id, roles)
    told = sorted(roles)
    audit.record(tx, "person.added", f"person:{person_id}", at=at, by=by, email=address, roles=told)
    return find_person(tx, person_id)


def set_roles(
    tx: Connection, person: int, roles: Collection[Role], *, at: datetime, by: int | None
) -> Person:
    """Give somebody these roles, and no others."""
    tx.execute(delete(tables.person_role).where(tables.person_role.c.person_id == person))
    _write_roles(tx, person, roles)
    audit.record(tx, "person.roles", f"person:{person}", at=at, by=by, roles=sorted(roles))
    return find_person(tx, person)


def set_active(
    tx: Connection, person: int, *, active: bool, at: datetime, by: int | None
) -> Person:
    """Let somebody in, or shut them out; what they did stays."""
    tx.execute(update(tables.person).where(tables.person.c.id == person).values(active=active))
    audit.record(tx, "person.active", f"person:{person}", at=at, by=by, active=active)
    return find_person(tx, person)


def move(tx: Connection, person: int, unit: int | None, *, at: datetime, by: int | None) -> Person:
    """Let somebody work in another unit, or in none that is known."""
    tx.execute(update(tables.person).where(tables.person.c.id == person).values(unit_id=unit))
    audit.record(tx, "person.moved", f"person:{person}", at=at, by=by, unit=unit)
    return find_person(tx, person)


def find_person(tx: Connection, person: int) -> Person:
    """Return somebody by id.

    :raises StoreError: there is nobody of this id (slug ``person-unknown``)
    """
    found = _people(tx, person)
    if not found:
        raise StoreError("person-unknown", f"There is no person {person}.")
    return found[0]


def people(tx: Connection) -> tuple[Person, ...]:
    """Return everybody, by address."""
    return _people(tx, None)


def _people(tx: Connection, person: int | None) -> tuple[Person, ...]:
    query = select(tables.person).order_by(tables.person.c.email)
    granted = select(tables.person_role)
    if person is not None:
        query = query.where(tables.person.c.id == person)
        granted = granted.where(tables.person_role.c.person_id == person)
    roles: dict[int, set[Role]] = {}
    for row in tx.execute(granted):
        roles.setdefault(row.person_id, set()).add(Role(row.role))
    return tuple(
        Person(
            id=row.id,
            email=row.email,
            name=row.name,
            unit_id=row.unit_id,
            roles=frozenset(roles.get(row.id, ())),
            active=row.active,
        )
        for row in tx.execute(query)
    )


def _write_roles(tx: Connection, person: int, roles: Collection[Role]) -> None:
    rows = [{"person_id": person, "role": role.value} for role in sorted(set(roles))]
    if not rows:
        return
    try:
        tx.execute(insert(tables.person_role), rows)
    except IntegrityError as error:
        raise StoreError("person-unknown", f"There is no person {person}.") from error
