"""Flips of the last day, and the fields that are frozen because of them.

A flip is ids, numbers and times; what is held of a frozen field is sealed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from cirahub_sync.model.freeze import Flip, Freeze, decode_held, encode_held
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Found, Listed, Prepared
from cirahub_sync.store.tables import flips, freezes, items

_FREEZES_OF = Listed(
    lambda ids: (
        select(freezes)
        .where(freezes.c.hub == bindparam("hub"), freezes.c.item.in_(ids))
        .order_by(freezes.c.item, freezes.c.field, freezes.c.seq)
    )
)
_FIELDS_OF = Listed(
    lambda ids: select(freezes.c.item, freezes.c.field).where(
        freezes.c.hub == bindparam("hub"),
        freezes.c.item.in_(ids),
        (freezes.c.holder == bindparam("spoke")) | (freezes.c.other == bindparam("spoke")),
    )
)


_ANY = Prepared(select(freezes.c.item).where(freezes.c.hub == bindparam("hub")).limit(1))
_EXPIRE = Prepared(
    delete(flips).where(flips.c.hub == bindparam("hub"), flips.c.at <= bindparam("before"))
)


class FlipTable:
    def __init__(self, connection: Connection, hub: str, cipher: Cipher) -> None:
        self._connection = connection
        self._hub = hub
        self._cipher = cipher

    def add(self, item: str, field: str, key: str, flip: Flip) -> None:
        """`key` is the element's in a list field."""
        self._connection.execute(
            insert(flips).values(
                spoke=flip.spoke,
                hub=self._hub,
                item=item,
                field=field,
                slot=self._slot(key),
                seq=flip.seq,
                said=flip.said,
                at=flip.at,
            )
        )

    def of(self, item: str, field: str, key: str) -> list[Flip]:
        """In the order in which they came."""
        rows = self._connection.execute(
            select(flips)
            .where(*self._where(item, field), flips.c.slot == self._slot(key))
            .order_by(flips.c.seq)
        )
        return [Flip(row.spoke, row.seq, row.said, row.at) for row in rows]

    def expire(self, before: float) -> None:
        _EXPIRE.run(self._connection, hub=self._hub, before=before)

    def settle(self, item: str, field: str | None = None) -> None:
        """Whatever flipped in the field, or in any, counts no more."""
        self._connection.execute(delete(flips).where(*self._where(item, field)))

    def forget(self, spoke: str, fields: Collection[str] | None = None) -> None:
        """What the spoke flipped, and what others flipped against it."""
        own = flips.alias()
        where = [flips.c.hub == self._hub]
        where += [] if fields is None else [flips.c.field.in_(sorted(fields))]
        self._connection.execute(
            delete(flips).where(
                *where,
                exists().where(
                    own.c.spoke == spoke,
                    own.c.item == flips.c.item,
                    own.c.field == flips.c.field,
                ),
            )
        )

    def rename(self, old: str, new: str) -> None:
        self._connection.execute(update(flips).where(flips.c.spoke == old).values(spoke=new))

    def _where(self, item: str, field: str | None) -> list[ColumnElement[bool]]:
        where = [flips.c.hub == self._hub, flips.c.item == item]
        return where if field is None else [*where, flips.c.field == field]

    def _slot(self, key: str) -> bytes:
        return self._cipher.fingerprint(key.encode())


class FreezeTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher
        self._some: bool | None = None
        """Whether the hub has any; None: nobody has asked."""

    def put(self, freeze: Freeze) -> None:
        self._some = True
        self._database.upsert(
            self._connection,
            freezes,
            [
                {
                    "hub": self._hub,
                    "item": freeze.item,
                    "field": freeze.field,
                    "holder": freeze.holder,
                    "other": freeze.other,
                    "seq": freeze.seq,
                    "at": freeze.at,
                    "sealed": self._cipher.seal(
                        encode_held(freeze.held), self._identity(freeze.item)
                    ),
                }
            ],
        )

    def of_items(self, ids: Sequence[str]) -> dict[str, list[Freeze]]:
        """By item; items without any are left out."""
        found: dict[str, list[Freeze]] = {}
        if not self._any():
            return found
        for freeze in self._opened(_FREEZES_OF.rows(self._connection, ids, hub=self._hub)):
            found.setdefault(freeze.item, []).append(freeze)
        return found

    def fields(self, spoke: str, ids: Sequence[str]) -> dict[str, set[str]]:
        """By item, what of it is not written to this spoke; items without any are left out."""
        found: dict[str, set[str]] = {}
        if not self._any():
            return found
        for row in _FIELDS_OF.rows(self._connection, ids, hub=self._hub, spoke=spoke):
            found.setdefault(row.item, set()).add(row.field)
        return found

    def of_spoke(self, spoke: str) -> list[str]:
        """The items of which the spoke has a frozen field."""
        return list(
            self._connection.execute(
                select(freezes.c.item)
                .distinct()
                .where(
                    freezes.c.hub == self._hub,
                    (freezes.c.holder == spoke) | (freezes.c.other == spoke),
                )
            ).scalars()
        )

    def last(self) -> tuple[str, str, str] | None:
        """Field, holder and other of what was frozen last, of items that live."""
        row = self._connection.execute(
            self._living(select(freezes.c.field, freezes.c.holder, freezes.c.other))
            .order_by(freezes.c.seq.desc(), freezes.c.field)
            .limit(1)
        ).first()
        return None if row is None else (row.field, row.holder, row.other)

    def count(self) -> int:
        """Of items that live."""
        count = select(func.count()).select_from(freezes)
        return int(self._connection.execute(self._living(count)).scalar_one())

    def remove(self, freeze: Freeze) -> None:
        self._connection.execute(
            delete(freezes).where(
                freezes.c.hub == self._hub,
                freezes.c.item == freeze.item,
                freezes.c.field == freeze.field,
                freezes.c.holder == freeze.holder,
                freezes.c.other == freeze.other,
            )
        )

    def rename(self, old: str, new: str) -> None:
        """A spoke goes on under another uid."""
        for column in (freezes.c.holder, freezes.c.other):
            self._connection.execute(
                update(freezes)
                .where(freezes.c.hub == self._hub, column == old)
                .values({column.name: new})
            )

    def _any(self) -> bool:
        """Asked once a transaction: as a rule there is none, and looking for many is not free."""
        if self._some is None:
            self._some = _ANY.value(self._connection, hub=self._hub) is not None
        return self._some

    def _living(self, query: Select[Any]) -> Select[Any]:
        alive = exists().where(
            items.c.hub == freezes.c.hub, items.c.id == freezes.c.item, items.c.alive.is_(True)
        )
        return query.where(freezes.c.hub == self._hub, alive)

    def _opened(self, rows: Iterable[Found]) -> list[Freeze]:
        return [
            Freeze(
                item=row.item,
                field=row.field,
                seq=row.seq,
                at=row.at,
                holder=row.holder,
                other=row.other,
                held=decode_held(self._cipher.open(row.sealed, self._identity(row.item))),
            )
            for row in rows
        ]

    def _identity(self, item: str) -> str:
        return f"freezes/{self._hub}/{item}"
