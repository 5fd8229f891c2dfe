"""The store by itself: its schema, its keys and its leases."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import update
from tests.keeps import Keep

from cirahub_sync.errors import ConfigurationError, KeyUnavailableError, LeaseLostError, StoreError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.model.contact import Contact
from cirahub_sync.store import lease as leases
from cirahub_sync.store.crypto import Cipher, load_key
from cirahub_sync.store.database import Database
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import (
    Action,
    Intent,
    Item,
    Pending,
)
from cirahub_sync.store.tables import hubs, metadata

from .conftest import Clock
from .made import replica, shadow, spoke

pytestmark = pytest.mark.every_database


TERMS = LeaseTerms()


@contextmanager
def refusing_writes(store: Store) -> Iterator[None]:
    """As a full disk does, or a stand-by."""
    engine = store.database.engine
    on, off = {
        "sqlite": ("PRAGMA query_only=ON", "PRAGMA query_only=OFF"),
        "postgresql": tuple(f"SET default_transaction_read_only={to}" for to in ("ON", "OFF")),
        "mssql": tuple(
            f"ALTER DATABASE CURRENT SET READ_{to} WITH ROLLBACK IMMEDIATE"
            for to in ("ONLY", "WRITE")
        ),
    }[engine.dialect.name]

    def turn(switch: str) -> None:
        if engine.dialect.name == "mssql":  # it is the database that refuses, not the session
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(switch)
            return
        with store.database.read() as connection:
            connection.exec_driver_sql(switch)

    turn(on)
    yield
    turn(off)


def _item(item: str) -> Item:
    return Item(
        id=item,
        seq=1,
        alive=True,
        deleted_at=None,
        erased=False,
        fingerprint=bytes(16),
        content=Contact(display_name="Ann"),
    )


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_dead_alone_have_an_index_of_some_rows(store: Store, keep: Keep) -> None:
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '% WHERE %' "
        "AND schemaname = 'public'",
        "mssql": "SELECT name FROM sys.indexes WHERE has_filter = 1 AND is_unique = 0",
    }[store.database.engine.dialect.name]
    assert keep.rows(query) == [("ix_items_hub_dead",)]


def test_a_value_opens_only_for_the_row_it_was_sealed_for() -> None:
    cipher = Cipher(os.urandom(32), 1)
    sealed = cipher.seal(b"Ann", "items/hub/1")
    assert cipher.open(sealed, "items/hub/1") == b"Ann"
    with pytest.raises(KeyUnavailableError, match="items/hub/2"):
        cipher.open(sealed, "items/hub/2")


def test_a_value_opens_only_with_its_own_key() -> None:
    sealed = Cipher(os.urandom(32), 1).seal(b"Ann", "row")
    with pytest.raises(KeyUnavailableError):
        Cipher(os.urandom(32), 1).open(sealed, "row")
    with pytest.raises(KeyUnavailableError, match="version 1, but version 2"):
        Cipher(os.urandom(32), 2).open(sealed, "row")


def test_hashes_of_two_hubs_have_nothing_in_common() -> None:
    one, other = Cipher(os.urandom(32), 1), Cipher(os.urandom(32), 1)
    assert one.match_digest("email:a@b") == one.match_digest("email:a@b")
    assert one.match_digest("email:a@b") != other.match_digest("email:a@b")
    assert one.match_digest("email:a@b") != one.fingerprint(b"email:a@b")


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "cannot be read"), (b"!", "not base64"), (b"QUJD", "holds 3 bytes, needs 32")],
)
def test_a_key_file_that_is_none_is_told(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "no-key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyUnavailableError, match=told):
        load_key(path)


def test_another_key_opens_nothing_and_changes_nothing(
    store: Store, keep: Keep, tmp_path: Path, clock: Clock
) -> None:
    store.hub("hub")
    other = tmp_path / "other"
    other.write_bytes(base64.b64encode(os.urandom(32)))
    with pytest.raises(KeyUnavailableError, match="not the one this store was written under"):
        Store.open(keep.url, other, clock)
    store.hub("hub")


def test_a_database_that_is_none_is_told(key_file: Path, tmp_path: Path, clock: Clock) -> None:
    with pytest.raises(ConfigurationError, match="write it like sqlite"):
        Store.open("nonsense", key_file, clock)
    (tmp_path / "damaged").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="damaged"):
        Store.open(f"sqlite:///{tmp_path}/damaged", key_file, clock)


def test_a_hub_is_held_by_one_pass_at_a_time(store: Store) -> None:
    first, second = store.hub("hub"), store.hub("hub")
    first.acquire()
    with pytest.raises(leases.LeaseHeldError):
        second.acquire()
    first.release()
    second.acquire()


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_writes_nothing_more(
    store: Store, clock: Clock
) -> None:
    sleeper, other = store.hub("hub"), store.hub("hub")
    sleeper.acquire()
    clock.now += TERMS.seconds + 1
    with pytest.raises(leases.LeaseHeldError):
        other.acquire()  # the clocks of two machines may differ that much
    clock.now += TERMS.skew
    other.acquire()
    with pytest.raises(LeaseLostError), sleeper.write() as tx:
        tx.items.put([_item("a")])
    with other.read() as tx:
        assert tx.items.get(["a"]) == {}


def test_a_lease_that_its_own_process_could_not_give_back_is_taken_again_at_once(
    store: Store,
) -> None:
    first, second = store.hub("h"), store.hub("h")
    first.acquire()
    with refusing_writes(store), pytest.raises(StoreError):
        first.release()
    second.acquire()
    with pytest.raises((LeaseLostError, StoreError)), first.write():
        pass
    with pytest.raises(leases.LeaseHeldError):
        store.hub("h").acquire()


def test_every_write_extends_the_lease(store: Store, clock: Clock) -> None:
    holder = store.hub("hub")
    holder.acquire()
    clock.now += TERMS.seconds - 1
    holder.renew()
    clock.now += TERMS.seconds - 1
    with pytest.raises(leases.LeaseHeldError):
        store.hub("hub").acquire()


def test_a_write_that_would_outlast_the_lease_renews_it_first(store: Store, clock: Clock) -> None:
    holder = store.hub("hub")
    holder.acquire()
    clock.now += TERMS.seconds - TERMS.write + 1
    holder.fence(TERMS.write)
    clock.now += TERMS.seconds - 1
    with pytest.raises(leases.LeaseHeldError) as caught:
        store.hub("hub").acquire()
    assert caught.value.retry_after == 1 + TERMS.skew


def test_a_holder_that_slept_is_fenced_off_once_another_took_over(
    store: Store, clock: Clock
) -> None:
    sleeper, other = store.hub("hub"), store.hub("hub")
    sleeper.acquire()
    clock.now += TERMS.seconds + TERMS.skew + 1
    other.acquire()
    with pytest.raises(LeaseLostError):
        sleeper.fence(TERMS.write)
    other.fence(TERMS.write)


def test_who_holds_nothing_is_fenced_off(store: Store) -> None:
    hub = store.hub("hub")
    with pytest.raises(LeaseLostError):
        hub.fence(1)
    hub.acquire()
    hub.fence(1)
    hub.release()
    with pytest.raises(LeaseLostError):
        hub.fence(1)


def test_a_transaction_that_is_rolled_back_extends_nothing(store: Store, clock: Clock) -> None:
    holder, other = store.hub("hub"), store.hub("hub")
    holder.acquire()
    clock.now += TERMS.seconds - 1
    with pytest.raises(RuntimeError), holder.write():
        raise RuntimeError
    clock.now += TERMS.skew + 2
    other.acquire()
    with pytest.raises(LeaseLostError):
        holder.fence(1)


def test_the_time_of_day_that_is_set_back_lengthens_no_lease(
    keep: Keep, key_file: Path, clock: Clock
) -> None:
    day = Clock()
    store = Store.open(keep.url, key_file, day, steadily=clock)
    sleeper, other = store.hub("hub"), store.hub("hub")
    sleeper.acquire()
    clock.now += TERMS.seconds + TERMS.skew + 1
    other._clocks = leases.Clocks(clock, clock)  # another machine's, whose time is right
    other.acquire()
    day.now -= 3600
    with pytest.raises(LeaseLostError):
        sleeper.fence(TERMS.write)
    store.close()


@pytest.mark.parametrize("seconds", [LeaseTerms().seconds, 9.0, 600.0])
def test_two_renewals_may_fail_before_a_write_is_held_back(seconds: float) -> None:
    terms = LeaseTerms(seconds=seconds)
    assert 2 * terms.renewal + terms.write < terms.seconds


def test_by_default_a_write_gets_40_seconds_of_a_lease_of_90() -> None:
    assert (TERMS.seconds, TERMS.write, TERMS.renewal, TERMS.skew) == (90, 40, 15, 10)


@pytest.mark.parametrize(
    "holder",
    [
        "{host}|1|12345|other.4026531836|ab",  # another boot, or another machine of that name
        "{host}|999999999|12345|-|ab",
        "elsewhere|999999999|12345|{realm}|ab",
        "{host}|999999999|-|{realm}|ab",
        "{host}|999999999|12345|ab",  # as an older version wrote it
    ],
)
def test_only_a_process_that_surely_was_of_here_is_taken_for_dead(
    store: Store, clock: Clock, holder: str
) -> None:
    hub = store.hub("hub")
    filled = holder.format(host=socket.gethostname(), realm=leases._realm())
    with store.database.write() as connection:
        connection.execute(
            update(hubs).values(lease_holder=filled, lease_expires=clock.now + TERMS.seconds)
        )
    with pytest.raises(leases.LeaseHeldError):
        hub.acquire()


def test_the_lease_of_a_process_that_died_here_is_taken_over_at_once(
    store: Store, keep: Keep, key_file: Path
) -> None:
    program = (
        "import pathlib, sys\n"
        "from cirahub_sync.store.opening import Store\n"
        f"store = Store.open(sys.argv[1], pathlib.Path(sys.argv[2]), lambda: {1_000_000.0})\n"
        "store.hub('hub').acquire()\n"
    )
    subprocess.run([sys.executable, "-c", program, keep.url, str(key_file)], check=True)
    store.hub("hub").acquire()


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    hub = store.hub("hub")
    hub.acquire()

    def half_way() -> None:
        with hub.write() as tx:
            tx.items.put([_item("a")])
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        half_way()
    with hub.read() as tx:
        assert tx.items.get(["a"]) == {}
        assert tx.seq == 0


def test_a_destroyed_hub_leaves_no_row_and_no_key(store: Store) -> None:
    hub = store.hub("hub")
    hub.acquire()
    with hub.write() as tx:
        tx.items.put([_item("a")])
        tx.items.set_match_keys({"a": [bytes(16)]})
    hub.destroy()
    database: Database = store.database
    with database.read() as connection:
        for table in metadata.sorted_tables:
            if table.name != "key_check":
                assert connection.execute(table.select()).all() == [], table.name


def test_what_is_counted_of_all_spokes_is_of_their_own_hub(store: Store) -> None:
    for name in ("hub", "other"):
        hub = store.hub(name)
        hub.acquire()
        with hub.write() as tx:
            for rank in (0, 1):
                uid = f"{name}-{rank}"
                tx.add_spoke(spoke(uid, rank, place="" if rank else "p"))
                tx.shadows.put([shadow(uid, "r1"), shadow(uid, "r2", native=False)])
                tx.replicas.put([replica(uid, "i1"), replica(uid, "i2", native=True)])
                tx.pending.put([Pending(spoke=uid, item="i3", reason="Grace", due_at=9.0)])
                tx.pending.reconsider(uid, ["i4", "i5"])
                tx.pull_retry.put(uid, "r3", why="unreadable", attempts=1, due_at=9.0)
                tx.intents.put([_intent(uid, "open"), _intent(uid, "given up", abandoned=True)])
    with store.hub("hub").read() as tx:
        both = {"hub-0": 1, "hub-1": 1}
        assert tx.tallies.own() == both
        assert tx.pull_retry.counts() == both
        assert tx.pending.counts() == {uid: {"Grace": 1, "Stale": 2} for uid in both}
        assert {uid: len(found) for uid, found in tx.intents.open_anywhere().items()} == both
        assert tx.retired() == ["hub-1"]
        assert tx.ranks(["hub-1", "other-0", "nobody"]) == {"hub-1": 1}


def _intent(spoke: str, key: str, *, abandoned: bool = False) -> Intent:
    return Intent(
        key=f"{spoke} {key}",
        spoke=spoke,
        item="i1",
        action=Action.CREATE,
        remote="",
        item_seq=1,
        fingerprint=bytes(16),
        abandoned=abandoned,
        created_at=0.0,
    )
