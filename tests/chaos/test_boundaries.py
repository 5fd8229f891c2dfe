"""Death at every commit, loss of every request and every answer, a backup from every moment: the
end is the same as if nothing had happened (invariants 3, 4, 5 and 16).

A sample by default; `CIRAHUB_CHAOS=full` takes every boundary.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.chaos.backup import backup, restore
from tests.chaos.conftest import OpenScene, fired
from tests.chaos.tape import Killed, Tape, tape
from tests.chaos.town import House, Town, quiet, verified
from tests.engine.conftest import Scene

from cirahub_sync.configuration import DeletionLimits, Direction

pytestmark = pytest.mark.every_database

__all__ = ["tape"]

HAMLET = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(4), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(3, 6), "department"),
        House("cy", Direction.TWO_WAY, range(6, 7), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
    )
)
SAMPLE = 6


def sample(count: int, *, start: int = 0) -> list[int]:
    """Boundaries, evenly spread; all of them if asked for."""
    if os.environ.get("CIRAHUB_CHAOS") == "full":
        return list(range(count))
    step = max(1, count // SAMPLE)
    return list(range(start % step, count, step))


Calm = Callable[[Scene], Awaitable[object]]


async def live(scene: Scene, calm: Calm) -> None:
    """A story: the first sync, what users do then, and what becomes of it."""
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
    HAMLET.settle_in(scene)
    await calm(scene)
    scene.admin.advance(60)
    await act(scene)
    await calm(scene)
    scene.advance(2 * 86_400.0)
    await calm(scene)


async def act(scene: Scene) -> None:
    scene.edit("ada", scene.the("ada", "Person 000")["id"], mobilePhone="+1 425 555 0100")
    scene.edit("ben", scene.the("ben", "Person 001")["id"], profession="Baker")
    scene.edit("cy", scene.the("cy", "Person 004", "Team")["id"], department="Bread")
    scene.remove("ada", scene.the("ada", "Person 002")["id"])
    scene.remove("dee", scene.the("dee", "Person 005")["id"])
    scene.add("ben", displayName="Newcomer", email="newcomer@example.org")


def contents(scene: Scene) -> dict[str, list[str]]:
    """What every mailbox holds, after a look for doubles."""
    for house in HAMLET.houses:
        names = scene.names(house.name, house.folder)
        assert len(names) == len(set(names)), f"doubled in {house.name}: {names}"
    return HAMLET.contents(scene)


@pytest.fixture
async def undisturbed(open_scene: OpenScene) -> dict[str, list[str]]:
    async with open_scene("undisturbed") as scene:
        await live(scene, quiet)
        end = contents(scene)
    names = {house: len(held) for house, held in end.items()}
    assert names == {"ada": 3, "ben": 7, "cy": 7, "dee": 6}
    return end


def mortal(tape: Tape) -> Calm:
    """Passes until it is quiet, by a process after the other."""

    async def calm(scene: Scene) -> None:
        try:
            await quiet(scene)
        except Killed:
            tape.revive()
            await scene.restart()
            # This very process still lives, so the lease of the dead one has to run out.
            scene.advance(61.0)
            await quiet(scene)

    return calm


async def commits_of(tape: Tape, open_scene: OpenScene) -> int:
    async with open_scene("counted") as scene:
        tape.commits = 0
        await live(scene, quiet)
        return tape.commits


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_that_dies_at_a_commit_leaves_nothing_that_the_next_does_not_put_right(
    tape: Tape, open_scene: OpenScene, undisturbed: dict[str, list[str]], moment: str
) -> None:
    count = await commits_of(tape, open_scene)
    for number in sample(count, start=1 if moment == "before" else 4):
        async with open_scene(f"commit-{number}") as scene:
            tape.commits = 0
            if moment == "before":
                tape.dies_before = number
            else:
                tape.dies_after = number
            await live(scene, mortal(tape))
            assert contents(scene) == undisturbed, f"died {moment} commit {number} of {count}"


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_request_that_is_lost_or_whose_answer_is_lost_changes_nothing_of_the_end(
    open_scene: OpenScene, undisturbed: dict[str, list[str]], moment: str
) -> None:
    async with open_scene("counted") as scene:
        await live(scene, quiet)
        count = len(scene.admin.requests(service="graph", batch="no"))
    for number in sample(count, start=2 if moment == "before" else 5):
        async with open_scene(f"request-{number}") as scene:
            rule = scene.admin.add_rule(
                "drop", service="graph", skip=number, count=1, moment=moment
            )
            await live(scene, quiet)
            assert fired(scene)[rule] == 1
            assert contents(scene) == undisturbed, f"dropped {moment} request {number} of {count}"


async def test_a_backup_from_any_moment_doubles_nothing_when_it_is_put_back_at_the_end(
    tape: Tape, open_scene: OpenScene, tmp_path: Path
) -> None:
    count = await commits_of(tape, open_scene)
    chosen = sample(count, start=3)
    async with open_scene("kept") as scene:
        tape.commits = 0
        tape.committed = lambda number: (
            backup(scene, tmp_path / str(number)) if number in chosen else None
        )
        await live(scene, quiet)
        tape.committed = lambda number: None
        end = {house: held - {"Person 005"} for house, held in there(scene).items()}
        for number in chosen:
            await restore(scene, tmp_path / str(number))
            scene.advance(61.0)
            await quiet(scene)
            await verified(scene)
            contents(scene)
            # That its user had deleted this copy is what the backup does not know.
            found = {house: held - {"Person 005"} for house, held in there(scene).items()}
            assert found == end, f"put back commit {number} of {count}"


def there(scene: Scene) -> dict[str, set[str]]:
    return {house.name: set(scene.names(house.name, house.folder)) for house in HAMLET.houses}
