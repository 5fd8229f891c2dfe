"""Whether a mailbox's own contacts become items that are in the hub already."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Adopt, Direction

from .conftest import Scene

ANN = {"displayName": "Ann", "email": "ann@example.org"}
TWO_WAY = Direction.TWO_WAY


@pytest.mark.parametrize("first", ["ada", "ben"])
async def test_contacts_that_are_never_adopted_stay_by_themselves_whoever_comes_first(
    scene: Scene, first: str
) -> None:
    jobs = {"ada": "Baker", "ben": "Brewer"}
    for name in sorted(jobs, key=lambda name: name != first):
        scene.connect(name, TWO_WAY, adopt=Adopt.NEVER if name == "ada" else Adopt.MATCH)
        scene.add(name, **ANN, jobTitle=jobs[name])
        await scene.settle()
    scene.connect("cy")
    scene.add("cy", **ANN, department="Bread")
    report = await scene.settle()
    report = await scene.settle()
    assert (report.items, report.ambiguous, report.duplicates) == (2, 0, 0)
    told = {("Baker", None), ("Brewer", "Bread")}
    for name in jobs:
        assert {(one["jobTitle"], one["department"]) for one in scene.held(name)} == told
    scene.forget()
    await scene.sync()
    assert scene.writes() == []


async def test_adopt_is_for_what_comes_and_leaves_what_is_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", adopt=Adopt.NEVER)
    scene.add("ada", **ANN)
    scene.add("ben", **ANN)
    assert (await scene.settle()).items == 2
    scene.connect("ben")
    report = await scene.settle()
    assert (report.items, report.duplicates) == (2, 2), "now their keys count"
    scene.add("ada", displayName="Bob", email="bob@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    assert (await scene.settle()).items == 3
    scene.connect("ben", adopt=Adopt.NEVER)
    report = await scene.settle()
    assert (report.items, report.duplicates) == (3, 0)


async def test_a_spoke_that_is_away_is_not_matched_either(scene: Scene) -> None:
    scene.connect("ada", adopt=Adopt.NEVER)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", **ANN)
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Baker")
    away = scene.spokes.pop("ada")
    await scene.sync(2, absent=1)
    scene.connect("cy")
    scene.add("cy", **ANN)
    assert (await scene.sync(2, absent=1)).items == 2
    scene.spokes["ada"] = away
    assert (await scene.settle()).items == 2


@pytest.mark.parametrize("adopt", list(Adopt))
async def test_a_receiver_s_own_contacts_are_never_adopted(scene: Scene, adopt: Adopt) -> None:
    scene.connect("ada")
    scene.connect("cy", Direction.RECEIVE, adopt=adopt)
    own = scene.add("cy", **ANN, jobTitle="Mine")
    scene.add("ada", **ANN, jobTitle="Baker")
    await scene.settle()
    assert {one["id"]: one["jobTitle"] for one in scene.held("cy")}[own] == "Mine"
    assert sorted(one["jobTitle"] for one in scene.held("cy")) == ["Baker", "Mine"]


async def test_after_a_lost_store_what_is_never_adopted_is_by_itself_again(scene: Scene) -> None:
    scene.connect("ada", adopt=Adopt.NEVER)
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN, jobTitle="Baker")
    scene.add("ben", **ANN, jobTitle="Brewer")
    await scene.settle()
    copies = {one["id"]: one["jobTitle"] for one in scene.held("cy")}
    await scene.lose_store()
    await scene.settle()
    assert {one["id"]: one["jobTitle"] for one in scene.held("cy")} == copies


async def test_a_plan_says_what_becomes_of_contacts_at_first_sight(scene: Scene) -> None:
    """Of whom it sees for the first time only; and again with a store of its own."""
    scene.connect("ada")
    scene.add("ada", **ANN)
    for job in ("Baker", "Brewer"):
        scene.add("ada", displayName="Desk", email="desk@example.org", jobTitle=job)
    await scene.settle()
    scene.connect("ben", TWO_WAY)
    scene.add("ben", **ANN)
    scene.add("ben", displayName="Desk", email="desk@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    scene.forget()
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert scene.writes() == []
    found = {one.outcome: one for one in plan.adoptions}
    assert sorted(one.outcome for one in plan.adoptions) == ["adopted", "ambiguous", "new"]
    assert {one.spoke for one in plan.adoptions} == {"default/ben"}
    assert len(found["ambiguous"].others) == 2
    assert found["adopted"].item not in found["ambiguous"].others
    await scene.settle()
    assert not (await scene.worker.plan(scene.hub, list(scene.spokes.values()))).adoptions
    await scene.lose_store()
    scene.connect("ben", TWO_WAY, adopt=Adopt.NEVER)
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    of_ben = [one.outcome for one in plan.adoptions if one.spoke == "default/ben"]
    assert of_ben == ["new"] * 3
