"""Shards of a pass: who holds one, and when its holder may write nothing more."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.keeps import Keep

from cirahub_sync.errors import LeaseLostError
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.store.hub import HubStore
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.opening import Store
from cirahub_sync.store.shards import ATTEMPTS, Shard, ShardKey, ShardState

from .conftest import Clock

pytestmark = pytest.mark.every_database

TERMS = LeaseTerms()


@pytest.fixture
def coordinator(store: Store) -> HubStore:
    """A pass under way, with one shard."""
    hub = store.hub("hub")
    hub.acquire()
    with hub.write() as tx:
        tx.shards.add([Shard(key=key_of(hub), connection="connection", handed=b"these spokes")])
    return hub


def key_of(coordinator: HubStore) -> ShardKey:
    return ShardKey(coordinator.number, "read", 0)


@pytest.fixture
def take(store: Store, coordinator: HubStore) -> Callable[[], HubStore]:
    key = key_of(coordinator)

    def taken() -> HubStore:
        hub = store.hub("hub")
        hub.take(key)
        return hub

    return taken


def refused(worker: HubStore) -> bool:
    """Whether it may neither commit nor send anything."""
    with pytest.raises(LeaseLostError), worker.write() as tx:
        tx.set_rules_key("written")
    with worker.read() as tx:
        assert tx.rules_key() is None
    with pytest.raises(LeaseLostError):
        worker.fence(TERMS.write)
    return True


def state(coordinator: HubStore) -> ShardState:
    with coordinator.read() as tx:
        (one,) = tx.shards.progress(coordinator.number, "read")
    return one.state


def test_a_shard_is_one_worker_s_until_its_lease_has_run_out(
    coordinator: HubStore, take: Callable[[], HubStore], clock: Clock
) -> None:
    first = take()
    first.fence(TERMS.write)
    clock.now += TERMS.seconds + 1
    coordinator.renew()
    with pytest.raises(LeaseHeldError):
        take()  # the clocks of two machines may differ that much
    clock.now += TERMS.skew
    coordinator.renew()
    second = take()
    assert refused(first)
    second.renew()
    second.fence(TERMS.write)


def test_a_worker_whose_pass_was_taken_over_commits_and_sends_nothing(
    coordinator: HubStore, take: Callable[[], HubStore], store: Store, clock: Clock
) -> None:
    worker = take()
    clock.now += TERMS.seconds + TERMS.skew + 1
    store.hub("hub").acquire()
    assert refused(worker)


def test_a_worker_whose_pass_was_given_up_commits_and_sends_nothing(
    coordinator: HubStore, take: Callable[[], HubStore]
) -> None:
    worker = take()
    coordinator.release()
    assert refused(worker)
    with pytest.raises(LeaseLostError):
        take()


def test_a_worker_does_not_outlive_a_coordinator_that_does_not_renew(
    coordinator: HubStore, take: Callable[[], HubStore], clock: Clock
) -> None:
    """Its own lease is fresh all the time."""
    worker = take()
    clock.now += TERMS.seconds - TERMS.write - 1
    worker.renew()
    worker.fence(TERMS.write)
    clock.now += 2
    worker.renew()
    with pytest.raises(LeaseLostError, match="its coordinator does not renew"):
        worker.fence(TERMS.write)
    clock.now += TERMS.write
    assert refused(worker)


def test_a_shard_that_was_given_up_is_done_by_nobody(
    coordinator: HubStore, take: Callable[[], HubStore]
) -> None:
    worker = take()
    with coordinator.write() as tx:
        tx.shards.fail(key_of(coordinator), "too late")
    assert refused(worker)
    assert coordinator.take(key_of(coordinator)) == 0


def test_a_shard_that_is_done_is_not_taken_again(
    coordinator: HubStore, take: Callable[[], HubStore], store: Store
) -> None:
    worker, key = take(), key_of(coordinator)
    with worker.write() as tx:
        assert tx.shards.handed(key) == b"these spokes"
        tx.shards.finish(key, b"as told")
    assert refused(worker)
    assert store.hub("hub").take(key) == 0
    with coordinator.read() as tx:
        assert tx.shards.outcome(key) == b"as told"
        assert tx.shards.free(0.0) == []


def test_a_shard_that_was_given_back_is_taken_at_once_and_its_attempts_are_counted(
    coordinator: HubStore, store: Store
) -> None:
    key = key_of(coordinator)
    for attempt in range(1, ATTEMPTS + 1):
        worker = store.hub("hub")
        assert worker.take(key) == attempt
        with worker.write() as tx:
            tx.shards.give_back(key, "no luck")
    assert store.hub("hub").take(key) == 0
    assert state(coordinator) is ShardState.FAILED


def test_a_shard_of_a_process_that_died_here_is_taken_over_at_once(
    coordinator: HubStore, take: Callable[[], HubStore], store: Store, keep: Keep, key_file: Path
) -> None:
    program = (
        "import pathlib, sys\n"
        "from cirahub_sync.store.opening import Store\n"
        "from cirahub_sync.store.shards import ShardKey\n"
        "store = Store.open(sys.argv[1], pathlib.Path(sys.argv[2]), lambda: 1_000_000.0)\n"
        "print(store.hub('hub').take(ShardKey(int(sys.argv[3]), 'read', 0)))\n"
    )
    arguments = [keep.url, str(key_file), str(coordinator.number)]
    dead = subprocess.run(
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True
    )
    assert dead.stdout == "1\n"
    with coordinator.read() as tx:
        assert tx.shards.free(0.0) == [key_of(coordinator)]
    take().renew()


@pytest.mark.only_database("postgresql")
def test_transactions_of_two_shards_are_one_after_the_other_and_never_cross(
    coordinator: HubStore, keep: Keep, key_file: Path, store: Store
) -> None:
    """Each has the hub's row before any other: rows are written in two orders here, and of a
    deadlock the server would end one."""
    program = (
        "import pathlib, sys, time\n"
        "from cirahub_sync.store.opening import Store\n"
        "from cirahub_sync.store.rows import Cursor\n"
        "from cirahub_sync.store.shards import ShardKey\n"
        "store = Store.open(sys.argv[1], pathlib.Path(sys.argv[2]), lambda: 1_000_000.0)\n"
        "hub = store.hub('hub')\n"
        "hub.take(ShardKey(int(sys.argv[3]), 'deliver', int(sys.argv[4])))\n"
        "spokes = ['a', 'b'][:: 1 if sys.argv[4] == '0' else -1]\n"
        "for number in range(200):\n"
        "    with hub.write() as tx:\n"
        "        for spoke in spokes:\n"
        "            tx.pending.reconsider(spoke, ['item'])\n"
        "        tx.next_seq()\n"
    )
    with coordinator.write() as tx:
        for uid in ("a", "b"):
            tx.connection.exec_driver_sql(
                "INSERT INTO spokes (uid, hub, rank, place, contributes_key, receives_key, mark,"
                f" verified_at) VALUES ('{uid}', 'hub', 0, '', '', '', 0, 0)"
            )
        tx.shards.add(
            [
                Shard(
                    key=ShardKey(coordinator.number, "deliver", part),
                    connection="connection",
                    handed=b"",
                )
                for part in range(2)
            ]
        )
        before = tx.seq
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                program,
                keep.url,
                str(key_file),
                str(coordinator.number),
                str(part),
            ]
        )
        for part in range(2)
    ]
    assert [process.wait() for process in started] == [0, 0]
    with coordinator.read() as tx:
        assert tx.seq == before + 400  # every number was given once
