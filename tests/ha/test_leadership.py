"""One candidate after the other, on a real Lease; the clocks are the tests'."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest
from tests.operator.conftest import connections_closed
from tests.operator.stage import Manifest, Stage

from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import LeadershipLostError, PermissionMissingError
from cirahub_operator.leadership import Leadership, Watchdog
from cirahub_operator.leases import LeaseObject, LeaseRecord
from cirahub_operator.settings import LeaseTiming
from cirahub_sync import steady
from cirahub_sync.errors import LeaseLostError

PATIENCE = 60.0
TIMING = LeaseTiming(duration=15, renew_deadline=10, retry_period=0.05)


class Candidates:
    """Each with a clock of its own."""

    def __init__(self, stage: Stage, cluster: Cluster) -> None:
        self.stage = stage
        self.lease = LeaseObject(cluster, stage.namespace, "turns")
        self.passed = {"ann": 0.0, "bob": 0.0}

    def make(self, name: str, timing: LeaseTiming = TIMING) -> Leadership:
        def clock() -> float:
            return steady.now() + self.passed[name]

        return Leadership(self.lease, timing=timing, identity=name, clock=clock)

    async def spec(self) -> Manifest:
        found = await self.stage.read("coordination.k8s.io/v1", "leases", "turns")
        assert found is not None
        return dict(found["spec"])

    async def patch(self, change: Manifest) -> None:
        """As somebody else."""
        text = json.dumps(change)
        await self.stage.kubectl("patch", "lease", "turns", "--type=merge", "-p", text)

    async def held_back(self, candidate: Leadership) -> bool:
        """Whether it still waits after a few looks."""
        waiting = asyncio.create_task(candidate.acquire())
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        return not done

    async def takes(self, candidate: Leadership) -> None:
        """It has the Lease, however long this machine takes for that."""
        await asyncio.wait_for(candidate.acquire(), PATIENCE)


@asynccontextmanager
async def meeting(stage: Stage) -> AsyncIterator[Candidates]:
    cluster = await Cluster.connect()
    try:
        yield Candidates(stage, cluster)
    finally:
        await cluster.close()
        await connections_closed()


@pytest.fixture
async def candidates(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Candidates]:
    monkeypatch.setenv("KUBECONFIG", str(stage.plane.kubeconfig))
    async with meeting(stage) as made:
        yield made


async def test_the_first_one_makes_the_lease_and_the_second_one_waits(
    candidates: Candidates,
) -> None:
    ann, bob = candidates.make("ann"), candidates.make("bob")
    await ann.acquire()
    ann.check()
    spec = await candidates.spec()
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
        "ann",
        15,
        0,
    )
    assert datetime.fromisoformat(spec["renewTime"]).tzinfo is not None
    assert await candidates.held_back(bob)
    with pytest.raises(LeaseLostError):
        bob.check()


async def test_a_released_lease_is_taken_at_once(candidates: Candidates) -> None:
    ann, bob = candidates.make("ann"), candidates.make("bob")
    await ann.acquire()
    assert await candidates.held_back(bob)
    await ann.release()
    with pytest.raises(LeaseLostError):
        ann.check()
    await candidates.takes(bob)
    spec = await candidates.spec()
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("bob", 1)


@pytest.mark.parametrize("written", ["1999-01-01T00:00:00.000000Z", "2199-01-01T00:00:00.000000Z"])
async def test_what_time_the_holder_thinks_it_is_decides_nothing(
    candidates: Candidates, written: str
) -> None:
    ann, bob = candidates.make("ann"), candidates.make("bob")
    await ann.acquire()
    change = {"spec": {"renewTime": written, "acquireTime": written}}
    await candidates.stage.kubectl(
        "patch", "lease", "turns", "--type=merge", "-p", json.dumps(change)
    )
    assert await candidates.held_back(bob)
    candidates.passed["bob"] = 10.0
    assert await candidates.held_back(bob)
    candidates.passed["bob"] = 16.0
    await candidates.takes(bob)


async def test_a_lease_that_is_renewed_is_never_taken(candidates: Candidates) -> None:
    ann, bob = candidates.make("ann"), candidates.make("bob")
    await ann.acquire()
    keeping = asyncio.create_task(ann.keep())
    for _ in range(3):
        assert await candidates.held_back(bob)
        candidates.passed["bob"] += 14.0
    ann.check()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_who_slept_over_its_lease_knows_before_it_asks_anybody(
    candidates: Candidates,
) -> None:
    ann = candidates.make("ann")
    await ann.acquire()
    version = await candidates.lease.read()
    candidates.passed["ann"] = 15.0
    with pytest.raises(LeaseLostError, match="sends nothing"):
        ann.check()
    with pytest.raises(LeadershipLostError, match=r"could not be renewed for 1\d s"):
        await ann.keep()
    assert await candidates.lease.read() == version


async def test_a_renewal_counts_from_before_it_was_asked_for(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it counts from for the others is not known: at the latest from its answer."""
    ann = candidates.make("ann")
    write = candidates.lease.write

    async def slowly(record: LeaseRecord) -> LeaseRecord:
        answer = await write(record)
        candidates.passed["ann"] += 9.0
        return answer

    monkeypatch.setattr(candidates.lease, "write", slowly)
    await ann.acquire()
    candidates.passed["ann"] += 6.0
    with pytest.raises(LeaseLostError):
        ann.check()


