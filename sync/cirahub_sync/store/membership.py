"""Which rows are of a hub's spokes, for statements about all of them at once: with thousands of
spokes, a statement for each would take seconds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, select

from cirahub_sync.store.rows import Spoke
from cirahub_sync.store.tables import spokes


def of_hub(spoke: Column[str], hub: str) -> ColumnElement[bool]:
    return spoke.in_(select(spokes.c.uid).where(spokes.c.hub == hub))


def all_of(connection: Connection, hub: str) -> dict[str, Spoke]:
    """The rows of a hub's spokes by uid, in the order in which they joined."""
    rows = connection.execute(select(spokes).where(spokes.c.hub == hub).order_by(spokes.c.rank))
    return {row.uid: _row(row) for row in rows}


def one(connection: Connection, uid: str) -> Spoke:
    return _row(connection.execute(select(spokes).where(spokes.c.uid == uid)).one())


def _row(row: Row[Any]) -> Spoke:
    values = row._asdict()
    del values["hub"]
    return Spoke(**values)
