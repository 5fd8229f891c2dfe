"""`cirahub restore`: what users deleted is brought back, as a person's decision."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.configuration import DeletedBy, DeletionLimits, Direction
from cirahub_sync.errors import DecisionError

from .conftest import Scene
from .test_deletions import _fill
from .test_merging import item_of

GRACE = 3600.0


async def _deleted(scene: Scene, direction: Direction = Direction.CONTRIBUTE) -> str:
    """Ann, native in one mailbox and copied into another, was deleted; the item's id."""
    scene.connect("ada", direction)
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()
    scene.remove("ada", ann)
    await scene.settle()
    (one,) = await scene.worker.deletions()
    return one.item


async def test_what_is_about_to_be_deleted_is_listed_with_its_date_and_its_cause(
    scene: Scene,
) -> None:
    await _deleted(scene)
    (one,) = await scene.worker.deletions()
    assert (one.hub, one.deleted_in) == ("default/staff", ["default/ada"])
    (waiting,) = one.waiting
    assert (waiting.spoke, waiting.reason) == ("default/ben", "Grace")
    assert waiting.due_at == pytest.approx(one.deleted_at + GRACE)
    assert one.until == pytest.approx(one.deleted_at + 30 * 86_400.0, abs=60.0)
    assert b"Ann" not in msgspec.json.encode(one)


async def test_a_deletion_is_undone_within_its_grace(scene: Scene) -> None:
    item = await _deleted(scene)
    copy = scene.the("ben", "Ann")["id"]
    (restored,) = await scene.worker.restore("staff", items=[item])
    assert (restored.item, restored.spokes, restored.alive) == (item, ["default/ada"], False)
    scene.forget()
    await scene.settle()
    scene.advance(10 * GRACE)
    await scene.settle()
    assert scene.the("ben", "Ann")["id"] == copy
    assert scene.writes() == []
    assert scene.names("ada") == ["Bob"], "a mailbox that only contributes is not written to"
    assert await scene.worker.deletions() == []


async def test_what_was_deleted_everywhere_comes_back_as_it_was(scene: Scene) -> None:
    item = await _deleted(scene, Direction.TWO_WAY)
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("ben") == ["Bob"]
    await scene.restart()
    await scene.worker.restore("default/staff", items=[item])
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Baker"
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker", "also where its user had deleted it"
    await scene.settle()
    assert scene.names("ada") == ["Ann", "Bob"]


async def test_an_edit_of_what_was_brought_back_reaches_everybody(scene: Scene) -> None:
    item = await _deleted(scene, Direction.TWO_WAY)
    await scene.worker.restore("staff", items=[item])
    await scene.settle()
    scene.edit("ada", scene.the("ada", "Ann")["id"], jobTitle="Miller")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Miller"


async def test_what_is_brought_back_outlives_a_second_look_at_its_mailbox(scene: Scene) -> None:
    item = await _deleted(scene)
    await scene.worker.restore("staff", items=[item])
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    scene.advance(31 * 86_400.0)
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_who_has_it_again_contributes_again(scene: Scene) -> None:
    item = await _deleted(scene)
    await scene.worker.restore("staff", items=[item])
    await scene.settle()
    again = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Miller")
    await scene.settle()
    assert [c["jobTitle"] for c in scene.held("ben") if c["displayName"] == "Ann"] == ["Miller"]
    scene.remove("ada", again)
    await scene.settle()
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("ben") == ["Bob"]


async def test_bringing_back_can_be_taken_back(scene: Scene) -> None:
    item = await _deleted(scene)
    await scene.worker.restore("staff", items=[item])
    await scene.settle()
    assert await scene.worker.take_back("staff", [item]) == [item]
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]
    scene.advance(GRACE + 1)
    await scene.settle()
    assert scene.names("ben") == ["Bob"]


async def test_a_mailbox_s_deletions_since_a_moment_are_undone_together(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    people = _fill(scene, "ada", 6)
    await scene.settle()
    scene.remove("ada", people[0])
    await scene.settle()
    scene.advance(1000.0)
    moment = scene.clock()
    for person in people[1:3]:
        scene.remove("ada", person)
    await scene.settle()
    told = await scene.worker.restore("staff", spoke="ada", since=moment, dry=True)
    assert len(told) == 2
    scene.advance(GRACE)
    await scene.settle()
    assert scene.names("ben") == ["P03", "P04", "P05"]
    assert await scene.worker.restore("staff", spoke="ada", since=moment) == told
    await scene.settle()
    assert scene.names("ben") == ["P01", "P02", "P03", "P04", "P05"]


async def test_an_item_that_lives_gains_what_one_mailbox_had_contributed(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    mine = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="ann@example.org", department="Bread")
    await scene.settle()
    moment = scene.clock()
    scene.remove("ada", mine)
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] is None
    (told,) = await scene.worker.restore("staff", spoke="ada", since=moment)
    assert told.alive
    await scene.settle()
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread")


async def test_what_one_contributor_s_deletion_killed_lives_again(scene: Scene) -> None:
    scene.configure(
        deletion=DeletionLimits(
            grace_period=0.0,
            max_count=50,
            max_percent=100,
            allowed_by=DeletedBy.ANY_CONTRIBUTOR,
        )
    )
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    mine = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="ann@example.org", department="Bread")
    await scene.settle()
    scene.remove("ada", mine)
    await scene.settle()
    assert (scene.names("ben"), scene.names("cy")) == ([], [])
    (one,) = await scene.worker.deletions()
    await scene.worker.restore("staff", items=[one.item])
    await scene.settle()
    for name in ("ben", "cy"):
        copy = scene.the(name, "Ann")
        assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread")


async def test_what_was_deleted_is_kept_for_as_long_as_the_hub_says(scene: Scene) -> None:
    item = await _deleted(scene)
    scene.configure(
        deletion=DeletionLimits(
            grace_period=GRACE, max_count=50, max_percent=100, keep_for=2 * GRACE
        )
    )
    scene.advance(2 * GRACE - 60)
    await scene.settle()
    assert [one.item for one in await scene.worker.deletions()] == [item]
    scene.advance(120)
    await scene.settle()
    assert await scene.worker.deletions() == []
    with pytest.raises(DecisionError):
        await scene.worker.restore("staff", items=[item])


async def test_what_was_deleted_leaves_with_its_spoke(scene: Scene) -> None:
    item = await _deleted(scene)
    await scene.worker.restore("staff", items=[item])
    await scene.settle()
    await scene.erase("ada")
    await scene.settle()
    assert scene.names("ben") == []
    assert await scene.worker.deletions() == []


async def test_nothing_to_bring_back_is_said(scene: Scene) -> None:
    await _deleted(scene)
    with pytest.raises(DecisionError, match="item nobody"):
        await scene.worker.restore("staff", items=["nobody"])
    with pytest.raises(DecisionError, match="hub other"):
        await scene.worker.restore("other", items=["nobody"])
    with pytest.raises(DecisionError, match="spoke zoe"):
        await scene.worker.restore("staff", spoke="zoe", since=0.0)


async def test_what_was_brought_back_stays_part_of_the_item_that_it_is_merged_into(
    scene: Scene,
) -> None:
    item = await _deleted(scene)
    scene.connect("cy")
    scene.add("cy", displayName="Ann", email="berg@example.org", department="Bread")
    await scene.worker.restore("staff", items=[item])
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Ann", "Bob"]
    await scene.worker.merge("default/staff", item_of(scene, "cy"), item)
    await scene.settle()
    copy = scene.the("ben", "Ann")
    assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread")
