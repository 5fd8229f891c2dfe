"""What was let into receivers in the stages of their first sync, until that is over."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, func, select

from cirahub_sync.store.database import Database
from cirahub_sync.store.parts import parts
from cirahub_sync.store.tables import arrivals, items, pending


class Arrived(msgspec.Struct, frozen=True):
    count: int = 0
    found: bool = False
    """Whether some of them are copies that this store knows by their stamps only."""


class ArrivalTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, spoke: str, ids: Sequence[str], *, found: bool = False) -> None:
        """What is there already stays as it is."""
        known = self.among(spoke, ids)
        self._database.upsert(
            self._connection,
            arrivals,
            [
                {"spoke": spoke, "item": item, "hub": self._hub, "found": found}
                for item in ids
                if item not in known
            ],
        )

    def among(self, spoke: str, ids: Sequence[str]) -> set[str]:
        """Those of the items that were let in."""
        return {
            row.item
            for part in parts(ids)
            for row in self._connection.execute(
                select(arrivals.c.item).where(arrivals.c.spoke == spoke, arrivals.c.item.in_(part))
            )
        }

    def count(self, spoke: str) -> Arrived:
        of_spoke = select(func.count()).select_from(arrivals).where(arrivals.c.spoke == spoke)
        count = self._connection.execute(of_spoke).scalar_one()
        found = self._connection.execute(of_spoke.where(arrivals.c.found.is_(True))).scalar_one()
        return Arrived(count, bool(found))

    def waiting(self, spoke: str, reason: str, mark: int, count: int) -> list[str]:
        """The first of the items that are pending for this reason and have not changed since the
        spoke considered them, in the order of their seq."""
        return list(
            self._connection.execute(
                select(pending.c.item)
                .join(items, (items.c.hub == pending.c.hub) & (items.c.id == pending.c.item))
                .where(pending.c.spoke == spoke, pending.c.reason == reason, items.c.seq <= mark)
                .order_by(items.c.seq, items.c.id)
                .limit(count)
            ).scalars()
        )

    def orphaned(self, spoke: str, reason: str, count: int) -> list[str]:
        """Items that are pending for this reason and that the hub has not got any more."""
        return list(
            self._connection.execute(
                select(pending.c.item)
                .outerjoin(items, (items.c.hub == pending.c.hub) & (items.c.id == pending.c.item))
                .where(pending.c.spoke == spoke, pending.c.reason == reason, items.c.id.is_(None))
                .order_by(pending.c.item)
                .limit(count)
            ).scalars()
        )

    def ahead(self, spoke: str, reason: str, seq: int) -> int:
        """How many of the items that are pending for this reason come before one of that seq."""
        return self._connection.execute(
            select(func.count())
            .select_from(pending)
            .join(items, (items.c.hub == pending.c.hub) & (items.c.id == pending.c.item))
            .where(pending.c.spoke == spoke, pending.c.reason == reason, items.c.seq < seq)
        ).scalar_one()

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        for part in parts(ids):
            self._connection.execute(
                delete(arrivals).where(arrivals.c.spoke == spoke, arrivals.c.item.in_(part))
            )

    def clear(self, spoke: str) -> None:
        self._connection.execute(delete(arrivals).where(arrivals.c.spoke == spoke))
