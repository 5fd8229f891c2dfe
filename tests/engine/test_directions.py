"""What flows where: contribute, receive, two-way (invariants 2, 7 and 8)."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import (
    Condition,
    Direction,
    Filter,
    Flow,
    MappingRule,
    OnUserDelete,
    Operator,
)

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY


async def test_a_contact_arrives_in_a_receiving_mailbox_with_its_values(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, folder="Team")
    scene.add(
        "ada",
        displayName="Zoë Ångström",
        email="zoe@example.org",
        mobilePhone="+44 20 1",
        businessPhones=["(425) 555-0101"],
        birthday="1958-10-13T00:00:00Z",
        businessAddress={"street": "1 Main St\nSuite 2", "city": "Everett"},
        categories=["Partner"],
        personalNotes="line one\nline two",
    )
    await scene.settle()
    source = scene.the("ada", "Zoë Ångström")
    copy = scene.the("ben", "Zoë Ångström", "Team")
    own = {
        "id",
        "@odata.etag",
        "changeKey",
        "immutableId",
        "createdDateTime",
        "lastModifiedDateTime",
    }
    own |= {"parentFolderId", "@odata.context", "singleValueExtendedProperties"}
    assert {k: v for k, v in copy.items() if k not in own} == {
        k: v for k, v in source.items() if k not in own
    }


async def test_a_spoke_receives_nothing_unless_it_was_switched_on(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert scene.names("ada") == ["Ann"]
    assert scene.names("ben") == ["Bob"]
    assert scene.writes() == [entry for entry in scene.writes() if entry["client_id"] is None], (
        "a default spoke was written to"
    )


async def test_an_edit_travels_from_a_contributor_to_every_receiver(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.connect("cy", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert scene.the("cy", "Ann")["jobTitle"] == "Brewer"


async def test_two_way_spokes_exchange_what_they_have(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert scene.names("ada") == ["Ann", "Bob"]
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_an_edit_of_a_copy_in_a_two_way_spoke_comes_back_to_the_source(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], mobilePhone="+1 425 555 0100")
    await scene.settle()
    assert scene.the("ada", "Ann")["mobilePhone"] == "+1 425 555 0100"
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker"


async def test_edits_of_different_fields_on_both_sides_both_survive(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Baker")
    scene.edit("ben", scene.the("ben", "Ann")["id"], department="Bread")
    report = await scene.sync()
    assert report.conflicts == 0
    await scene.settle()
    for name in ("ada", "ben"):
        contact = scene.the(name, "Ann")
        assert (contact["jobTitle"], contact["department"]) == ("Baker", "Bread")


async def test_edits_of_one_field_on_both_sides_are_a_conflict_and_converge(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer")
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Butcher")
    report = await scene.sync()
    assert report.conflicts == 1
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == scene.the("ben", "Ann")["jobTitle"]


async def test_a_copy_edited_in_a_receive_only_spoke_changes_nothing_elsewhere(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Thief")
    scene.advance(2 * 86_400)
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker"
    assert scene.the("ben", "Ann")["jobTitle"] == "Thief", "remembered until the item changes"


async def test_an_edited_copy_is_put_right_where_the_spoke_restores(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, on_user_delete=OnUserDelete.RESTORE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Thief")
    scene.remove("ben", scene.the("ben", "Bob")["id"])
    scene.advance(2 * 86_400)
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Baker"
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_a_copy_that_its_user_deleted_is_not_written_back(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.connect("cy", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    scene.remove("cy", scene.the("cy", "Ann")["id"])
    scene.advance(2 * 86_400)
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Baker")
    await scene.settle()
    assert scene.names("ada") == ["Ann"]
    assert scene.names("ben") == []
    assert scene.names("cy") == []


async def test_a_filter_decides_what_is_contributed_and_what_is_received(scene: Scene) -> None:
    partners = Filter(all=(Condition("category", Operator.IN, ("partner",)),))
    bakers = Filter(all=(Condition("jobTitle", Operator.IN, ("Baker",)),))
    scene.connect("ada", contributes=Flow(filter=partners))
    scene.connect("ben", RECEIVE, receives=Flow(filter=bakers))
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", categories=["Partner"], jobTitle="Baker")
    scene.add("ada", displayName="Bob", categories=["Partner"], jobTitle="Brewer")
    private = scene.add("ada", displayName="Mum", jobTitle="Baker")
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    assert scene.names("cy") == ["Ann", "Bob"]
    scene.edit("ada", private, categories=["Partner"])
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Mum"]


async def test_an_item_that_leaves_the_filter_leaves_the_receivers_after_the_grace_period(
    scene: Scene,
) -> None:
    partners = Filter(all=(Condition("category", Operator.IN, ("Partner",)),))
    scene.connect("ada", contributes=Flow(filter=partners))
    scene.connect("ben", RECEIVE)
    ann = scene.add("ada", displayName="Ann", categories=["Partner"])
    await scene.settle()
    scene.edit("ada", ann, categories=[])
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.advance(3601)
    await scene.settle()
    assert scene.names("ben") == []


async def test_a_changed_filter_is_applied_to_what_is_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", jobTitle="Baker")
    scene.add("ada", displayName="Bob", jobTitle="Brewer")
    await scene.settle()
    bakers = Filter(all=(Condition("jobTitle", Operator.IN, ("Baker",)),))
    scene.connect("ada", contributes=Flow(filter=bakers))
    await scene.settle()
    scene.advance(3601)
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.connect("ada")
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_a_mapping_changes_copies_and_is_undone_on_the_way_back(scene: Scene) -> None:
    mapped = Flow(
        mapping=(
            MappingRule(field="displayName", suffix=" (Contoso)"),
            MappingRule(add_category="From the hub"),
        ),
        exclude=("notes",),
    )
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY, receives=mapped)
    scene.add("ada", displayName="Ann", email="ann@example.org", personalNotes="secret")
    await scene.settle()
    copy = scene.the("ben", "Ann (Contoso)")
    assert copy["categories"] == ["From the hub"]
    assert copy["personalNotes"] in ("", None)
    scene.edit("ben", copy["id"], displayName="Anna (Contoso)", personalNotes="mine")
    await scene.settle()
    source = scene.the("ada", "Anna")
    assert source["categories"] == []
    assert source["personalNotes"] == "secret"
    assert scene.the("ben", "Anna (Contoso)")["personalNotes"] == "mine"


async def test_a_fourth_address_that_a_mailbox_cannot_show_is_not_lost_through_it(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", emails=[f"{i}@example.org" for i in range(3)])
    scene.add("ben", displayName="Ann", emails=["0@example.org", "b@example.org"])
    await scene.settle()
    shown = {e["address"] for e in scene.the("ada", "Ann")["emailAddresses"]}
    assert shown == {"0@example.org", "1@example.org", "2@example.org"}
    scene.edit("ada", scene.the("ada", "Ann")["id"], emails=["0@example.org", "1@example.org"])
    await scene.settle()
    for name in ("ada", "ben"):
        shown = {e["address"] for e in scene.the(name, "Ann")["emailAddresses"]}
        assert shown == {"0@example.org", "1@example.org", "b@example.org"}


async def test_switching_two_way_off_stops_writing_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.connect("ben")
    scene.edit("ada", ann, jobTitle="Brewer")
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Baker"
    scene.connect("ben", TWO_WAY)
    await scene.settle()
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
    assert len(scene.held("ada")) == len(scene.held("ben")) == 1


async def test_nothing_waits_for_a_spoke_that_receives_no_more(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.connect("ben")
    await scene.lose_store()
    report = await scene.settle()
    assert report.pending == 0
    scene.connect("ben", TWO_WAY)
    scene.edit("ada", scene.the("ada", "Ann")["id"], jobTitle="Brewer")
    await scene.settle()
    assert [scene.the(name, "Ann")["jobTitle"] for name in ("ada", "ben")] == ["Brewer"] * 2


async def test_a_receiving_spoke_that_becomes_two_way_keeps_its_copies(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.connect("ben", TWO_WAY)
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Baker")
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker"
    assert len(scene.held("ada")) == len(scene.held("ben")) == 1


@pytest.mark.parametrize("looked_at_before", [False, True])
async def test_an_edit_of_a_copy_counts_once_its_spoke_is_two_way(
    scene: Scene, *, looked_at_before: bool
) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Brewer")
    if looked_at_before:
        scene.advance(2 * 86_400)
    await scene.settle()

    scene.connect("ben", TWO_WAY)
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Brewer"
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer"
