"""Sets of spokes and their members: a row each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select

from cirahub_sync.spoke_set import MemberState
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.parts import parts
from cirahub_sync.store.set_tables import members, spoke_sets


class SetRow(msgspec.Struct, kw_only=True):
    uid: str
    name: str
    """`namespace/name`."""
    added_at: float
    read_at: float = 0.0
    """POSIX seconds; 0: never."""
    source_key: str = ""
    """Digest of what the members were read by."""
    asked: str = ""
    held: str = ""
    """What to approve, if leavers are held back."""
    held_count: int = 0
    """Leavers that are."""
    emptied: bool = False
    """Whether nobody would be left."""
    left_since: float = 0.0
    left_count: int = 0
    """Who has left since then without anybody being asked."""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed of a member."""

    addresses: tuple[str, ...] = ()
    listed: str = ""
    """The address by which the manifest names it, if it does."""
    message: str = ""
    """Why it fails."""


class MemberRow(msgspec.Struct, kw_only=True):
    set_uid: str
    id: str
    """The mailbox's object id; of an address that the directory does not know, a digest."""
    uid: str
    """Of the spoke."""
    joined_at: float
    resolved: bool = True
    """Whether the id is one of the directory."""
    leaving: bool = False
    suspended: bool = False
    yields_to: str = ""
    """The uid of a Spoke that has the same target, and goes before it."""
    state: MemberState = MemberState.PENDING
    reason: str = ""
    failures: int = 0
    """In a row."""
    retry_at: float = 0.0
    """POSIX seconds; until then it is left alone."""
    sealed: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_person = msgspec.msgpack.Decoder(Person).decode


class SetTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def all(self) -> dict[str, SetRow]:
        rows = self._connection.execute(select(spoke_sets).where(spoke_sets.c.hub == self._hub))
        return {row.set_uid: _set_of(row) for row in rows}

    def put(self, rows: Sequence[SetRow]) -> None:
        values = []
        for row in rows:
            fields = msgspec.structs.asdict(row)
            values.append({"hub": self._hub, "set_uid": fields.pop("uid"), **fields})
        self._database.upsert(self._connection, spoke_sets, values)

    def remove(self, uid: str) -> None:
        self._connection.execute(
            delete(spoke_sets).where(spoke_sets.c.hub == self._hub, spoke_sets.c.set_uid == uid)
        )


class MemberTable:
    def __init__(
        self, connection: Connection, database: Database, hub: str, cipher: Cipher
    ) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub
        self._cipher = cipher

    def of_set(self, uid: str) -> dict[str, MemberRow]:
        """By id, in order."""
        rows = self._connection.execute(
            select(members)
            .where(members.c.hub == self._hub, members.c.set_uid == uid)
            .order_by(members.c.id)
        )
        return {row.id: _member_of(row) for row in rows}

    def by_uid(self, uid: str) -> MemberRow | None:
        row = self._connection.execute(
            select(members).where(members.c.hub == self._hub, members.c.uid == uid)
        ).first()
        return None if row is None else _member_of(row)

    def uids(self) -> dict[str, str]:
        """The sets of all members of the hub, by the members' spokes; those that leave, too."""
        rows = self._connection.execute(
            select(members.c.uid, members.c.set_uid).where(members.c.hub == self._hub)
        )
        return {row.uid: row.set_uid for row in rows}

    def put(self, rows: Iterable[MemberRow]) -> None:
        self._database.upsert(
            self._connection,
            members,
            [
                {"hub": self._hub, **msgspec.structs.asdict(row), "state": row.state.value}
                for row in rows
            ],
        )

    def remove(self, set_uid: str, ids: Collection[str]) -> None:
        for part in parts(sorted(ids)):
            self._connection.execute(
                delete(members).where(
                    members.c.hub == self._hub,
                    members.c.set_uid == set_uid,
                    members.c.id.in_(part),
                )
            )

    def seal(self, row: MemberRow, person: Person) -> None:
        """Into the row."""
        row.sealed = self._cipher.seal(_encode(person), self._identity(row))

    def person(self, row: MemberRow) -> Person:
        return _person(self._cipher.open(row.sealed, self._identity(row)))

    def _identity(self, row: MemberRow) -> str:
        return f"members/{self._hub}/{row.set_uid}/{row.id}"


def _set_of(row: Row[Any]) -> SetRow:
    values = row._asdict()
    del values["hub"]
    return SetRow(uid=values.pop("set_uid"), **values)


def _member_of(row: Row[Any]) -> MemberRow:
    values = row._asdict()
    del values["hub"]
    return MemberRow(state=MemberState(values.pop("state")), **values)
