"""Photos: what is known of each contact's in each spoke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    delete,
    or_,
    select,
    update,
)

from cirahub_sync.store.database import Database
from cirahub_sync.store.parts import parts
from cirahub_sync.store.photo_tables import photos, portraits
from cirahub_sync.store.rows import ReplicaState
from cirahub_sync.store.tables import items, replicas, shadows


class Photo(msgspec.Struct, kw_only=True):
    """Of one contact in one spoke."""

    spoke: str
    remote: str
    contact: str = ""
    """The contact's etag when its photo was looked at."""
    etag: str = ""
    """The photo's, then. Blank: there was none."""
    own: bool = False
    """Whether it is its user's."""
    digest: bytes | None = None
    """Of what the user's becomes when it travels; None also if it can't."""
    written: bytes | None = None
    """Digest of the photo that was sent there last."""
    written_etag: str = ""
    """The etag that this has there. Blank: whether it arrived is not known."""
    due_at: float | None = None
    """POSIX seconds: when to look, or to send it, again. None: never."""
    attempts: int = 0
    """How often sending it failed."""


class Sight(msgspec.Struct, frozen=True):
    """A contact whose photo is to be looked at."""

    remote: str
    contact: str
    """Its etag now."""
    item: str
    native: bool
    known: Photo | None


class Due(msgspec.Struct, frozen=True):
    """A photo that is to be written, or taken away."""

    item: str
    remote: str
    wanted: bytes | None
    """None: the item has none any more."""
    known: Photo | None


class PhotoTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def put(self, rows: Sequence[Photo]) -> None:
        self._database.upsert(
            self._connection,
            photos,
            [{**msgspec.structs.asdict(row), "hub": self._hub} for row in rows],
        )

    def of_item(self, item: str) -> list[Photo]:
        """Wherever the item is."""
        linked = select(shadows.c.spoke, shadows.c.remote).where(
            shadows.c.hub == self._hub, shadows.c.item == item
        )
        copied = select(replicas.c.spoke, replicas.c.remote).where(
            replicas.c.hub == self._hub, replicas.c.item == item
        )
        places = linked.union(copied).subquery()
        rows = self._connection.execute(
            select(photos)
            .join(
                places,
                and_(photos.c.spoke == places.c.spoke, photos.c.remote == places.c.remote),
            )
            .order_by(photos.c.spoke, photos.c.remote)
        )
        return [_photo(row) for row in rows]

    def due(self, now: float) -> set[str]:
        """The uids of spokes with a photo whose time has come."""
        rows = self._connection.execute(
            select(photos.c.spoke)
            .distinct()
            .where(photos.c.hub == self._hub, photos.c.due_at <= now)
        )
        return set(rows.scalars())

    def unseen(
        self, spoke: str, now: float, after: str, count: int, *, native: bool
    ) -> list[Sight]:
        """Contacts of a contributor, its users' own or copies, whose photo was never looked at, or
        not since they changed, or not for long; in the order of their ids, from after `after`."""
        query = (
            select(
                shadows.c.remote.label("of"),
                shadows.c.etag.label("now"),
                shadows.c.item,
                shadows.c.native,
                photos,
            )
            .outerjoin(photos, same_contact(shadows))
            .where(
                shadows.c.spoke == spoke,
                shadows.c.remote > after,
                shadows.c.native.is_(native),
                shadows.c.admitted.is_(True),
                shadows.c.item.is_not(None),
                or_(
                    photos.c.spoke.is_(None),
                    photos.c.contact != shadows.c.etag,
                    photos.c.due_at <= now,
                    and_(
                        photos.c.written.is_not(None),
                        photos.c.written_etag == "",
                        photos.c.attempts == 0,
                    ),
                ),
            )
        )
        return self._sights(query.order_by(shadows.c.remote).limit(count))

    def unverified(self, spoke: str, now: float, after: str, count: int) -> list[Sight]:
        """Copies of a receiver whose photo was not looked at for long."""
        query = (
            select(
                replicas.c.remote.label("of"),
                replicas.c.etag.label("now"),
                replicas.c.item,
                replicas.c.native,
                photos,
            )
            .join(photos, same_contact(replicas))
            .where(
                replicas.c.spoke == spoke,
                replicas.c.remote > after,
                replicas.c.state == ReplicaState.LIVE.value,
                photos.c.written.is_not(None),
                photos.c.attempts == 0,
                photos.c.due_at <= now,
            )
        )
        return self._sights(query.order_by(replicas.c.remote).limit(count))

    def _sights(self, query: Select[Any]) -> list[Sight]:
        return [
            Sight(
                remote=row.of,
                contact=row.now,
                item=row.item,
                native=bool(row.native),
                known=None if row.spoke is None else _photo(row),
            )
            for row in self._connection.execute(query)
        ]

    def undelivered(
        self,
        spoke: str,
        now: float,
        after: str,
        count: int,
        *,
        contributes: bool,
        copies_only: bool = False,
        among: Sequence[str] | None = None,
    ) -> list[Due]:
        """What a receiver has not been sent of its items' photos, in the order of the items from
        after `after`. Where it contributes, only contacts that were looked at, and that have none
        of their user's own. `among`: of these items only, and without a pause after failures."""
        behind = or_(
            and_(
                portraits.c.digest.is_not(None),
                or_(
                    photos.c.written.is_(None),
                    photos.c.written != portraits.c.digest,
                    photos.c.written_etag == "",
                ),
            ),
            and_(portraits.c.digest.is_(None), photos.c.written.is_not(None)),
        )
        where: list[ColumnElement[bool]] = [
            replicas.c.spoke == spoke,
            replicas.c.item > after,
            replicas.c.state == ReplicaState.LIVE.value,
            behind,
        ]
        if contributes:
            where += [photos.c.spoke.is_not(None), photos.c.own.is_(False)]
        if copies_only:
            where.append(replicas.c.native.is_(False))
        if among is None:
            where.append(
                or_(photos.c.spoke.is_(None), photos.c.attempts == 0, photos.c.due_at <= now)
            )
        else:
            where.append(replicas.c.item.in_(among))
        rows = self._connection.execute(
            select(
                replicas.c.item,
                replicas.c.remote.label("of"),
                portraits.c.digest.label("wanted"),
                photos,
            )
            .join(
                items,
                and_(
                    items.c.hub == replicas.c.hub,
                    items.c.id == replicas.c.item,
                    items.c.alive.is_(True),
                ),
            )
            .outerjoin(
                portraits,
                and_(portraits.c.hub == replicas.c.hub, portraits.c.item == replicas.c.item),
            )
            .outerjoin(photos, same_contact(replicas))
            .where(*where)
            .order_by(replicas.c.item)
            .limit(count)
        )
        return [
            Due(
                item=row.item,
                remote=row.of,
                wanted=row.wanted,
                known=None if row.spoke is None else _photo(row),
            )
            for row in rows
        ]

    def holders(self, ids: Sequence[str]) -> set[str]:
        """The uids of spokes to which any of these items was delivered."""
        return {
            spoke
            for part in parts(ids)
            for spoke in self._connection.execute(
                select(replicas.c.spoke)
                .distinct()
                .where(
                    replicas.c.hub == self._hub,
                    replicas.c.item.in_(part),
                    replicas.c.state == ReplicaState.LIVE.value,
                )
            ).scalars()
        }

    def forget_written(self, spoke: str) -> None:
        """What was sent there is no more, or nobody's affair."""
        self._connection.execute(
            update(photos)
            .where(photos.c.spoke == spoke, photos.c.written.is_not(None))
            .values(written=None, written_etag="", attempts=0)
        )

    def only_receive(self, spoke: str, *, verified: bool) -> None:
        """Nothing is the spoke's users' own there, as it may have been once; and nothing is looked
        at but what was written, if that is `verified`."""
        self._connection.execute(
            update(photos)
            .where(photos.c.spoke == spoke, photos.c.own.is_(True))
            .values(own=False, digest=None)
        )
        idle = [photos.c.spoke == spoke, photos.c.attempts == 0, photos.c.due_at.is_not(None)]
        if verified:
            idle.append(photos.c.written.is_(None))
        self._connection.execute(update(photos).where(*idle).values(due_at=None))

    def reread(self) -> None:
        """Have every photo that people have put in read anew, whatever its etag."""
        self._connection.execute(
            update(photos)
            .where(photos.c.hub == self._hub, photos.c.digest.is_not(None))
            .values(contact="", etag="", due_at=None)
        )

    def tidy(self, spoke: str) -> None:
        """Forget what was known of contacts that are no more."""
        linked = select(shadows.c.remote).where(same_contact(shadows), shadows.c.item.is_not(None))
        copied = select(replicas.c.remote).where(
            same_contact(replicas), replicas.c.state == ReplicaState.LIVE.value
        )
        self._connection.execute(
            delete(photos).where(photos.c.spoke == spoke, ~linked.exists(), ~copied.exists())
        )

    def disown(self, spoke: str) -> None:
        """What the spoke's users put in counts no more; what was written there is still known."""
        self._connection.execute(
            update(photos)
            .where(
                photos.c.spoke == spoke,
                or_(photos.c.own.is_(True), photos.c.contact != "", photos.c.due_at.is_not(None)),
            )
            .values(own=False, digest=None, contact="", etag="", due_at=None, attempts=0)
        )


def same_contact(table: Any) -> ColumnElement[bool]:
    """The row's contact is the photo's."""
    return and_(photos.c.spoke == table.c.spoke, photos.c.remote == table.c.remote)


def _photo(row: Row[Any]) -> Photo:
    return Photo(
        spoke=row.spoke,
        remote=row.remote,
        contact=row.contact,
        etag=row.etag,
        own=bool(row.own),
        digest=row.digest,
        written=row.written,
        written_etag=row.written_etag,
        due_at=row.due_at,
        attempts=row.attempts,
    )
