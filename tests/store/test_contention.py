"""Several processes on one database at the same moment."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.keeps import Keep, PostgreSQLKeep

from cirahub_sync.errors import StoreError
from cirahub_sync.store import backend, postgresql
from cirahub_sync.store import keyring as keyrings
from cirahub_sync.store import lease as leases
from cirahub_sync.store.opening import Store

from .made import replica, spoke

WAITING = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def open_store(keep: Keep, key_file: Path) -> Iterator[Callable[[], Store]]:
    """As many processes open it."""
    opened: list[Store] = []

    def open_() -> Store:
        opened.append(Store.open(keep.url, key_file, time.time))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


ON_A_SERVER = pytest.mark.only_database("postgresql", "sqlserver")


def until_waiting(keep: Keep, number: int) -> None:
    """Until so many sessions wait for a lock: which they do for as long as it is held."""
    while keep.rows(WAITING) != [(number,)]:
        time.sleep(0.01)


@ON_A_SERVER
def test_of_two_that_take_a_hub_at_the_same_moment_one_has_it(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_store().hub("hub"), open_store().hub("hub")
    holder = leases.new_holder

    def in_between() -> str:
        """The row was read, and is not written yet."""
        monkeypatch.setattr(leases, "new_holder", holder)
        second.acquire()
        return holder()

    monkeypatch.setattr(leases, "new_holder", in_between)
    with pytest.raises(leases.LeaseHeldError, match="begun this moment"):
        first.acquire()
    second.renew()


@ON_A_SERVER
def test_a_hub_that_two_make_at_the_same_moment_has_one_key(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = open_store(), open_store()
    seal = keyrings.Keyring._seal
    made: list[bytes] = []

    def in_between(ring: keyrings.Keyring, plaintext: bytes, identity: str) -> bytes:
        monkeypatch.setattr(keyrings.Keyring, "_seal", seal)
        made.append(other.hub("hub").cipher.match_digest("email:a@b"))
        return seal(ring, plaintext, identity)

    monkeypatch.setattr(keyrings.Keyring, "_seal", in_between)
    assert [one.hub("hub").cipher.match_digest("email:a@b")] == made


@pytest.mark.only_database("postgresql")
def test_who_starts_while_another_migrates_waits_and_finds_it_done(
    make_keep: Callable[[Path], Keep], tmp_path: Path, key_file: Path
) -> None:
    keep = make_keep(tmp_path)
    assert isinstance(keep, PostgreSQLKeep)
    keep.server.create(keep.name)
    program = (
        "import pathlib, sys, time\n"
        "from cirahub_sync.store.opening import Store\n"
        "Store.open(sys.argv[1], pathlib.Path(sys.argv[2]), time.time).hub('hub')\n"
    )
    with keep.connected() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(0x6369726168756201)")
        started = [
            subprocess.Popen([sys.executable, "-c", program, keep.url, str(key_file)])
            for _ in range(3)
        ]
        until_waiting(keep, len(started))
    assert [process.wait() for process in started] == [0, 0, 0]
    assert keep.rows("SELECT uid FROM hubs") == [("hub",)]


@pytest.mark.only_database("postgresql")
def test_what_a_pass_writes_and_what_is_noted_beside_it_are_one_after_the_other(
    keep: Keep, open_store: Callable[[], Store]
) -> None:
    passing, noting = open_store().hub("hub"), open_store().hub("hub")
    passing.acquire()
    seen: list[int] = []

    def note() -> None:
        with noting.unleased() as tx:
            seen.append(tx.seq)

    thread = threading.Thread(target=note)
    with passing.write() as tx:
        tx.next_seq()
        thread.start()
        until_waiting(keep, 1)
        assert seen == []
    thread.join()
    assert seen == [1]


@ON_A_SERVER
def test_two_hubs_do_not_wait_for_each_other(open_store: Callable[[], Store]) -> None:
    one, other = open_store().hub("one"), open_store().hub("other")
    one.acquire()
    other.acquire()
    with one.write() as first, other.write() as second:
        assert (first.next_seq(), second.next_seq()) == (1, 1)
        for tx, uid in ((first, "a"), (second, "b"), (first, "c"), (second, "d")):
            tx.add_spoke(spoke(uid))
            tx.replicas.put([replica(uid, f"item-{number}") for number in range(3)])


@ON_A_SERVER
def test_a_read_sees_one_state_whatever_is_written_meanwhile(
    open_store: Callable[[], Store],
) -> None:
    reading, writing = open_store().hub("hub"), open_store().hub("hub")
    writing.acquire()
    with reading.read() as tx:
        assert tx.keys_key() is None
        with writing.write() as other:
            other.set_keys_key("new")
        assert tx.keys_key() is None
    with reading.read() as tx:
        assert tx.keys_key() == "new"


@pytest.mark.every_database
def test_a_lock_that_somebody_keeps_is_waited_for_and_then_told(
    keep: Keep, open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping = open_store().hub("hub")
    keeping.acquire()
    monkeypatch.setattr(backend, "LOCK_TIMEOUT_MS", 50)
    waiting = open_store().hub("hub")
    with (
        keeping.write(),
        pytest.raises(StoreError, match=r"locked by another|somebody else held the lock"),
        waiting.unleased(),
    ):
        pass
    with waiting.unleased():
        pass


@pytest.mark.only_database("postgresql")
def test_a_process_that_is_stopped_within_a_transaction_holds_nobody_up_for_long(
    open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gives its transaction up, and with that its hub's row."""
    with monkeypatch.context() as of_one:
        of_one.setattr(postgresql, "_IDLE_IN_TRANSACTION_MS", 1_000)
        stopped = open_store().hub("hub")
        stopped.acquire()
    other = open_store().hub("hub")

    def sleep() -> None:
        with stopped.write() as tx:
            with other.unleased():  # waits until then
                pass
            tx.set_keys_key("of a sleeper")

    with pytest.raises(StoreError, match="stopped for so long"):
        sleep()
    with pytest.raises(StoreError, match="it stops, and the next one starts from what is there"):
        stopped.renew()
    stopped.release()
    other.acquire()
