"""Items and shadows: the rows that hold content, sealed on the way in, opened on the way out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from cirahub_sync.model.codec import decode_item, decode_own, encode_item, encode_own
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import CONTACTS, Content
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.photo_tables import portraits
from cirahub_sync.store.rows import Item, ReplicaState, Shadow
from cirahub_sync.store.sealed import SealedItems
from cirahub_sync.store.tables import (
    ABOUT_AN_ITEM,
    items,
    match_keys,
    pending,
    replicas,
    shadows,
    spokes,
)
from cirahub_sync.store.tallies import own_become

REJUDGE = "!"
"""In place of an etag: what the spoke contributes of the item is to be judged anew."""

_UNSEEN = {"etag": REJUDGE, "modified": None}
_DELETIONS = ("Grace", "Guarded", "Approval")
"""Why a deletion may be pending."""

_NOTHING = CONTACTS.blank
_NO_EDITS = OwnEdits()
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
    .limit(bindparam("most"))
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
_SHADOWS_BY_REMOTE = Listed(
    lambda remotes: select(shadows).where(
        shadows.c.spoke == bindparam("spoke"), shadows.c.remote.in_(remotes)
    )
)
_SHADOWS_BY_ITEM = Listed(
    lambda ids: select(shadows).where(shadows.c.hub == bindparam("hub"), shadows.c.item.in_(ids))
)
_SAID_OF_ITEMS = Listed(
    lambda ids: select(
        shadows.c.item, shadows.c.spoke, shadows.c.remote, shadows.c.native, shadows.c.own
    ).where(
        shadows.c.hub == bindparam("hub"), shadows.c.item.in_(ids), shadows.c.admitted.is_(True)
    )
)
_SHADOWS_OF_ITEMS = Listed(
    lambda ids: select(shadows).where(
        shadows.c.hub == bindparam("hub"),
        shadows.c.item.in_(ids),
        shadows.c.spoke == bindparam("spoke"),
        shadows.c.admitted.is_(True),
    )
)
_SEEN = Listed(
    lambda remotes: (
        update(shadows)
        .where(shadows.c.spoke == bindparam("of_spoke"), shadows.c.remote.in_(remotes))
        .values(round=bindparam("seen_in"))
    )
)
_CONTRIBUTORS = Prepared(
    select(spokes.c.uid).where(
        spokes.c.hub == bindparam("hub"),
        select(shadows.c.remote)
        .where(shadows.c.spoke == spokes.c.uid, shadows.c.native, shadows.c.admitted)
        .exists(),
    )
)
_SHADOW_ETAG = select(shadows.c.etag).where(
    shadows.c.spoke == bindparam("spoke"), shadows.c.remote == bindparam("remote")
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
        last = self._connection.execute(
            select(func.max(items.c.seq)).where(items.c.hub == self._hub)
        ).scalar()
        return int(last or 0)

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
        whole = select(func.count()).select_from(items).where(items.c.hub == self._hub)
        there = self._connection.execute(whole).scalar_one()
        return there - self._connection.execute(whole.where(_DEAD)).scalar_one()

    def purge(self, before: float) -> int:
        """Forget dead items that died before `before`, or were erased, and of which no receiver
        holds a live copy any more, nor waits to delete what its user has."""
        held = select(replicas.c.item).where(
            replicas.c.hub == self._hub,
            replicas.c.item == items.c.id,
            replicas.c.state == ReplicaState.LIVE.value,
            replicas.c.native.is_(False),
        )
        waiting = select(pending.c.item).where(
            pending.c.hub == self._hub, pending.c.reason.in_(_DELETIONS)
        )
        done = self._connection.execute(
            delete(items).where(
                items.c.hub == self._hub,
                _DEAD,
                (items.c.deleted_at <= before) | items.c.erased.is_(True),
                ~held.exists(),
                items.c.id.not_in(waiting),
            )
        )
        if done.rowcount:
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
        return done.rowcount

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
        rows = self._connection.execute(
            select(items).where(items.c.hub == self._hub, _DEAD, items.c.deleted_at.is_(None))
        )
        return [self._item(row) for row in rows]

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


class ShadowTable:
    def __init__(self, connection: Connection, database: Database, hub: str, cipher: Cipher):
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher
        self._put: dict[str, OwnEdits] = {}
        """What this transaction wrote, by identity: it need not be opened again."""

    def by_remote(self, spoke: str, remotes: Sequence[str]) -> dict[str, Shadow]:
        return {
            shadow.remote: shadow
            for shadow in self._opened(
                _SHADOWS_BY_REMOTE.rows(self._connection, remotes, spoke=spoke)
            )
        }

    def shared(self, after: str, count: int) -> list[str]:
        """Items that several contributions are folded into, by id from `after` on."""
        rows = self._connection.execute(
            select(shadows.c.item)
            .where(shadows.c.hub == self._hub, shadows.c.item > after, shadows.c.admitted.is_(True))
            .group_by(shadows.c.item)
            .having(func.count() > 1)
            .order_by(shadows.c.item)
            .limit(count)
        )
        return [item for (item,) in rows if item is not None]

    def by_item(self, ids: Sequence[str]) -> dict[str, list[Shadow]]:
        """Every shadow linked to these items."""
        found: dict[str, list[Shadow]] = {item: [] for item in ids}
        rows = _SHADOWS_BY_ITEM.rows(self._connection, ids, hub=self._hub)
        for shadow in self._opened(rows):
            found[shadow.item or ""].append(shadow)
        return found

    def said(self, ids: Sequence[str]) -> Iterator[tuple[str, str, bool, OwnEdits]]:
        """Item, spoke, whether it is native there, and the spoke's own edits: of every shadow that
        counts for these items."""
        for row in _SAID_OF_ITEMS.rows(self._connection, ids, hub=self._hub):
            identity = _identity(row.spoke, row.remote)
            own = self._put.get(identity)
            if own is None:
                own = decode_own(self._cipher.open(row.own, identity)) if row.own else _NO_EDITS
            yield row.item, row.spoke, bool(row.native), own

    def of_items(self, spoke: str, ids: Sequence[str]) -> dict[str, Shadow]:
        """The spoke's own shadows of these items, by item: at most one each."""
        return {
            shadow.item: shadow
            for shadow in self._opened(
                _SHADOWS_OF_ITEMS.rows(self._connection, ids, hub=self._hub, spoke=spoke)
            )
            if shadow.item is not None
        }

    def of_spoke(self, spoke: str, after: str, count: int) -> list[Shadow]:
        """The spoke's shadows in the order of their remote ids, from after `after`."""
        return self._select(
            select(shadows)
            .where(shadows.c.spoke == spoke, shadows.c.remote > after)
            .order_by(shadows.c.remote)
            .limit(count)
        )

    def linked(self, spoke: str, count: int) -> list[Shadow]:
        """Shadows that belong to an item."""
        return self._select(
            select(shadows)
            .where(shadows.c.spoke == spoke, shadows.c.item.is_not(None))
            .limit(count)
        )

    def contributing(self, spoke: str, count: int) -> list[Shadow]:
        """Of the spoke's own items, those that count."""
        return self._select(
            select(shadows)
            .where(
                shadows.c.spoke == spoke,
                shadows.c.native.is_(True),
                shadows.c.admitted.is_(True),
            )
            .limit(count)
        )

    def unseen(self, spoke: str, round_id: str, count: int) -> list[Shadow]:
        """Shadows that the round did not show."""
        return self._select(
            select(shadows)
            .where(
                shadows.c.spoke == spoke,
                (shadows.c.round.is_(None)) | (shadows.c.round != round_id),
            )
            .order_by(shadows.c.remote)
            .limit(count)
        )

    def seen(self, spoke: str, round_id: str) -> bool:
        """Whether the round showed any item that has a shadow."""
        shown = (shadows.c.spoke == spoke) & (shadows.c.round == round_id)
        found = select(shadows.c.remote).where(shown).limit(1)
        return self._connection.execute(found).first() is not None

    def any(self, spoke: str) -> bool:
        """Whether there is any row of the spoke."""
        found = select(shadows.c.spoke).where(shadows.c.spoke == spoke).limit(1)
        return self._connection.execute(found).first() is not None

    def etag(self, spoke: str, remote: str) -> str | None:
        return self._connection.execute(_SHADOW_ETAG, {"spoke": spoke, "remote": remote}).scalar()

    def mark_round(self, spoke: str, remotes: Sequence[str], round_id: str) -> None:
        _SEEN.run(self._connection, remotes, of_spoke=spoke, seen_in=round_id)

    def put(self, rows: Sequence[Shadow]) -> None:
        self._put.update({_identity(row.spoke, row.remote): row.own for row in rows})
        counting = ((row.spoke, row.remote, row.native and row.admitted) for row in rows)
        own_become(self._connection, counting)
        self._database.upsert(
            self._connection,
            shadows,
            [
                {
                    "spoke": row.spoke,
                    "remote": row.remote,
                    "hub": self._hub,
                    "item": row.item,
                    "native": row.native,
                    "admitted": row.admitted,
                    "etag": row.etag,
                    "modified": row.modified,
                    "acknowledged_at": row.acknowledged_at,
                    "round": row.round,
                    "content": self._seal(row, encode_item(row.content)),
                    "own": self._seal(row, encode_own(row.own)) if row.own else None,
                }
                for row in rows
            ],
        )

    def forget_etags(self, spoke: str, remotes: Sequence[str] | None = None) -> None:
        """Mark items of the spoke, or every one, for being judged anew when they are seen next."""
        marking = update(shadows).where(shadows.c.spoke == spoke).values(_UNSEEN)
        if remotes is None:
            self._connection.execute(marking)
            return
        for part in parts(remotes):
            self._connection.execute(marking.where(shadows.c.remote.in_(part)))

    def remove(self, spoke: str, remotes: Sequence[str]) -> None:
        if remotes:
            own_become(self._connection, ((spoke, remote, False) for remote in remotes))
            self._connection.execute(
                delete(shadows).where(shadows.c.spoke == spoke, shadows.c.remote.in_(remotes))
            )

    def count(self, spoke: str) -> int:
        return self._connection.execute(
            select(func.count()).select_from(shadows).where(shadows.c.spoke == spoke)
        ).scalar_one()

    def contributors(self) -> set[str]:
        """Who has own items that count; the first of each is read."""
        return {row.uid for row in _CONTRIBUTORS.rows(self._connection, hub=self._hub)}

    def _seal(self, row: Shadow, content: bytes) -> bytes:
        return self._cipher.seal(content, _identity(row.spoke, row.remote))

    def _select(self, query: Select[tuple[object, ...]]) -> list[Shadow]:
        return self._opened(self._connection.execute(query))

    def _opened(self, rows: Iterable[Found]) -> list[Shadow]:
        found = []
        for row in rows:
            identity = _identity(row.spoke, row.remote)
            found.append(
                Shadow(
                    spoke=row.spoke,
                    remote=row.remote,
                    item=row.item,
                    native=bool(row.native),
                    admitted=bool(row.admitted),
                    etag=row.etag,
                    modified=row.modified,
                    acknowledged_at=row.acknowledged_at,
                    round=row.round,
                    content=decode_item(self._cipher.open(row.content, identity))
                    if row.content
                    else _NOTHING,
                    own=decode_own(self._cipher.open(row.own, identity)) if row.own else _NO_EDITS,
                )
            )
        return found


def _identity(spoke: str, remote: str) -> str:
    return f"shadows/{spoke}/{remote}"
