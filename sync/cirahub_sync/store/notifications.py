"""Subscriptions to what changes in spokes, and the spokes of which a change was told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select

from cirahub_sync.store.database import Database
from cirahub_sync.store.listed import Prepared
from cirahub_sync.store.notification_tables import notified, subscriptions
from cirahub_sync.store.parts import parts

_NOTIFIED = Prepared(
    select(notified.c.spoke, notified.c.times).where(notified.c.hub == bindparam("hub"))
)
_SUBSCRIPTIONS = Prepared(select(subscriptions).where(subscriptions.c.hub == bindparam("hub")))


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """By what a service tells of changes in a spoke."""

    spoke: str
    connection: str
    """Uid of the one that it was made through."""
    resource: str
    url: str
    """Digest of where it is told."""
    subscription: str = ""
    """The service's id; blank: there is none."""
    secret: bytes = b""
    """Digest of what a notification proves itself by."""
    expires: float = 0.0
    """POSIX seconds."""
    due_at: float = 0.0
    """When to renew it, or to try again."""
    attempts: int = 0
    """Since it was refused."""
    reason: str = ""
    error: str = ""
    """What was answered then: status, code and request id."""

    def active(self, now: float) -> bool:
        return bool(self.subscription) and self.expires > now


class SubscriptionTable:
    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def all(self) -> dict[str, Subscription]:
        """By spoke."""
        names = Subscription.__struct_fields__
        return {
            row.spoke: Subscription(**{name: getattr(row, name) for name in names})
            for row in _SUBSCRIPTIONS.rows(self._connection, hub=self._hub)
        }

    def known(self, ids: Sequence[str]) -> set[str]:
        """Which of these ids of the service's any hub of the store has."""
        return {
            row.subscription
            for part in parts(ids)
            for row in self._connection.execute(
                select(subscriptions.c.subscription).where(subscriptions.c.subscription.in_(part))
            )
        }

    def put(self, rows: Sequence[Subscription]) -> None:
        self._database.upsert(
            self._connection,
            subscriptions,
            [msgspec.structs.asdict(row) | {"hub": self._hub} for row in rows],
        )

    def remove(self, spokes: Sequence[str]) -> None:
        for part in parts(spokes):
            self._connection.execute(delete(subscriptions).where(subscriptions.c.spoke.in_(part)))


class NotifiedTable:
    """Of one hub."""

    def __init__(self, connection: Connection, database: Database, hub: str) -> None:
        self._connection = connection
        self._database = database
        self._hub = hub

    def all(self) -> dict[str, int]:
        """By spoke, how often something was told: see `handled`."""
        rows = _NOTIFIED.rows(self._connection, hub=self._hub)
        return {row.spoke: row.times for row in rows}

    def record(self, spokes: Iterable[str], at: float) -> None:
        record(self._connection, self._database, dict.fromkeys(spokes, self._hub), at)

    def handled(self, seen: Mapping[str, int]) -> None:
        """These were read, and seen before that they had been told of so often. What was told
        since stays."""
        for spoke, times in seen.items():
            self._connection.execute(
                delete(notified).where(notified.c.spoke == spoke, notified.c.times == times)
            )


def digest_of(secret: str) -> bytes:
    """What is kept of a secret, which is random: nobody finds it by trying."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def record(
    connection: Connection, database: Database, spokes: Mapping[str, str], at: float
) -> None:
    """Something changed in these spokes; by uid, with their hubs."""
    database.upsert(
        connection,
        notified,
        [{"spoke": spoke, "hub": hub, "times": 1, "at": at} for spoke, hub in spokes.items()],
        merged=lambda _: {"times": notified.c.times + 1, "at": notified.c.at},
        shared=True,
    )
