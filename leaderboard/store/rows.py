"""What all parts of the store do with rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Table, insert

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def new_id(tx: Connection, table: Table, **values: object) -> int:
    """Insert a row and return its id."""
    key = tx.execute(insert(table).values(values)).inserted_primary_key
    if key is None:
        raise RuntimeError(f"{table.name} gave no key")
    return int(key[0])


def fields(row: AnyRow) -> Mapping[str, Any]:
    """Return a row's values by the names of their columns."""
    return {str(name): value for name, value in row._mapping.items()}  # noqa: SLF001 - public in SQLAlchemy, despite its name
