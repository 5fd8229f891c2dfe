"""Users who change copies between our looks at them."""

from __future__ import annotations

from tests.engine.conftest import Scene

from cirahub_sync.configuration import DeletionLimits, Direction


async def test_an_update_of_a_copy_that_its_user_changed_meanwhile_arrives_with_the_next_pass(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.sync()
    scene.advance(1.0)
    report = await scene.sync()
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert report.pending == 0


async def test_a_deletion_of_a_copy_that_its_user_changed_meanwhile_is_not_put_off_for_a_day(
    scene: Scene,
) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    scene.remove("ada", ann)
    await scene.sync()
    scene.advance(61.0)
    report = await scene.sync()
    assert scene.held("ben") == []
    assert report.pending == 0
