"""Leaving: what a spoke contributed goes everywhere, and what others contributed stays."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Direction

from .conftest import Scene

pytestmark = pytest.mark.every_database


async def test_an_erased_contributor_is_gone_from_the_receivers_and_the_hub(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="ann@example.org", department="Bread")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert scene.names("cy") == ["Ann", "Bob"]
    report = await scene.erase("ben")
    assert report.complete
    assert (report.items_erased, report.items_changed, report.copies_deleted) == (1, 1, 1)
    assert scene.names("cy") == ["Ann"]
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    assert scene.the("cy", "Ann")["department"] is None
    assert scene.binned("cy") == 0, "gone for good"
    assert scene.names("ben") == ["Ann", "Bob"], "what is the leaver's own stays where it is"


async def test_an_erased_receiver_loses_our_copies_and_keeps_its_own(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]
    report = await scene.erase("ben")
    assert report.complete
    assert scene.names("ada") == ["Ann"]
    assert scene.names("ben") == ["Bob"]
    assert scene.binned("ben") == 0, "copies go for good"


async def test_an_edit_that_the_leaver_made_to_somebody_s_contact_is_undone(scene: Scene) -> None:
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Brewer")
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Brewer"
    await scene.erase("ben")
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker"


async def test_an_erasure_that_cannot_reach_a_receiver_says_so_and_is_taken_up_again(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    rule = scene.admin.add_rule("status", service="graph", status=403, batched=False)
    report = await scene.erase("ada")
    assert not report.complete
    assert report.copies_remaining == 1
    scene.admin.remove_rule(rule)
    report = await scene.worker.erase("spoke-ada", spokes=list(scene.spokes.values()))
    assert report.complete
    assert scene.held("ben") == []


async def test_erasing_a_spoke_that_never_synced_is_nothing(scene: Scene) -> None:
    scene.connect("ada")
    report = await scene.erase("ada")
    assert report.complete
    assert report.copies_deleted == 0


async def test_a_retained_spoke_leaves_everything_where_it_is(scene: Scene) -> None:
    leaver = scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    del scene.spokes["ada"]
    await scene.worker.retain_spoke(scene.hub, leaver)
    scene.advance(7200)
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.spokes["ada"] = type(leaver)(
        uid="spoke-ada-again",
        name=leaver.name,
        connection=leaver.connection,
        target=leaver.target,
    )
    await scene.settle()
    assert scene.names("ben") == ["Ann"], "the same contact of the same folder is the same item"


async def test_what_a_retained_spoke_contributed_stays_although_others_edit_it(
    scene: Scene,
) -> None:
    leaver = scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    ann = scene.add("ben", displayName="Ann", email="ann@example.org")
    await scene.settle()
    del scene.spokes["ada"]
    await scene.worker.retain_spoke(scene.hub, leaver)
    scene.edit("ben", ann, department="Bread")
    await scene.settle()
    found = scene.the("cy", "Ann")
    assert (found["jobTitle"], found["department"]) == ("Baker", "Bread")


async def test_an_erased_hub_leaves_no_copy_and_no_row(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert await scene.worker.leave_hub(scene.hub, erase_at=scene.clock())
    report = await scene.worker.erase(scene.hub.uid)
    assert report.complete
    assert report.copies_deleted == 1
    assert scene.names("ada") == ["Ann"]
    assert scene.names("ben") == ["Bob"]
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert sorted(action.action for action in plan.actions) == ["create"]
