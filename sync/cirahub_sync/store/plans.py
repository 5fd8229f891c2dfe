"""Plans that wait for a person, and what was approved and not applied yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.rows import Action
from cirahub_sync.store.tables import plan_entries, plans


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One write of a plan."""

    id: str
    """A digest of the spoke, the action, and of what item and replica were."""
    spoke: str
    item: str
    action: Action
    fields: tuple[str, ...] = ()
    """That an update changes or a create fills."""


class StoredPlan(msgspec.Struct, frozen=True, kw_only=True):
    id: str = ""
    """Blank: none waits."""
    issue: int = 0
    expires_at: float = 0.0


class _Content(msgspec.Struct, frozen=True):
    action: Action
    fields: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode
_CURRENT = Prepared(select(plans).where(plans.c.hub == bindparam("hub")))


class PlanTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def current(self) -> StoredPlan:
        for row in _CURRENT.rows(self._connection, hub=self._hub):
            return StoredPlan(id=row.plan, issue=row.issue, expires_at=row.expires_at)
        return StoredPlan()

    def put(self, plan: StoredPlan) -> None:
        values = {"plan": plan.id, "issue": plan.issue, "expires_at": plan.expires_at}
        self._database.upsert(self._connection, plans, [{"hub": self._hub, **values}])

    def waiting(self) -> list[Entry]:
        """Those that nobody has approved."""
        rows = self._connection.execute(
            select(plan_entries).where(
                plan_entries.c.hub == self._hub, plan_entries.c.approved_until.is_(None)
            )
        )
        return [self._entry(row) for row in rows]

    def approved(self, now: float) -> dict[str, str]:
        """The spokes of the entries that were approved and not applied yet, by entry."""
        rows = self._connection.execute(
            select(plan_entries.c.entry, plan_entries.c.spoke).where(
                plan_entries.c.hub == self._hub, plan_entries.c.approved_until > now
            )
        )
        return {row.entry: row.spoke for row in rows}

    def approve(self, until: float) -> None:
        """All that wait."""
        self._connection.execute(
            update(plan_entries)
            .where(plan_entries.c.hub == self._hub, plan_entries.c.approved_until.is_(None))
            .values(approved_until=until)
        )

    def expire(self, now: float) -> None:
        """An approval that is too old approves nothing any more."""
        self._connection.execute(
            delete(plan_entries).where(
                plan_entries.c.hub == self._hub, plan_entries.c.approved_until <= now
            )
        )

    def consume(self, spoke: str, ids: Collection[str]) -> None:
        """What was planned for these items is done, or not to be done any more."""
        for part in parts(list(ids)):
            self._connection.execute(
                delete(plan_entries).where(
                    plan_entries.c.spoke == spoke, plan_entries.c.item.in_(part)
                )
            )

    def replace(self, entries: Sequence[Entry]) -> None:
        """These wait now, and no others."""
        known = {(one.spoke, one.item, one.id) for one in self.waiting()}
        there = {(one.spoke, one.item, one.id): one for one in entries}
        for spoke, item, entry in sorted(known - there.keys()):
            self._connection.execute(
                delete(plan_entries).where(
                    plan_entries.c.spoke == spoke,
                    plan_entries.c.item == item,
                    plan_entries.c.entry == entry,
                )
            )
        new = [there[key] for key in sorted(there.keys() - known)]
        if new:
            self._connection.execute(
                insert(plan_entries),
                [
                    {
                        "spoke": one.spoke,
                        "item": one.item,
                        "entry": one.id,
                        "hub": self._hub,
                        "approved_until": None,
                        "sealed": self._cipher.seal(
                            _encode(_Content(one.action, one.fields)), self._identity(one.id)
                        ),
                    }
                    for one in new
                ],
            )

    def clear(self) -> None:
        """Nothing waits any more, approved or not. The count of plans goes on."""
        self._connection.execute(delete(plan_entries).where(plan_entries.c.hub == self._hub))

    def _entry(self, row: Row[tuple[object, ...]]) -> Entry:
        content = _decode(self._cipher.open(row.sealed, self._identity(row.entry)))
        return Entry(
            id=row.entry,
            spoke=row.spoke,
            item=row.item,
            action=content.action,
            fields=content.fields,
        )

    def _identity(self, entry: str) -> str:
        return f"plan_entries/{self._hub}/{entry}"
