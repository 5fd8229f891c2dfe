"""Shards: what of the pass under way other processes do, and how one of them holds such a shard.

A shard has a lease of its own, with a fencing token of its own. What is committed under it is
checked twice: the shard is still this process's, and the pass that it belongs to still holds the
hub. So a worker that was given up commits nothing, and one whose coordinator died, was suspended or
was taken over neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from cirahub_sync.errors import LeaseLostError, StoreError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.crypto import Cipher
from cirahub_sync.store.database import Database
from cirahub_sync.store.lease import Clocks, LeaseHeldError, may_live, new_holder
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.shard_tables import shards
from cirahub_sync.store.tables import hubs

_CLEAR = Prepared(delete(shards).where(shards.c.hub == bindparam("hub")))

ATTEMPTS = 6
"""At one shard in one pass; with the last one it has failed."""


class ShardState(StrEnum):
    WAITING = "Waiting"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"


UNSETTLED = (ShardState.WAITING.value, ShardState.RUNNING.value)


class ShardKey(msgspec.Struct, frozen=True):
    """Which one, of a hub."""

    number: int
    """Of the pass: the token of the lease by which it holds the hub."""
    errand: str
    part: int
    """From 0, in its errand."""


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    key: ShardKey
    connection: str
    """Uid of the connection that all of its spokes have."""
    handed: bytes
    """What it is told."""


class ShardProgress(msgspec.Struct, frozen=True, kw_only=True):
    part: int
    state: ShardState
    attempts: int
    error: str
    """Of the last attempt that failed."""


class ShardTable:
    """Those of one hub. What is handed to and fro is sealed with the hub's key."""

    def __init__(self, connection: Connection, hub: str, cipher: Cipher) -> None:
        self._connection = connection
        self._hub = hub
        self._cipher = cipher

    def add(self, rows: Sequence[Shard]) -> None:
        self._connection.execute(
            insert(shards),
            [
                {
                    "hub": self._hub,
                    "pass_number": row.key.number,
                    "errand": row.key.errand,
                    "part": row.key.part,
                    "connection": row.connection,
                    "state": ShardState.WAITING.value,
                    "token": 0,
                    "holder": None,
                    "expires": 0.0,
                    "handed": self._cipher.seal(row.handed, self._identity("handed", row.key)),
                    "outcome": None,
                    "error": "",
                }
                for row in rows
            ],
        )

    def progress(self, number: int, errand: str) -> list[ShardProgress]:
        rows = self._connection.execute(
            select(shards.c.part, shards.c.state, shards.c.token, shards.c.error)
            .where(
                shards.c.hub == self._hub,
                shards.c.pass_number == number,
                shards.c.errand == errand,
            )
            .order_by(shards.c.part)
        )
        return [
            ShardProgress(
                part=row.part, state=ShardState(row.state), attempts=row.token, error=row.error
            )
            for row in rows
        ]

    def handed(self, key: ShardKey) -> bytes:
        """Of one that there is."""
        sealed = self._connection.execute(
            select(shards.c.handed).where(_is(self._hub, key))
        ).scalar_one()
        return self._cipher.open(sealed, self._identity("handed", key))

    def outcome(self, key: ShardKey) -> bytes:
        """Of one that is done."""
        sealed = self._connection.execute(
            select(shards.c.outcome).where(_is(self._hub, key))
        ).scalar_one()
        return self._cipher.open(sealed, self._identity("outcome", key))

    def finish(self, key: ShardKey, outcome: bytes) -> None:
        self._set(
            key,
            state=ShardState.DONE.value,
            outcome=self._cipher.seal(outcome, self._identity("outcome", key)),
        )

    def give_back(self, key: ShardKey, error: str) -> None:
        """Whoever takes it next goes on with it."""
        self._set(key, state=ShardState.WAITING.value, error=error[:256])

    def fail(self, key: ShardKey, error: str) -> None:
        """For good. Whoever holds it commits nothing any more."""
        self._set(key, state=ShardState.FAILED.value, error=error[:256])

    def free(self, before: float) -> list[ShardKey]:
        """Those that a worker may take: nobody has them, or who had them died, or let them run out
        before `before`."""
        rows = self._connection.execute(
            select(
                shards.c.pass_number,
                shards.c.errand,
                shards.c.part,
                shards.c.holder,
                shards.c.expires,
            )
            .where(shards.c.hub == self._hub, shards.c.state.in_(UNSETTLED))
            .order_by(shards.c.pass_number, shards.c.part)
        )
        return [
            ShardKey(row.pass_number, row.errand, row.part)
            for row in rows
            if not row.holder or row.expires < before or not may_live(row.holder)
        ]

    def clear(self) -> None:
        _CLEAR.run(self._connection, hub=self._hub)

    def _set(self, key: ShardKey, **values: object) -> None:
        self._connection.execute(
            update(shards)
            .where(_is(self._hub, key), shards.c.state.in_(UNSETTLED))
            .values(holder=None, expires=0.0, **values)
        )

    def _identity(self, what: str, key: ShardKey) -> str:
        return f"shards/{self._hub}/{key.number}/{key.errand}/{key.part}/{what}"


