"""The store by itself: its schema, its keys and its leases."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from cirahub_sync.errors import ConfigurationError, KeyUnavailableError, LeaseLostError, StoreError
from cirahub_sync.model.contact import Contact
from cirahub_sync.store import lease as leases
from cirahub_sync.store.crypto import Cipher, load_key
from cirahub_sync.store.database import Database
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Item
from cirahub_sync.store.tables import metadata


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(os.urandom(32)))
    return path


@pytest.fixture
def store(tmp_path: Path, key_file: Path, clock: Clock) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/store.sqlite3", key_file, clock)
    yield made
    made.close()


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
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    store.hub("hub")
    other = tmp_path / "other"
    other.write_bytes(base64.b64encode(os.urandom(32)))
    with pytest.raises(KeyUnavailableError, match="not the one this store was written under"):
        Store.open(f"sqlite:///{tmp_path}/store.sqlite3", other, clock)
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
    clock.now += leases.LEASE_SECONDS + 1
    other.acquire()
    with pytest.raises(LeaseLostError), sleeper.write() as tx:
        tx.items.put([_item("a")])
    with other.read() as tx:
        assert tx.items.get(["a"]) == {}


def test_every_write_extends_the_lease(store: Store, clock: Clock) -> None:
    holder = store.hub("hub")
    holder.acquire()
    clock.now += leases.LEASE_SECONDS - 1
    holder.renew()
    clock.now += leases.LEASE_SECONDS - 1
    assert holder.outlives(0.5)
    with pytest.raises(leases.LeaseHeldError):
        store.hub("hub").acquire()


def test_the_lease_of_a_process_that_died_here_is_taken_over_at_once(
    store: Store, tmp_path: Path, key_file: Path
) -> None:
    program = (
        "import pathlib, sys\n"
        "from cirahub_sync.store.opening import Store\n"
        f"store = Store.open(sys.argv[1], pathlib.Path(sys.argv[2]), lambda: {1_000_000.0})\n"
        "store.hub('hub').acquire()\n"
    )
    url = f"sqlite:///{tmp_path}/store.sqlite3"
    subprocess.run([sys.executable, "-c", program, url, str(key_file)], check=True)
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
