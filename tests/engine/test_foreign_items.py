"""Items that we did not create are never modified or deleted unless their spoke is TwoWay and they
are linked, and never by a Receive spoke (invariant 6)."""

from __future__ import annotations

from typing import Any

from cirahub_sync.configuration import (
    Condition,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    OnUserDelete,
    Operator,
)

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
PARTNERS = Flow(filter=Filter(all=(Condition("category", Operator.IN, ("Partner",)),)))


def _bin(scene: Scene, name: str, contact: str) -> None:
    scene.remove(name, contact)


async def _until_deleted(scene: Scene) -> None:
    await scene.settle()
    scene.advance(3601)
    await scene.settle()


async def test_a_receiving_folder_keeps_its_users_own_items_as_they_are(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    own = scene.add("ben", displayName="Ann", email="ann@example.org", jobTitle="Sister")
    other = scene.add("ben", displayName="Mum", email="mum@example.org")
    before = {contact["id"]: contact for contact in scene.held("ben")}
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer")
    scene.advance(2 * 86_400)
    await scene.settle()
    scene.remove("ada", ann)
    await _until_deleted(scene)
    after = {contact["id"]: contact for contact in scene.held("ben")}
    assert after == {own: before[own], other: before[other]}


async def test_a_default_spoke_is_never_written_to(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    before = scene.held("ada")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Brewer")
    await scene.settle()
    assert scene.held("ada") == before


async def test_an_own_item_is_not_written_to_once_its_spoke_only_receives(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    own = scene.add("ben", displayName="Ann", email="ann@example.org", personalNotes="his own")
    await scene.settle()
    scene.connect("ben", RECEIVE)
    await scene.settle()
    before = scene.the("ben", "Ann")
    assert before["id"] == own
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    assert scene.the("ben", "Ann") == before
    scene.remove("ada", ann)
    await _until_deleted(scene)
    assert scene.held("ben") == [before]


async def test_an_own_item_that_left_the_filter_is_not_written_to(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY, contributes=PARTNERS)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", categories=["Partner"])
    own = scene.add("ben", displayName="Ann", email="ann@example.org", categories=["Partner"])
    await scene.settle()
    scene.edit("ben", own, categories=[], personalNotes="private now")
    await scene.settle()
    before = scene.held("ben")
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    assert [contact for contact in scene.held("ben") if contact["id"] == own] == before


async def _back_from_the_bin(scene: Scene) -> None:
    """Ada's own item goes and comes back, and then the one that it matches is deleted."""
    scene.connect("ada", TWO_WAY, folder="Team")
    scene.connect("ben", TWO_WAY)
    scene.admin.import_contacts(
        scene.mailbox("ada"),
        [{"displayName": "Ann", "emailAddresses": [{"address": "ann@example.org"}]}],
        ["Team"],
    )
    other = scene.add("ben", displayName="Ann", email="ann@example.org")
    await scene.settle()
    own = scene.the("ada", "Ann", "Team")["id"]
    own = scene.admin.move_contact(scene.mailbox("ada"), own, [])["id"]
    await scene.settle()
    scene.admin.move_contact(scene.mailbox("ada"), own, ["Team"])
    await scene.settle()
    scene.remove("ben", other)
    await _until_deleted(scene)


async def test_an_own_item_that_comes_back_from_the_bin_is_still_its_users_own(
    scene: Scene,
) -> None:
    await _back_from_the_bin(scene)
    assert scene.names("ada", "Team") == ["Ann"], "the user's own item was deleted"


async def test_an_own_item_that_comes_back_contributes_again(scene: Scene) -> None:
    scene.connect("cy", RECEIVE)
    await _back_from_the_bin(scene)
    assert scene.names("cy") == ["Ann"]
    assert len(scene.held("ada", "Team")) == 1


async def test_a_copy_that_a_user_made_of_our_copy_stays_when_ours_goes(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()
    made = scene.admin.copy_contact(scene.mailbox("ben"), scene.the("ben", "Ann")["id"])["id"]
    scene.advance(2 * 86_400)
    await scene.settle()
    scene.remove("ada", ann)
    await _until_deleted(scene)
    assert [c["id"] for c in scene.held("ben") if c["displayName"] == "Ann"] == [made]
    scene.admin.expire_delta_tokens(scene.mailbox("ben"))
    scene.advance(2 * 86_400)
    await scene.settle()
    await _until_deleted(scene)
    assert [c["id"] for c in scene.held("ben") if c["displayName"] == "Ann"] == [made]


async def test_a_copy_of_our_copy_in_a_two_way_spoke_is_its_users_own(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=50, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    made = scene.admin.copy_contact(scene.mailbox("ben"), scene.the("ben", "Ann")["id"])["id"]
    await scene.settle()
    scene.remove("ada", ann)
    await _until_deleted(scene)
    scene.admin.expire_delta_tokens(scene.mailbox("ben"))
    await scene.settle()
    await _until_deleted(scene)
    assert made in [contact["id"] for contact in scene.held("ben")]


async def test_erasing_a_spoke_leaves_its_users_own_items_alone(scene: Scene) -> None:
    for direction in (TWO_WAY, RECEIVE):
        name = f"user-{direction.value.lower()}"
        scene.connect("ada")
        scene.connect(name, direction, on_user_delete=OnUserDelete.RESTORE)
        scene.add("ada", displayName="Ann", email="ann@example.org")
        own = scene.add(name, displayName="Mum", email=f"mum-{name}@example.org")
        await scene.settle()
        made = scene.admin.copy_contact(scene.mailbox(name), scene.held(name)[-1]["id"])["id"]
        await scene.settle()
        report = await scene.erase(name)
        assert report.complete, report
        kept: list[Any] = [contact["id"] for contact in scene.held(name)]
        assert own in kept
        assert made in kept
        assert len(kept) == 2
