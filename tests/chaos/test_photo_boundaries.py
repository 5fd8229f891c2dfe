"""Death at commits and requests while photos are read and written: the next process puts each where
it belongs, takes none of ours for somebody's own, and comes to rest."""

from __future__ import annotations

import os

import pytest
from tests.chaos.conftest import OpenScene
from tests.chaos.tape import Boundary, Moment, Tape, killed, tape
from tests.engine.conftest import Scene
from tests.engine.photos import ANN, Photos, jpeg, settled, whose

from cirahub_sync.configuration import Direction

__all__ = ["tape"]

COLOURS = ("red", "green", "blue", None)
MOMENTS = (Moment.BEFORE, Moment.DURING, Moment.AFTER)
SAMPLE = 7


def houses(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    scene.connect("dee", Direction.TWO_WAY)
    scene.add("ada", **ANN)
    scene.add("dee", **ANN)


def boundaries(commits: int, requests: int) -> list[Boundary]:
    found = [Boundary("commit", number, Moment.AFTER) for number in range(commits)]
    found += [Boundary("request", number, one) for number in range(requests) for one in MOMENTS]
    if os.environ.get("CIRAHUB_CHAOS") == "full":
        return found
    return found[:: max(1, len(found) // SAMPLE)] + found[-len(MOMENTS) :]


@pytest.mark.parametrize("changes", [True, False])
async def test_death_while_photos_are_written_leaves_each_where_it_belongs(
    tape: Tape, open_scene: OpenScene, changes: bool
) -> None:
    async with open_scene("photos") as scene:
        scene.admin.switch(photo_changes_contact=changes)
        photos = Photos(scene)
        houses(scene)
        await settled(scene)

        async def change(number: int) -> str | None:
            colour = COLOURS[number % len(COLOURS)]
            photos.put("ada", None if colour is None else jpeg(colour))
            scene.advance(8 * 86_400.0)
            tape.rewind()
            return colour

        await change(0)
        await scene.sync()
        commits, requests = tape.commits, tape.requests
        await settled(scene)
        for number, boundary in enumerate(boundaries(commits, requests), start=1):
            colour = await change(number)
            tape.dies_at = boundary
            try:
                await scene.sync(2)
            except BaseException as error:
                if not killed(error):
                    raise
            assert tape.died, boundary
            tape.revive()
            await scene.restart()
            scene.advance(200.0)  # this very process still lives: the dead one's lease runs out
            await settled(scene)
            assert [photos.colour(name) for name in ("ben", "cy", "dee")] == [colour] * 3, boundary
            assert whose(scene) == ([] if colour is None else ["spoke-ada"]), boundary
