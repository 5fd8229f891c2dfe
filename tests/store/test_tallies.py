"""How much each spoke has is kept up as rows come and go, whatever comes of them."""

from __future__ import annotations

from random import Random

import pytest
from tests.keeps import Keep
from tests.tallied import MISCOUNTED

from cirahub_sync.store.opening import Store
from cirahub_sync.store.tallies import Tally

from .made import replica, shadow, spoke

pytestmark = pytest.mark.every_database

SPOKES = ("one", "two")


def test_what_each_spoke_has_is_what_is_there(store: Store, keep: Keep) -> None:
    """Rows of both kinds come, change and go, several of a key in one go among them."""
    chance = Random(20261130)
    hub = store.hub("hub")
    hub.acquire()
    with hub.write() as tx:
        for rank, uid in enumerate(SPOKES):
            tx.add_spoke(spoke(uid, rank))
        assert set(tx.tallies.settle().values()) == {Tally()}
    seen = set()
    for _ in range(200):
        uids = chance.choices(SPOKES, k=4)
        numbers = chance.choices(range(12), k=4)
        flags = [bool(chance.getrandbits(1)) for _ in range(2)]
        with hub.write() as tx:
            match chance.choice(("copies", "fewer", "own", "less", "none")):
                case "copies":
                    for uid, number in zip(uids, numbers, strict=True):
                        tx.replicas.put([replica(uid, f"i{number}", native=flags[0])])
                    tx.replicas.put([replica(uids[0], f"i{one}", live=flags[1]) for one in numbers])
                    tx.replicas.put([replica(uid, "i12") for uid in uids])
                case "fewer":
                    tx.replicas.remove(uids[0], [f"i{one}" for one in numbers])
                case "own":
                    tx.shadows.put([shadow(uids[0], f"r{one}", native=flags[0]) for one in numbers])
                    tx.shadows.put([shadow(uid, "r12", admitted=flags[1]) for uid in uids])
                case "less":
                    tx.shadows.remove(uids[0], [f"r{one}" for one in numbers])
                case "none":
                    tx.forget_deliveries(uids[0])
        assert keep.rows(MISCOUNTED) == []
        with hub.write() as tx:
            seen |= set(tx.tallies.settle().values())
        assert keep.rows(MISCOUNTED) == []
    assert len({one.copies for one in seen}) > 6
    assert len({one.own for one in seen}) > 6


def test_who_was_never_counted_is_counted_when_asked_for(store: Store) -> None:
    """As after an upgrade: rows were there before tallies were."""
    hub = store.hub("hub")
    hub.acquire()
    with hub.write() as tx:
        tx.add_spoke(spoke("one"))
        tx.replicas.put(
            [replica("one", "i1"), replica("one", "i2"), replica("one", "i3", native=True)]
        )
        tx.shadows.put([shadow("one", "r1"), shadow("one", "r2", admitted=False)])
    with hub.write() as tx:
        assert tx.tallies.settle() == {"one": Tally(copies=2, own=1)}


def test_each_hub_has_its_own_spokes_and_forgets_no_others(store: Store, keep: Keep) -> None:
    for name in ("other", "hub"):
        hub = store.hub(name)
        hub.acquire()
        with hub.write() as tx:
            tx.add_spoke(spoke(f"{name}-0"))
            tx.replicas.put([replica(f"{name}-0", "i1")])
            assert tx.tallies.settle() == {f"{name}-0": Tally(copies=1)}
    with hub.write() as tx:
        tx.tallies.forget()
    assert keep.rows("SELECT spoke FROM tallies") == [("other-0",)]
