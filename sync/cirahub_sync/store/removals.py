"""Deletions that the guard let go, for as long as its day looks back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, func, select

from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.membership import of_hub
from cirahub_sync.store.parts import parts
from cirahub_sync.store.tables import removals

_EXPIRE = Prepared(
    delete(removals).where(
        of_hub(removals.c.spoke, bindparam("hub")), removals.c.at <= bindparam("before")
    )
)


class RemovalTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, spoke: str, ids: Sequence[str], at: float) -> None:
        """What is sent again after a crash, or for a lost answer, counts once."""
        self._database.upsert(
            self._connection, removals, [{"spoke": spoke, "item": item, "at": at} for item in ids]
        )

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        """They surely had no effect."""
        for part in parts(ids):
            self._connection.execute(
                delete(removals).where(removals.c.spoke == spoke, removals.c.item.in_(part))
            )

    def of(self, spoke: str, after: float) -> set[str]:
        """The items that were sent for deletion since."""
        return set(
            self._connection.execute(
                select(removals.c.item).where(removals.c.spoke == spoke, removals.c.at > after)
            ).scalars()
        )

    def count(self) -> int:
        """Of the whole hub."""
        return self._connection.execute(
            select(func.count()).select_from(removals).where(of_hub(removals.c.spoke, self._hub))
        ).scalar_one()

    def expire(self, before: float) -> None:
        _EXPIRE.run(self._connection, hub=self._hub, before=before)
