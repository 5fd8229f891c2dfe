"""A pass in parts ends as the pass in one process does, and costs as many requests."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.chaos.conftest import OpenScene
from tests.chaos.town import SMALL, VERIFIED
from tests.engine.conftest import Scene
from tests.shards.content import Told, told
from tests.shards.crew import Here

from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shard import Errand
from cirahub_sync.engine.shared import Crew

pytestmark = pytest.mark.every_database


def asked(scene: Scene) -> Counter[str]:
    """Requests by method and what is asked for, since last asked; a token is each process's own."""
    found = Counter(f"{one['method']} {one['path'].split('/')[-1][:6]}" for one in scene.requests())
    scene.forget()
    return found


def summed(report: PassReport) -> dict[str, object]:
    assert report.problem is None
    assert [one.problem for one in report.spokes.values() if one.problem is not None] == []
    return {one.name: (one.counts, one.pending, one.guarded) for one in report.spokes.values()}


async def live(scene: Scene, crew: Crew | None) -> list[object]:
    """The first sync, a day of edits and deletions, and what users do to copies."""
    told_of: list[object] = []

    async def sync() -> None:
        report = await scene.sync(crew=crew)
        told_of.append(summed(report))

    SMALL.settle_in(scene)
    for _ in range(3):
        await sync()
        scene.advance(61.0)
    of_ada = {c["displayName"]: c["id"] for c in scene.held("ada")}
    scene.edit("ada", of_ada["Person 001"], jobTitle="Director")
    scene.remove("ada", of_ada["Person 002"])
    scene.edit("ben", scene.the("ben", "Person 003")["id"], mobilePhone="+1 425 555 0100")
    scene.remove("dee", scene.the("dee", "Person 004")["id"])
    scene.add("ben", displayName="Person 900", email="person900@example.org")
    for _ in range(3):
        await sync()
        scene.advance(61.0)
    scene.advance(VERIFIED)
    for _ in range(3):
        await sync()
        scene.advance(61.0)
    return told_of


async def lived(open_scene: OpenScene, name: str, shard_size: int = 0) -> tuple[object, ...]:
    async with open_scene(name) as scene:
        crew = Here(shard_size, scene._open) if shard_size else None
        scene.forget()
        reports = await live(scene, crew)
        kept: Told = told(scene)
        if crew is not None:
            errands = {
                call.errand for call in crew.calls if len(call.parts[scene.connection.uid]) > 1
            }
            assert errands == set(Errand)
        return reports, SMALL.contents(scene), kept, asked(scene)


async def test_a_pass_in_parts_ends_as_one_in_one_process(open_scene: OpenScene) -> None:
    alone = await lived(open_scene, "alone")
    for size in (1, 3):
        parts = await lived(open_scene, f"by {size}", size)
        for one, other in zip(parts, alone, strict=True):
            assert one == other


async def heard(open_scene: OpenScene, name: str, shard_size: int = 0) -> tuple[object, ...]:
    """Two contributors change, and one of them is told of."""
    async with open_scene(name) as scene:
        crew = Here(shard_size, scene._open) if shard_size else None
        SMALL.settle_in(scene)
        scene.connect("gus")
        await scene.settle()
        scene.add("ada", displayName="Told of", email="told@example.org")
        scene.add("gus", displayName="Not told of", email="not@example.org")
        beside = scene.opened()
        with beside.hub(scene.hub.uid).unleased() as tx:
            tx.notified.record([scene.spokes["ada"].uid], scene.clock())
        scene.forget()
        report = await scene.sync(notified_only=True, crew=crew)
        with beside.hub(scene.hub.uid).read() as tx:
            assert tx.notified.all() == {}
        beside.close()
        others = {found for one in scene.spokes if one != "gus" for found in scene.names(one)}
        assert {"Told of", "Not told of"} & others == {"Told of"}
        return summed(report), SMALL.contents(scene), told(scene), asked(scene)


async def test_of_what_was_told_a_pass_in_parts_reads_as_little_as_one_in_one_process(
    open_scene: OpenScene,
) -> None:
    alone = await heard(open_scene, "alone")
    for size in (1, 3):
        parts = await heard(open_scene, f"by {size}", size)
        for one, other in zip(parts, alone, strict=True):
            assert one == other
