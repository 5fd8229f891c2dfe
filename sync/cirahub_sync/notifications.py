"""What services tell of changes: checked against the subscriptions, and recorded.

A notification is a hint, and nothing else: it says where to look soon. What is found there is what
the delta shows; a notification that is lost, repeated, late or forged changes when that is asked.
"""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import select, update

from cirahub_sync.configuration import HubConfig
from cirahub_sync.identity.database_token import DatabaseToken
from cirahub_sync.store.notification_tables import notified, subscriptions
from cirahub_sync.store.notifications import digest_of, record
from cirahub_sync.store.opening import Store
from cirahub_sync.store.parts import parts
from cirahub_sync.worker import WorkerSettings

_ID = re.compile(r"[0-9A-Za-z._-]{1,128}")
_NOBODYS = bytes(32)

_hub = msgspec.msgpack.Decoder(HubConfig).decode


class Notification(msgspec.Struct, frozen=True):
    """One element of a `changeNotificationCollection`
    (https://learn.microsoft.com/graph/api/resources/changenotification)."""

    subscription: str
    """`subscriptionId`."""
    client_state: str
    lifecycle: Literal["", "reauthorizationRequired", "subscriptionRemoved", "missed"] = ""


class Heard(msgspec.Struct, frozen=True):
    """What became of some notifications."""

    hubs: frozenset[str]
    """`namespace/name` of those that have something to look at now."""
    known: int
    unknown: int
    """Of a subscription that nobody has, or with another secret than it was made with."""


class _Known(msgspec.Struct, frozen=True):
    subscription: str
    spoke: str
    hub: str
    secret: bytes


class Mailroom:
    """Where notifications are taken in, by whoever leads and whoever stands by: what is recorded
    here is in the store. May be used from any thread; calls wait for each other."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._names: dict[str, str] = {}
        self._alone = threading.Lock()

    @classmethod
    def open(
        cls,
        settings: WorkerSettings,
        *,
        clock: Callable[[], float] = time.time,
        migrates: bool = True,
    ) -> Mailroom:
        """Over connections of its own. Raises as `Worker.open`. Beside a version that is older and
        leads, `migrates` has to be false: it would find a schema that it does not know."""
        token = DatabaseToken(settings.origins, settings.database, clock=clock)
        store = Store.open(
            settings.database,
            settings.key_file,
            clock,
            terms=settings.lease,
            token=token,
            migrates=migrates,
        )
        return cls(store, clock)

    def heard(self, notifications: Sequence[Notification]) -> Heard:
        """Record those that prove themselves; it is durable when this returns. Raises StoreError:
        nothing is recorded then. The others cost one query, and write nothing."""
        with self._alone:
            rows = self._rows({one.subscription for one in notifications})
            proven = [one for one in notifications if _proves(one, rows.get(one.subscription))]
            spokes = self._record(proven) if proven else {}
            hubs = frozenset(spokes.values())
            return Heard(self._named(hubs), len(proven), len(notifications) - len(proven))

    def waiting(self) -> frozenset[str]:
        """`namespace/name` of the hubs of which something is recorded that no pass has looked at.
        Raises StoreError."""
        with self._alone:
            with self._store.database.read() as connection:
                hubs = frozenset(connection.execute(select(notified.c.hub).distinct()).scalars())
            return self._named(hubs)

    def close(self) -> None:
        self._store.close()

    def _rows(self, ids: Iterable[str]) -> dict[str, _Known]:
        """By their ids. What can be no id is not asked for."""
        asked = sorted(one for one in ids if _ID.fullmatch(one))
        columns = (
            subscriptions.c.subscription,
            subscriptions.c.spoke,
            subscriptions.c.hub,
            subscriptions.c.secret,
        )
        with self._store.database.read() as connection:
            return {
                row.subscription: _Known(*row)
                for part in parts(asked)
                for row in connection.execute(
                    select(*columns).where(subscriptions.c.subscription.in_(part))
                )
            }

    def _record(self, proven: Sequence[Notification]) -> Mapping[str, str]:
        """By spoke, the hub. Whose spoke was erased this moment is not among them."""
        ids = sorted({one.subscription for one in proven})
        spokes: dict[str, str] = {}
        with self._store.database.write() as connection:
            for part in parts(ids):
                for row in connection.execute(
                    select(subscriptions.c.spoke, subscriptions.c.hub)
                    .where(subscriptions.c.subscription.in_(part))
                    .with_for_update(read=True)
                ):
                    spokes[row.spoke] = row.hub
            record(connection, self._store.database, spokes, self._clock())
            for one in proven:
                if one.lifecycle in ("subscriptionRemoved", "reauthorizationRequired"):
                    gone = one.lifecycle == "subscriptionRemoved"
                    connection.execute(
                        update(subscriptions)
                        .where(subscriptions.c.subscription == one.subscription)
                        .values(due_at=0.0, **({"subscription": ""} if gone else {}))
                    )
        return spokes

    def _named(self, hubs: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        for uid in hubs:
            if uid not in self._names:
                store = self._store.find(uid)
                if store is None:
                    continue
                with store.read() as tx:
                    kept = tx.configurations.get(uid)
                if kept is None:
                    continue
                self._names[uid] = _hub(kept).name
            found.add(self._names[uid])
        return frozenset(found)


def _proves(notification: Notification, known: _Known | None) -> bool:
    """Takes as long for a subscription that nobody has."""
    kept = _NOBODYS if known is None else known.secret
    return hmac.compare_digest(digest_of(notification.client_state), kept) and known is not None
