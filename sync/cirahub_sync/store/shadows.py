"""Shadows: the rows that hold what a spoke has, sealed on the way in, opened on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from cirahub_sync.model.codec import decode_item, decode_own, encode_item, encode_own
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import CONTACTS
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.parts import parts
from cirahub_sync.store.rows import Shadow
from cirahub_sync.store.tables import shadows, spokes
from cirahub_sync.store.tallies import own_become

REJUDGE = "!"
"""In place of an etag: what the spoke contributes of the item is to be judged anew."""

_UNSEEN = {"etag": REJUDGE, "modified": None}
_NOTHING = CONTACTS.blank
_NO_EDITS = OwnEdits()
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
_ANY_SHADOW = Prepared(
    select(shadows.c.spoke).where(shadows.c.spoke == bindparam("spoke")).limit(1)
)
_SHADOW_ETAGS = Listed(
    lambda remotes: select(shadows.c.remote, shadows.c.etag).where(
        shadows.c.spoke == bindparam("spoke"), shadows.c.remote.in_(remotes)
    )
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
        return _ANY_SHADOW.value(self._connection, spoke=spoke) is not None

    def etags(self, spoke: str, remotes: Sequence[str]) -> dict[str, str]:
        """As last acknowledged, by remote id."""
        rows = _SHADOW_ETAGS.rows(self._connection, remotes, spoke=spoke)
        return {row.remote: row.etag for row in rows}

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
