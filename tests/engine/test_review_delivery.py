"""Delivery: what waits does not turn in circles, and no way leads around the grace period."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Condition, Direction, Filter, Flow, Operator

from .conftest import Scene

RECEIVE = Direction.RECEIVE
BAKERS = Flow(filter=Filter(all=(Condition("jobTitle", Operator.IN, ("Baker",)),)))


@pytest.mark.timeout(60)
async def test_a_receiver_that_cannot_be_verified_waits_for_the_next_pass(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    await scene.restart()
    scene.add("ada", displayName="Bob", email="bob@example.org")
    ben = scene.simulator.world.directory.find_user(scene.mailbox("ben"))
    assert ben is not None
    rule = scene.admin.add_rule("status", path=f"{ben.id}/.*delta", status=403)
    report = await scene.sync()
    problem = report.spokes["spoke-ben"].problem
    assert problem is not None
    assert problem.reason == "AccessDenied"
    scene.admin.remove_rule(rule)
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]


@pytest.mark.timeout(60)
async def test_what_is_pending_waits_too_while_a_receiver_cannot_be_verified(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.add("ada", displayName="Bob", email="bob@example.org")
    scene.admin.add_rule("status", method="POST", path="/contacts$", status=500, count=1)
    report = await scene.sync()
    assert report.pending == 1
    await scene.restart()
    scene.advance(60)
    rule = scene.admin.add_rule("status", path="delta", status=403)
    await scene.sync()
    scene.admin.remove_rule(rule)
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_an_update_that_failed_does_not_shorten_the_grace_of_a_deletion(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=BAKERS)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    rule = scene.admin.add_rule("status", method="PATCH", batched=True, status=400)
    scene.edit("ada", ann, department="Bread")
    report = await scene.sync()
    assert report.pending == 1
    scene.admin.remove_rule(rule)
    scene.advance(86_000)
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    scene.advance(600)
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.advance(3600)
    await scene.settle()
    assert scene.names("ben") == []


async def test_a_copy_keeps_what_its_user_put_into_fields_that_do_not_pass(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=Flow(exclude=("notes", "categories")))
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", personalNotes="hers")
    await scene.settle()
    copy = scene.the("ben", "Ann")["id"]
    scene.edit("ben", copy, personalNotes="his own", categories=["Friends"])
    scene.edit("ada", ann, jobTitle="Baker")
    await scene.settle()
    held = scene.the("ben", "Ann")
    assert held["jobTitle"] == "Baker"
    assert held["personalNotes"] == "his own"
    assert held["categories"] == ["Friends"]


async def test_a_copy_of_which_nothing_is_left_to_show_keeps_no_old_values(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=Flow(include=("jobTitle", "department")))
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    assert [copy["jobTitle"] for copy in scene.held("ben")] == ["Baker"]
    scene.edit("ada", ann, jobTitle="")
    await scene.settle()
    assert [copy["jobTitle"] for copy in scene.held("ben") if copy["jobTitle"]] == []


async def test_a_copy_that_its_user_moved_to_a_folder_of_their_own_is_not_deleted_there(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, folder="Team")
    scene.connect("cy", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    copy = scene.the("ben", "Ann", "Team")["id"]
    scene.admin.move_contact(scene.mailbox("ben"), copy, [])
    scene.remove("ada", ann)
    scene.advance(60)
    await scene.settle()
    scene.advance(3601)
    await scene.settle()
    assert scene.names("cy") == []
    assert scene.names("ben") == ["Ann"]


async def test_a_deletion_whose_answer_was_lost_does_not_wait_for_another_grace_period(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, receives=BAKERS)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    scene.admin.add_rule("status", method="DELETE", status=504, count=1)
    scene.advance(3601)
    await scene.sync()
    assert scene.names("ben") == ["Ann"]
    scene.advance(60)
    report = await scene.sync(2)
    assert scene.names("ben") == []
    assert report.pending == 0


async def test_an_update_whose_answer_was_lost_is_not_the_edit_of_whoever_edits_next(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer")
    ben = scene.simulator.world.directory.find_user(scene.mailbox("ben"))
    assert ben is not None
    scene.admin.add_rule("status", method="PATCH", moment="after", status=504, count=1)
    scene.admin.add_rule("status", method="GET", path=f"{ben.id}/contacts/", status=403)
    await scene.sync()
    scene.admin.clear_rules()
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="")
    report = await scene.settle()
    assert report.conflicts == 0
    copy = scene.the("ben", "Ann")
    assert copy["department"] == "Bread"
    assert not copy["jobTitle"]
