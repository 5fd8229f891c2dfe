"""What people merged and split, as the store keeps it: ids and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from cirahub_sync.store.database import Database
from cirahub_sync.store.parts import parts
from cirahub_sync.store.tables import bindings, redirects


class RedirectTable:
    """From ids that were merged away to the items that they are now."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def of(self, ids: Sequence[str]) -> dict[str, str]:
        """By old id; ids that are no old ones are left out."""
        return {
            row.old: row.item
            for part in parts(ids)
            for row in self._connection.execute(
                select(redirects).where(redirects.c.hub == self._hub, redirects.c.old.in_(part))
            )
        }

    def resolve(self, item: str) -> str:
        return self.of([item]).get(item, item)

    def add(self, old: str, item: str) -> None:
        """What led to `old` leads to `item` as well."""
        self._connection.execute(
            update(redirects)
            .where(redirects.c.hub == self._hub, redirects.c.item == old)
            .values(item=item)
        )
        self._database.upsert(
            self._connection, redirects, [{"hub": self._hub, "old": old, "item": item}]
        )


class BindingTable:
    """Which item a spoke's contact is, by a person's word."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def of(self, spoke: str, remotes: Sequence[str]) -> dict[str, str]:
        return {
            row.remote: row.item
            for part in parts(remotes)
            for row in self._connection.execute(
                select(bindings).where(bindings.c.spoke == spoke, bindings.c.remote.in_(part))
            )
        }

    def put(self, item: str, contacts: Sequence[tuple[str, str]]) -> None:
        """`contacts`: spokes and remote ids."""
        self._database.upsert(
            self._connection,
            bindings,
            [
                {"spoke": spoke, "remote": remote, "hub": self._hub, "item": item}
                for spoke, remote in contacts
            ],
        )

    def follow(self, old: str, item: str) -> None:
        """What was bound to `old` is bound to `item`."""
        self._connection.execute(
            update(bindings)
            .where(bindings.c.hub == self._hub, bindings.c.item == old)
            .values(item=item)
        )

    def forget(self, spoke: str) -> None:
        self._connection.execute(delete(bindings).where(bindings.c.spoke == spoke))
