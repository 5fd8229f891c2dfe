"""Items: the rows that hold what the hub has, sealed on the way in, opened on the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, Integer, bindparam, delete, func, literal_column, select

from cirahub_sync.model.kind import CONTACTS, Content
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.photo_tables import portraits
from cirahub_sync.store.rows import Item, ReplicaState
from cirahub_sync.store.sealed import SealedItems
from cirahub_sync.store.tables import ABOUT_AN_ITEM, items, match_keys, pending, replicas

_DELETIONS = ("Grace", "Guarded", "Approval")
"""Why a deletion may be pending."""

_NOTHING = CONTACTS.blank
_ITEMS_BY_ID = Listed(
    lambda ids: select(items).where(items.c.hub == bindparam("hub"), items.c.id.in_(ids))
)
_HEADS_BY_ID = Listed(
    lambda ids: select(*(one for one in items.c if one is not items.c.content)).where(
        items.c.hub == bindparam("hub"), items.c.id.in_(ids)
    )
)
_ITEMS_AFTER = Prepared(
    select(items)
    .where(items.c.hub == bindparam("hub"), items.c.seq > bindparam("after"))
    .order_by(items.c.seq)
    .limit(bindparam("most", type_=Integer))
)
_MATCHES = Listed(
    lambda digests: (
        select(match_keys.c.digest, match_keys.c.item)
        .join(items, (items.c.hub == match_keys.c.hub) & (items.c.id == match_keys.c.item))
        .where(
            match_keys.c.hub == bindparam("hub"),
            match_keys.c.digest.in_(digests),
            items.c.alive == bindparam("alive"),
        )
    )
)
_DEAD = items.c.alive.is_(False)
"""Word for word the condition of `ix_items_hub_dead`."""
_OF_HUB = items.c.hub == bindparam("hub")
_LAST_SEQ = Prepared(select(func.max(items.c.seq)).where(_OF_HUB))
_COUNT = Prepared(select(func.count()).select_from(items).where(_OF_HUB))
_COUNT_DEAD = Prepared(select(func.count()).select_from(items).where(_OF_HUB, _DEAD))
_UNDATED = Prepared(select(items).where(_OF_HUB, _DEAD, items.c.deleted_at.is_(None)))
_PURGE = Prepared(
    delete(items).where(
        _OF_HUB,
        _DEAD,
        (items.c.deleted_at <= bindparam("before")) | items.c.erased.is_(True),
        ~select(replicas.c.item)
        .where(
            replicas.c.hub == bindparam("hub"),
            replicas.c.item == items.c.id,
            replicas.c.state == ReplicaState.LIVE.value,
            replicas.c.native.is_(False),
        )
        .exists(),
        items.c.id.not_in(
            select(pending.c.item).where(
                pending.c.hub == bindparam("hub"),
                pending.c.reason.in_([literal_column(f"'{reason}'") for reason in _DELETIONS]),
            )
        ),
    )
)
_KEYS_OF_ITEMS = Listed(
    lambda ids: select(match_keys.c.item, match_keys.c.digest).where(
        match_keys.c.hub == bindparam("hub"), match_keys.c.item.in_(ids)
    )
)
_FORGET_KEYS = delete(match_keys).where(
    match_keys.c.hub == bindparam("of_hub"),
    match_keys.c.digest == bindparam("of_digest"),
    match_keys.c.item == bindparam("of_item"),
)


class ItemTable:
    def __init__(self, connection: Connection, database: Database, hub: str, sealed: SealedItems):
        self._connection = connection
        self._database = database
        self._hub = hub
        self._sealed = sealed

    def get(self, ids: Sequence[str]) -> dict[str, Item]:
        return {
            row.id: self._item(row)
            for row in _ITEMS_BY_ID.rows(self._connection, ids, hub=self._hub)
        }

    def heads(self, ids: Sequence[str]) -> dict[str, Item]:
        """Without their content, which is not even opened."""
        return {
            row.id: self._item(row, _NOTHING)
            for row in _HEADS_BY_ID.rows(self._connection, ids, hub=self._hub)
        }

    def after(self, seq: int, count: int) -> list[Item]:
        """Items changed since `seq`, in the order of their change."""
        rows = _ITEMS_AFTER.rows(self._connection, hub=self._hub, after=seq, most=count)
        return [self._item(row) for row in rows]

    def last_seq(self) -> int:
        """Of the item that changed last; 0 if there is none."""
        return int(_LAST_SEQ.value(self._connection, hub=self._hub) or 0)

    def by_id(self, after: str, count: int) -> list[Item]:
        """Living and dead ones in the order of their ids, from after `after`."""
        rows = self._connection.execute(
            select(items)
            .where(items.c.hub == self._hub, items.c.id > after)
            .order_by(items.c.id)
            .limit(count)
        )
        return [self._item(row) for row in rows]

    def put(self, rows: Sequence[Item]) -> None:
        self._database.upsert(
            self._connection,
            items,
            [
                {
                    "hub": self._hub,
                    "id": row.id,
                    "seq": row.seq,
                    "alive": row.alive,
                    "deleted_at": row.deleted_at,
                    "erased": row.erased,
                    "fingerprint": row.fingerprint,
                    "content": self._sealed.seal(row.id, row.content),
                    "died_of": row.died_of,
                }
                for row in rows
            ],
        )

    def set_match_keys(
        self, keys: Mapping[str, Iterable[bytes]], *, new: Collection[str] = ()
    ) -> None:
        """Replace the match keys of these items; those that are `new` have none yet."""
        old = [item for item in keys if item not in new]
        known = {
            (row.item, row.digest)
            for row in _KEYS_OF_ITEMS.rows(self._connection, old, hub=self._hub)
        }
        wanted = {(item, digest): None for item, digests in keys.items() for digest in digests}
        gone = known - wanted.keys()
        if gone:
            self._connection.execute(
                _FORGET_KEYS,
                [
                    {"of_hub": self._hub, "of_item": item, "of_digest": digest}
                    for item, digest in gone
                ],
            )
        self._database.insert(
            self._connection,
            match_keys,
            [
                {"hub": self._hub, "digest": key[1], "item": key[0]}
                for key in wanted
                if key not in known
            ],
        )

    def matching(self, digests: Sequence[bytes], *, alive: bool = True) -> dict[bytes, set[str]]:
        """Items by match key: living ones, or those whose deletion can still be undone."""
        found: dict[bytes, set[str]] = {}
        for row in _MATCHES.rows(self._connection, digests, hub=self._hub, alive=alive):
            found.setdefault(row.digest, set()).add(row.item)
        return found

    def count(self) -> int:
        """Of living items: all, which an index alone tells, but the dead ones, which are few."""
        there, dead = (one.value(self._connection, hub=self._hub) for one in (_COUNT, _COUNT_DEAD))
        return int(there - dead)

    def purge(self, before: float) -> int:
        """Forget dead items that died before `before`, or were erased, and of which no receiver
        holds a live copy any more, nor waits to delete what its user has."""
        gone = _PURGE.run(self._connection, hub=self._hub, before=before)
        if gone:
            for table in (*ABOUT_AN_ITEM, portraits):
                known = select(items.c.id).where(
                    items.c.hub == self._hub, items.c.id == table.c.item
                )
                forgotten = delete(table).where(table.c.hub == self._hub, ~known.exists())
                if table is replicas:
                    # An own item of a spoke's user keeps its row: it says that this is no copy.
                    forgotten = forgotten.where(
                        table.c.state == ReplicaState.DETACHED.value,
                    )
                self._connection.execute(forgotten)
        return gone

    def died_of(self, spoke: str, count: int) -> list[Item]:
        """Dead items, of which the spoke's user had deleted the last contribution."""
        rows = self._connection.execute(
            select(items)
            .where(
                items.c.hub == self._hub,
                items.c.died_of == spoke,
                items.c.alive.is_(False),
                items.c.erased.is_(False),
            )
            .limit(count)
        )
        return [self._item(row) for row in rows]

    def undated(self) -> list[Item]:
        """Orphans: dead items whose deletion has no date yet."""
        return [self._item(row) for row in _UNDATED.rows(self._connection, hub=self._hub)]

    def _item(self, row: Found, content: Content | None = None) -> Item:
        if content is None:
            content = self._sealed.open(row.id, row.content)
        return Item(
            id=row.id,
            seq=row.seq,
            alive=bool(row.alive),
            deleted_at=row.deleted_at,
            erased=bool(row.erased),
            fingerprint=row.fingerprint,
            content=content,
            died_of=row.died_of,
        )
