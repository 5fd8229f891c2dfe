"""Workers that are killed, coordinators that are, and passes that are given up: nothing doubled,
nothing lost, and the same end as that of a pass that nothing happened to. Real processes over
PostgreSQL; a held request says when to strike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest
from tests.chaos.conftest import striking
from tests.chaos.town import SMALL, VERIFIED
from tests.engine.conftest import Scene
from tests.shards.crew import Others
from tests.shards.processes import started

from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shard import Errand

pytestmark = pytest.mark.only_database("postgresql")

HELD = 2.0
"""Seconds that a request is held; whoever sent it is killed at once, so no test waits for it."""
PAGES = "delta"
BATCHES = r"/\$batch"
BEFORE = {Errand.DELIVER: Errand.READ, Errand.DELETE: Errand.DELIVER}


class Trap:
    """Holds one request of a errand, at any worker."""

    def __init__(self, scene: Scene, errand: Errand, moment: str = "after") -> None:
        self._scene = scene
        self._moment = moment
        self.held = asyncio.Event()
        self.crew = Others(2, {BEFORE[errand]: self.lay} if errand in BEFORE else None)
        self._path = BATCHES if errand in BEFORE else PAGES
        if errand not in BEFORE:
            self.lay()

    def lay(self) -> None:
        faults = self._scene.admin
        rule = faults.add_rule(
            "delay", service="graph", path=self._path, count=1, delay=HELD, moment=self._moment
        )
        struck = striking(self._scene, rule)
        self._waiting = asyncio.ensure_future(self._wait(struck))

    async def _wait(self, struck: asyncio.Event) -> None:
        await struck.wait()
        self.held.set()


def problems(report: PassReport) -> list[str]:
    found = [report.problem, *(spoke.problem for spoke in report.spokes.values())]
    return [problem.reason for problem in found if problem is not None]


async def follow(scene: Scene, without: Collection[str] = ()) -> None:
    """Passes of this process alone until all is as it should be; also what is late has come.
    `without`: people who are deleted."""
    for pause in (61.0, 61.0, VERIFIED, 61.0):
        report = await scene.sync()
        assert report.problem is None
        scene.advance(pause)
    assert problems(await scene.sync()) == []
    expected = SMALL.expected()
    for person in without:
        for known in expected.values():
            del known[person]
    assert SMALL.found(scene) == expected
    assert scene.keep.rows("SELECT count(*) FROM shards") == [(0,)]
    assert scene.keep.rows("SELECT count(*) FROM intents WHERE NOT abandoned") == [(0,)]


async def test_two_processes_do_a_pass_together(scene: Scene) -> None:
    SMALL.settle_in(scene)
    async with started(scene, "worker") as one, started(scene, "worker") as other:
        report = await scene.sync(crew=Others(1))
        assert problems(report) == []
        await scene.sync(crew=Others(1))
        await one.kill()
        await other.kill()
    SMALL.assert_whole(scene)
    assert scene.keep.rows("SELECT count(*) FROM shards") == [(0,)]


@pytest.mark.parametrize(
    ("errand", "moment"),
    [
        pytest.param(Errand.READ, "after", id="in pull"),
        pytest.param(Errand.DELIVER, "before", id="in push, before the request takes effect"),
        pytest.param(Errand.DELIVER, "after", id="in push, and its answer is lost"),
    ],
)
async def test_what_a_killed_worker_left_is_settled_by_the_next_attempt(
    scene: Scene, errand: Errand, moment: str
) -> None:
    SMALL.settle_in(scene)
    trap = Trap(scene, errand, moment)
    async with started(scene, "worker") as victim:
        passing = asyncio.ensure_future(scene.sync(crew=trap.crew))
        await trap.held.wait()
        await victim.kill()
        async with started(scene, "worker"):
            report = await passing
    assert problems(report) == []
    await follow(scene)


async def test_workers_stop_when_their_coordinator_dies_and_the_next_pass_goes_on(
    scene: Scene,
) -> None:
    SMALL.settle_in(scene)
    trap = Trap(scene, Errand.READ)
    async with started(scene, "worker") as worker:
        async with started(scene, "coordinator") as coordinator:
            await trap.held.wait()
            await coordinator.kill()
        await scene.sync()  # takes the hub at once: its holder died here
        await worker.says("end read 0 LeaseLostError")
        await follow(scene)


@pytest.mark.parametrize("errand", Errand)
async def test_a_pass_that_is_given_up_stops_its_workers(scene: Scene, errand: Errand) -> None:
    SMALL.settle_in(scene)
    gone = range(6) if errand is Errand.DELETE else range(0)
    if gone:
        await scene.settle()
        for number in gone:
            scene.remove("ada", scene.the("ada", f"Person {number:03}")["id"])
        await scene.sync()
        scene.advance(3700.0)
    trap = Trap(scene, errand)
    async with started(scene, "worker") as worker:
        passing = asyncio.ensure_future(scene.sync(crew=trap.crew))
        await trap.held.wait()
        assert trap.crew.calls[-1].errand == errand
        passing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await passing
        assert scene.keep.rows("SELECT count(*) FROM shards") == [(0,)]
        await worker.says(f"end {errand} 0 LeaseLostError")
    await follow(scene, without={f"Person {number:03}" for number in gone})
