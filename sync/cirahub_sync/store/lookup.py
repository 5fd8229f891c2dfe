"""Lookup: what is kept about one item, for explaining it. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select, union

from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Intent
from cirahub_sync.store.tables import conflicts, passes, replicas, shadows


class Lost(msgspec.Struct, frozen=True):
    """A recorded conflict."""

    field: str
    winner: str
    loser: str
    tie: bool
    recorded_at: float
    value: bytes
    """msgpack of the value that lost."""


def linked(tx: Transaction, remote: str) -> list[tuple[str, str | None]]:
    """(spoke, item) of everything that a service knows by this id; the item is None where the
    spoke's filter keeps it out."""
    found = union(
        *(
            select(table.c.spoke, table.c.item).where(
                table.c.hub == tx.hub, table.c.remote == remote
            )
            for table in (shadows, replicas)
        )
    )
    return sorted((row.spoke, row.item) for row in tx.connection.execute(found))


def kept_out(tx: Transaction) -> dict[str, int]:
    """How many items the filter of each spoke keeps out, by spoke."""
    rows = tx.connection.execute(
        select(shadows.c.spoke).where(shadows.c.hub == tx.hub, shadows.c.admitted.is_(False))
    )
    found: dict[str, int] = {}
    for row in rows:
        found[row.spoke] = found.get(row.spoke, 0) + 1
    return found


def lost(tx: Transaction, item: str) -> list[Lost]:
    """The conflicts that are recorded of an item, the oldest first."""
    rows = tx.connection.execute(
        select(conflicts)
        .where(conflicts.c.hub == tx.hub, conflicts.c.item == item)
        .order_by(conflicts.c.recorded_at, conflicts.c.field, conflicts.c.loser)
    )
    return [
        Lost(
            row.field,
            row.winner,
            row.loser,
            row.tie,
            row.recorded_at,
            tx.cipher.open(row.value, f"conflicts/{tx.hub}/{item}"),
        )
        for row in rows
    ]


def unanswered(tx: Transaction, spoke: str, item: str) -> Sequence[Intent]:
    """Requests about the item whose outcome is not known."""
    return [one for one in tx.intents.open(spoke) if one.item == item]


def last_report(tx: Transaction) -> bytes | None:
    """Of the last pass, as it was kept."""
    return tx.connection.execute(
        select(passes.c.report)
        .where(passes.c.hub == tx.hub)
        .order_by(passes.c.started.desc())
        .limit(1)
    ).scalar()
