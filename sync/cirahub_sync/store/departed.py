"""What spokes' users deleted: kept for a while so that it can be brought back, and which items are
dead because one contributor deleted them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, select, update

from cirahub_sync.model.codec import decode_own, encode_own
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.tables import condemned, departed, items, shadows

_PAST = (
    departed.c.hub == bindparam("hub"),
    departed.c.gone_at <= bindparam("before"),
    departed.c.restored.is_(False),
)
_EXPIRE = Prepared(delete(departed).where(*_PAST))
_EXPIRE_DEAD = Prepared(
    delete(departed).where(
        *_PAST,
        ~select(items.c.id)
        .where(
            items.c.hub == bindparam("hub"), items.c.id == departed.c.item, items.c.alive.is_(True)
        )
        .exists(),
    )
)
_PURGE = Prepared(
    delete(condemned).where(
        condemned.c.hub == bindparam("hub"),
        ~select(items.c.id)
        .where(items.c.hub == condemned.c.hub, items.c.id == condemned.c.item)
        .exists(),
        ~select(shadows.c.item)
        .where(shadows.c.hub == condemned.c.hub, shadows.c.item == condemned.c.item)
        .exists(),
    )
)
_OF_ITEMS = Listed(
    lambda ids: (
        select(departed)
        .where(departed.c.hub == bindparam("hub"), departed.c.item.in_(ids))
        .order_by(departed.c.item, departed.c.spoke)
    )
)
_FORGET = Listed(
    lambda ids: delete(departed).where(
        departed.c.spoke == bindparam("spoke"), departed.c.item.in_(ids)
    )
)
_LIFT = Listed(
    lambda ids: delete(condemned).where(
        condemned.c.hub == bindparam("hub"), condemned.c.item.in_(ids)
    )
)
_CONDEMNED = Listed(
    lambda ids: select(condemned).where(
        condemned.c.hub == bindparam("hub"), condemned.c.item.in_(ids)
    )
)


class Departed(msgspec.Struct, kw_only=True):
    """What a spoke contributed of an item until its user deleted it there."""

    spoke: str
    item: str
    gone_at: float
    """POSIX seconds."""
    restored: bool = False
    """Whether a person brought it back: it counts as if it had not gone."""
    own: OwnEdits


class DepartedTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def put(self, rows: Sequence[Departed]) -> None:
        self._database.upsert(
            self._connection,
            departed,
            [
                {
                    "spoke": row.spoke,
                    "item": row.item,
                    "hub": self._hub,
                    "gone_at": row.gone_at,
                    "restored": row.restored,
                    "own": self._cipher.seal(encode_own(row.own), _identity(row)),
                }
                for row in rows
            ],
        )

    def by_item(self, ids: Sequence[str]) -> dict[str, list[Departed]]:
        """Items of which nothing went are left out."""
        found: dict[str, list[Departed]] = {}
        for row in _OF_ITEMS.rows(self._connection, ids, hub=self._hub):
            found.setdefault(row.item, []).append(self._opened(row))
        return found

    def of_spoke(self, spoke: str, after: str, count: int) -> list[Departed]:
        """In the order of their items, from after `after`."""
        return self._select(
            departed.c.spoke == spoke, departed.c.item > after, order="item", count=count
        )

    def all(self) -> list[Departed]:
        """The last gone first."""
        return self._select(order="gone_at")

    def items(self, after: str, count: int) -> list[str]:
        """Of items that are still known, by id from after `after`."""
        rows = self._connection.execute(
            select(departed.c.item)
            .join(items, (items.c.hub == departed.c.hub) & (items.c.id == departed.c.item))
            .where(departed.c.hub == self._hub, departed.c.item > after)
            .group_by(departed.c.item)
            .order_by(departed.c.item)
            .limit(count)
        )
        return [item for (item,) in rows]

    def mark(self, spoke: str, ids: Sequence[str], *, restored: bool) -> None:
        for part in parts(ids):
            self._connection.execute(
                update(departed)
                .where(departed.c.spoke == spoke, departed.c.item.in_(part))
                .values(restored=restored)
            )

    def remove(self, spoke: str, ids: Sequence[str]) -> None:
        _FORGET.run(self._connection, ids, spoke=spoke)

    def expire(self, before: float, *, living: bool) -> None:
        """Forget what went before `before`, but for what a person brought back; and, with
        `living`, for what keeps an item that is alive."""
        expire = _EXPIRE_DEAD if living else _EXPIRE
        expire.run(self._connection, hub=self._hub, before=before)

    def rename(self, old: str, new: str) -> None:
        """A spoke goes on under another uid: its rows are sealed anew."""
        while found := self.of_spoke(old, "", 400):
            self.put([msgspec.structs.replace(row, spoke=new) for row in found])
            self.remove(old, [row.item for row in found])

    def _select(
        self, *where: ColumnElement[bool], order: str = "", count: int | None = None
    ) -> list[Departed]:
        query = select(departed).where(departed.c.hub == self._hub, *where)
        if order == "item":
            query = query.order_by(departed.c.item)
        elif order:
            query = query.order_by(departed.c.gone_at.desc(), departed.c.item)
        rows = self._connection.execute(query.limit(count))
        return [self._opened(row) for row in rows]

    def _opened(self, row: Found) -> Departed:
        return Departed(
            spoke=row.spoke,
            item=row.item,
            gone_at=row.gone_at,
            restored=bool(row.restored),
            own=decode_own(self._cipher.open(row.own, f"departed/{row.spoke}/{row.item}")),
        )


class CondemnedTable:
    """Items that one contributor's user deleted, where one suffices."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, item: str, spoke: str, at: float) -> None:
        self._database.upsert(
            self._connection,
            condemned,
            [{"hub": self._hub, "item": item, "spoke": spoke, "at": at}],
        )

    def of(self, ids: Sequence[str]) -> Mapping[str, str]:
        """By whose deletion each of these died; those that did not are left out."""
        rows = _CONDEMNED.rows(self._connection, ids, hub=self._hub)
        return {row.item: row.spoke for row in rows}

    def all(self, after: str, count: int) -> list[str]:
        rows = self._connection.execute(
            select(condemned.c.item)
            .where(condemned.c.hub == self._hub, condemned.c.item > after)
            .order_by(condemned.c.item)
            .limit(count)
        )
        return [item for (item,) in rows]

    def lift(self, ids: Sequence[str]) -> None:
        _LIFT.run(self._connection, ids, hub=self._hub)

    def lift_of(self, spoke: str, count: int) -> list[str]:
        """What this spoke's user deleted, a part of it; it is not deleted any more."""
        rows = self._connection.execute(
            select(condemned.c.item)
            .where(condemned.c.hub == self._hub, condemned.c.spoke == spoke)
            .limit(count)
        )
        found = [item for (item,) in rows]
        self.lift(found)
        return found

    def rename(self, old: str, new: str) -> None:
        self._connection.execute(
            update(condemned)
            .where(condemned.c.hub == self._hub, condemned.c.spoke == old)
            .values(spoke=new)
        )

    def purge(self) -> None:
        """Forget those of which neither the item nor anything that was contributed is left."""
        _PURGE.run(self._connection, hub=self._hub)


def _identity(row: Departed) -> str:
    return f"departed/{row.spoke}/{row.item}"
