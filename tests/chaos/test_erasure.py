"""A process that dies at any commit of an erasure, or loses any request or answer: the next one
goes on, and the end is the same (invariants 3 and 15).

A sample by default; `CIRAHUB_CHAOS=full` takes every boundary.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from tests.chaos.conftest import OpenScene, fired
from tests.chaos.tape import Killed, Tape, tape
from tests.chaos.test_boundaries import HAMLET, sample
from tests.chaos.town import quiet
from tests.engine.conftest import Scene

__all__ = ["tape"]

Erase = Callable[[Scene], Awaitable[object]]
ATTEMPTS = 5


async def leave(scene: Scene, erase: Erase, *, whole_hub: bool) -> None:
    """Everybody is in sync; then one leaves, or all do."""
    if whole_hub:
        await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    else:
        await scene.leave("cy")
    await erase(scene)


async def attempts(scene: Scene) -> None:
    """Until it is complete."""
    for _ in range(ATTEMPTS):
        jobs = await scene.worker.erasures()
        if not jobs:
            return
        report = await scene.worker.erase(jobs[0].id, spokes=list(scene.spokes.values()))
        scene.advance(61.0)
    raise AssertionError(f"not complete after {ATTEMPTS} attempts: {report}")


async def settled(scene: Scene) -> None:
    HAMLET.settle_in(scene)
    await quiet(scene)
    scene.edit("cy", scene.the("cy", "Person 001", "Team")["id"], jobTitle="of a leaver")
    await quiet(scene)
    assert scene.the("dee", "Person 001")["jobTitle"] == "of a leaver"


def assert_gone(scene: Scene, *, whole_hub: bool) -> None:
    if whole_hub:
        held = {house.name: len(house.people) for house in HAMLET.houses}
    else:
        held = {"ada": 4, "ben": 6, "cy": 1, "dee": 6}
        assert scene.the("dee", "Person 001")["jobTitle"] == "jobTitle 1"
    found = {house.name: len(scene.names(house.name, house.folder)) for house in HAMLET.houses}
    assert found == held


def mortal(tape: Tape) -> Erase:
    async def erase(scene: Scene) -> None:
        try:
            await attempts(scene)
        except Killed:
            tape.revive()
            await scene.restart()
            scene.advance(61.0)  # this very process still lives: its lease has to run out
            await attempts(scene)

    return erase


@pytest.mark.parametrize("whole_hub", [False, True], ids=["spoke", "hub"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_that_dies_at_a_commit_of_an_erasure_is_followed_by_one_that_ends_it(
    tape: Tape, open_scene: OpenScene, moment: str, whole_hub: bool
) -> None:
    async with open_scene("counted") as scene:
        await settled(scene)
        tape.commits = 0
        await leave(scene, attempts, whole_hub=whole_hub)
        count = tape.commits
        assert_gone(scene, whole_hub=whole_hub)
    assert count > 8
    for number in sample(count, start=1 if moment == "before" else 2):
        async with open_scene(f"commit-{number}") as scene:
            await settled(scene)
            tape.commits = 0
            if moment == "before":
                tape.dies_before = number
            else:
                tape.dies_after = number
            try:
                await leave(scene, mortal(tape), whole_hub=whole_hub)
            except Killed:  # while it was noted: who wants it asks again
                tape.revive()
                await scene.restart()
                scene.advance(61.0)
                if whole_hub:
                    await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
                elif not await scene.worker.erasures():
                    await scene.worker.leave_spoke(scene.hub, "spoke-cy", erase_at=scene.clock())
                await attempts(scene)
            assert_gone(scene, whole_hub=whole_hub)


@pytest.mark.parametrize("whole_hub", [False, True], ids=["spoke", "hub"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_request_of_an_erasure_that_is_lost_changes_nothing_of_its_end(
    open_scene: OpenScene, moment: str, whole_hub: bool
) -> None:
    async with open_scene("counted") as scene:
        await settled(scene)
        scene.forget()
        await leave(scene, attempts, whole_hub=whole_hub)
        count = len(scene.admin.requests(service="graph", batch="no"))
    assert count > 1
    for number in sample(count, start=0 if moment == "before" else 1):
        async with open_scene(f"request-{number}") as scene:
            await settled(scene)
            rule = scene.admin.add_rule(
                "drop", service="graph", skip=number, count=1, moment=moment
            )
            await leave(scene, attempts, whole_hub=whole_hub)
            assert fired(scene)[rule] == 1
            assert_gone(scene, whole_hub=whole_hub)
