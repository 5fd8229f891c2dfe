"""Notifications as they are taken in: who may say something, and how long it is remembered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import inspect
from tests.keeps import Keep

from cirahub_sync.configuration import HubConfig
from cirahub_sync.errors import StoreError
from cirahub_sync.notifications import Heard, Mailroom, Notification
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.notifications import Subscription, digest_of
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Spoke
from cirahub_sync.worker import WorkerSettings

from .conftest import Clock

pytestmark = pytest.mark.every_database

SECRET = "Ooc9Oongee3Shaepha2Aiphu"
HUB = HubConfig(uid="hub-1", name="default/staff")


def _spoke(uid: str) -> Spoke:
    return Spoke(
        uid=uid,
        rank=0,
        place=uid,
        target=f"tenant/{uid}/folder",
        contributes_key="",
        receives_key="",
        mark=0,
        verified_at=0.0,
        joined_at=0.0,
        allowed=None,
    )


def _subscribed(uid: str) -> Subscription:
    return Subscription(
        spoke=uid,
        connection="connection-1",
        resource="/users/1/contacts",
        url="",
        subscription=f"subscription-of-{uid}",
        secret=digest_of(SECRET),
        expires=2e9,
        due_at=1.5e9,
    )


@pytest.fixture
def hub(store: Store) -> HubStore:
    """Two spokes, with a subscription each."""
    made = store.hub("hub-1")
    made.acquire()
    with made.write() as tx:
        for uid in ("ada", "ben"):
            tx.add_spoke(_spoke(uid))
        tx.subscriptions.put([_subscribed("ada"), _subscribed("ben")])
        tx.configurations.keep({"hub-1": msgspec.msgpack.encode(HUB)})
    return made


@pytest.fixture
def mailroom(keep: Keep, hub: HubStore, key_file: Path, clock: Clock) -> Iterator[Mailroom]:
    settings = WorkerSettings(database=keep.url, key_file=key_file, installation="test")
    made = Mailroom.open(settings, clock=clock)
    yield made
    made.close()


def _of(uid: str, secret: str = SECRET, **more: str) -> Notification:
    one = {"subscription": f"subscription-of-{uid}", "client_state": secret, **more}
    return msgspec.convert(one, Notification)


def _notified(hub: HubStore) -> dict[str, int]:
    with hub.read() as tx:
        return tx.notified.all()


def test_what_proves_itself_is_recorded_and_names_its_hub(
    hub: HubStore, mailroom: Mailroom
) -> None:
    assert mailroom.waiting() == frozenset()
    assert mailroom.heard([_of("ada")]) == Heard(frozenset({"default/staff"}), 1, 0)
    assert mailroom.waiting() == {"default/staff"}
    assert _notified(hub) == {"ada": 1}


@pytest.mark.parametrize(
    "forged",
    [
        _of("ada", "guessed"),
        _of("ada", ""),
        _of("nobody"),
        _of("nobody", ""),
        Notification("", SECRET),
        Notification("a\0b", SECRET),
        Notification("x" * 10_000, SECRET),
        Notification("subscription-of-ada", "\ud800"),
        Notification("' OR 1=1 --", SECRET),
    ],
    ids=str,
)
def test_what_does_not_prove_itself_is_counted_and_changes_nothing(
    hub: HubStore, mailroom: Mailroom, forged: Notification
) -> None:
    assert mailroom.heard([forged, _of("ben")]) == Heard(frozenset({"default/staff"}), 1, 1)
    assert mailroom.heard([forged]) == Heard(frozenset(), 0, 1)
    assert _notified(hub) == {"ben": 1}


def test_a_spoke_without_a_subscription_has_no_secret_that_would_be_taken(
    hub: HubStore, mailroom: Mailroom
) -> None:
    """Blank ids and blank secrets are what is in the row of one that was refused."""
    with hub.write() as tx:
        refused = msgspec.structs.replace(_subscribed("ada"), subscription="", secret=b"")
        tx.subscriptions.put([refused])
    assert mailroom.heard([Notification("", ""), _of("ada")]).known == 0


def test_what_is_told_while_a_spoke_is_read_stays_for_the_next_time(
    hub: HubStore, mailroom: Mailroom
) -> None:
    mailroom.heard([_of("ada"), _of("ada"), _of("ben")])
    seen = _notified(hub)
    mailroom.heard([_of("ada")])
    with hub.write() as tx:
        tx.notified.handled(seen)
    assert _notified(hub) == {"ada": 2}
    with hub.write() as tx:
        tx.notified.handled(_notified(hub))
    assert mailroom.waiting() == frozenset()


def test_a_subscription_that_was_removed_is_none_any_more_and_its_spoke_is_to_be_looked_at(
    hub: HubStore, mailroom: Mailroom
) -> None:
    assert mailroom.heard([_of("ada", lifecycle="subscriptionRemoved")]).known == 1
    with hub.read() as tx:
        rows = tx.subscriptions.all()
    assert (rows["ada"].subscription, rows["ada"].due_at) == ("", 0.0)
    assert rows["ben"] == _subscribed("ben")
    assert _notified(hub) == {"ada": 1}
    assert mailroom.heard([_of("ada")]).unknown == 1


@pytest.mark.parametrize(
    ("lifecycle", "due"), [("reauthorizationRequired", 0.0), ("missed", 1.5e9)]
)
def test_a_subscription_is_to_be_renewed_at_once_where_the_service_asks_for_it(
    hub: HubStore, mailroom: Mailroom, lifecycle: str, due: float
) -> None:
    mailroom.heard([_of("ada", lifecycle=lifecycle)])
    with hub.read() as tx:
        row = tx.subscriptions.all()["ada"]
    assert (row.subscription, row.due_at) == ("subscription-of-ada", due)
    assert _notified(hub) == {"ada": 1}


def test_what_is_kept_of_a_spoke_goes_with_it(hub: HubStore, mailroom: Mailroom) -> None:
    mailroom.heard([_of("ada"), _of("ben")])
    with hub.write() as tx:
        tx.remove_spoke("ada")
    assert _notified(hub) == {"ben": 1}
    assert mailroom.heard([_of("ada")]).unknown == 1
    hub.destroy()
    assert mailroom.waiting() == frozenset()


def test_the_secret_is_nowhere_in_the_store(keep: Keep, hub: HubStore, mailroom: Mailroom) -> None:
    mailroom.heard([_of("ada")])
    rows = keep.rows("select * from subscriptions")
    assert len(rows) == 2
    assert all(SECRET.encode() not in bytes(str(row), "utf-8") for row in rows)


def test_notifications_that_can_t_be_recorded_are_not_taken_for_recorded(
    keep: Keep, hub: HubStore, mailroom: Mailroom
) -> None:
    keep.change("DROP TABLE notified")
    with pytest.raises(StoreError):
        mailroom.heard([_of("ada")])


def test_a_mailroom_beside_an_older_version_waits_for_who_leads(keep: Keep, key_file: Path) -> None:
    keep.empty()
    settings = WorkerSettings(database=keep.url, key_file=key_file, installation="test")
    with pytest.raises(StoreError, match="the operator that leads brings it forward"):
        Mailroom.open(settings, migrates=False)
    with keep.connected() as connection:
        assert inspect(connection).get_table_names() == []
    Mailroom.open(settings).close()
    Mailroom.open(settings, migrates=False).close()