class ShardLease:
    """A held shard. See `lease.Lease`, which it stands in for."""

    def __init__(
        self,
        database: Database,
        hub: str,
        key: ShardKey,
        token: int,
        *,
        terms: LeaseTerms,
        clocks: Clocks,
    ) -> None:
        self.hub = hub
        self.key = key
        self.token = token
        """How many have taken it, this one included."""
        self.terms = terms
        self._clocks = clocks
        self._database = database
        self._interruptions = database.interruptions
        self._until = float("-inf")

    def check(self, connection: Connection) -> float:
        """See `lease.Lease.check`. The lock on the hub's row comes first, as everywhere, so that
        the transactions of a hub are one after the other, and never wait for each other crosswise.
        """
        if self._interrupted:
            raise StoreError(
                f"hub {self.hub}: the connection to the database was lost while this shard was "
                "worked on; it is given up, and the next attempt starts from what is there"
            )
        left = _left_of(connection, self.hub, self.key.number, self._clocks)
        done = connection.execute(
            update(shards)
            .where(
                _is(self.hub, self.key),
                shards.c.token == self.token,
                shards.c.state == ShardState.RUNNING.value,
            )
            .values(expires=self._clocks.day() + self.terms.seconds)
        )
        if left is None or done.rowcount != 1:
            self._until = float("-inf")
            raise LeaseLostError(
                f"hub {self.hub}: the pass that this shard belongs to is over, or another worker "
                "has the shard; this one stops, and what it had sent is settled by who goes on"
            )
        return self._clocks.steady() + min(left, self.terms.seconds)

    def extend(self, until: float) -> None:
        self._until = until

    def outlives(self, seconds: float) -> bool:
        """Whether a request that takes at most `seconds` would end within both leases: the shard's,
        and the pass's as it was when it was looked at last."""
        return not self._interrupted and self._clocks.steady() + seconds < self._until

    @property
    def _interrupted(self) -> bool:
        return self._database.interruptions != self._interruptions


def take(
    database: Database, hub: str, key: ShardKey, terms: LeaseTerms, clocks: Clocks
) -> ShardLease | None:
    """None if it is settled. Raises LeaseHeldError while a living worker has it, LeaseLostError if
    its pass is over."""
    with database.write() as connection:
        left = _left_of(connection, hub, key.number, clocks)
        row = connection.execute(
            select(shards.c.state, shards.c.token, shards.c.holder, shards.c.expires).where(
                _is(hub, key)
            )
        ).first()
        if left is None or row is None:
            raise LeaseLostError(
                f"hub {hub}: pass {key.number} is over; nothing is left to do in its errand "
                f"{key.errand}, part {key.part}"
            )
        if row.state not in UNSETTLED:
            return None
        left = row.expires + terms.skew - clocks.day()
        if row.holder and left > 0 and may_live(row.holder):
            host = row.holder.split("|")[0]
            raise LeaseHeldError(
                f"hub {hub}: another worker (on {host}) has part {key.part} of errand "
                f"{key.errand}; it is tried again later",
                retry_after=left,
            )
        if row.token >= ATTEMPTS:
            connection.execute(
                update(shards).where(_is(hub, key)).values(state=ShardState.FAILED.value)
            )
            return None
        lease = ShardLease(database, hub, key, row.token + 1, terms=terms, clocks=clocks)
        connection.execute(
            update(shards)
            .where(_is(hub, key))
            .values(
                state=ShardState.RUNNING.value,
                token=lease.token,
                holder=new_holder(),
                expires=clocks.day() + terms.seconds,
            )
        )
        until = lease.check(connection)
    lease.extend(until)
    return lease


def _left_of(connection: Connection, hub: str, number: int, clocks: Clocks) -> float | None:
    """Seconds for which the pass has the hub, if it still has it; and from here on nobody takes it
    until this transaction is over."""
    held = (hubs.c.uid == hub) & (hubs.c.lease_token == number)
    locked = connection.execute(
        update(hubs).where(held).values(lease_token=hubs.c.lease_token)  # the row's lock
    )
    if locked.rowcount != 1:
        return None
    expires: float = connection.execute(select(hubs.c.lease_expires).where(held)).scalar_one()
    left = expires - clocks.day()
    return left if left > 0 else None


def _is(hub: str, key: ShardKey) -> ColumnElement[bool]:
    return (
        (shards.c.hub == hub)
        & (shards.c.pass_number == key.number)
        & (shards.c.errand == key.errand)
        & (shards.c.part == key.part)
    )