async def test_who_finds_another_holder_ends(candidates: Candidates) -> None:
    ann, bob = candidates.make("ann"), candidates.make("bob")
    await ann.acquire()
    keeping = asyncio.create_task(ann.keep())
    candidates.passed["bob"] = 0.0
    assert await candidates.held_back(bob)
    await candidates.patch({"spec": {"holderIdentity": "bob"}})
    with pytest.raises(LeadershipLostError, match="taken by bob"):
        async with asyncio.timeout(30):
            await keeping
    with pytest.raises(LeaseLostError):
        ann.check()


async def test_a_label_or_a_deletion_by_a_person_does_not_cost_the_lease(
    candidates: Candidates,
) -> None:
    ann = candidates.make("ann")
    await ann.acquire()
    keeping = asyncio.create_task(ann.keep())
    await candidates.stage.kubectl("label", "lease", "turns", "team=blue")
    first = await candidates.spec()

    async def renewed() -> bool:
        return bool((await candidates.spec())["renewTime"] > first["renewTime"])

    await candidates.stage.until(renewed)
    await candidates.stage.kubectl("delete", "lease", "turns")

    async def back() -> bool:
        return await candidates.lease.read() is not None

    await candidates.stage.until(back)
    assert (await candidates.spec())["holderIdentity"] == "ann"
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_an_api_server_that_is_away_costs_the_lease_at_the_deadline(
    candidates: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = LeaseTiming(duration=3, renew_deadline=1, retry_period=0.1)
    ann = candidates.make("ann", quick)
    await ann.acquire()

    async def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(candidates.lease._cluster._api, "call_api", refused)
    with pytest.raises(LeadershipLostError, match="could not be renewed"):
        async with asyncio.timeout(30):
            await ann.keep()
    ann.check()  # there is still time to end in


async def test_who_may_not_use_leases_is_told_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, candidates: Candidates
) -> None:
    async def forbidden(*_: object, **__: object) -> tuple[int, bytes]:
        return 403, b'{"message": "leases.coordination.k8s.io is forbidden"}'

    monkeypatch.setattr(Cluster, "_send", forbidden)
    with pytest.raises(PermissionMissingError, match="forbidden"):
        await candidates.make("ann").acquire()


async def test_the_watchdog_ends_a_process_that_does_not_end_by_itself(
    candidates: Candidates,
) -> None:
    ann = candidates.make("ann")
    await ann.acquire()
    ended: list[int] = []
    with Watchdog(ann, ended.append):
        await asyncio.sleep(0.6)
        assert ended == []
        candidates.passed["ann"] = 15.0
        await candidates.stage.until(lambda: ended == [1])


async def test_who_lost_the_lease_sends_nothing_more_but_may_end_in_order(
    candidates: Candidates,
) -> None:
    ann = candidates.make("ann", LeaseTiming(duration=600, renew_deadline=400, retry_period=0.1))
    await ann.acquire()
    await candidates.patch({"spec": {"holderIdentity": "bob"}})
    with pytest.raises(LeadershipLostError, match="was taken by bob"):
        await ann.keep()
    with pytest.raises(LeaseLostError):
        ann.check()
    assert not ann.overdue
    candidates.passed["ann"] = 190.0
    assert not ann.overdue
    candidates.passed["ann"] = 210.0
    assert ann.overdue


@pytest.mark.parametrize(
    ("duration", "renew_deadline", "retry_period", "why"),
    [
        (10, 10, 2, "renew deadline"),
        (15, 2, 2, "retry period"),
        (15, 10, 0, "retry period"),
        (0.5, 0.3, 0.1, "whole seconds"),
        (2.5, 1, 0.1, "whole seconds"),
    ],
)
def test_times_that_would_let_two_lead_or_nobody_are_refused(
    duration: float, renew_deadline: float, retry_period: float, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        LeaseTiming(duration=duration, renew_deadline=renew_deadline, retry_period=retry_period)
