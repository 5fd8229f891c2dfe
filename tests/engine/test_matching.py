"""Identity: link, stamp, then matchOn at first sight; ambiguous stays apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from cirahub_sync.configuration import ConflictPolicy, DeletionLimits, Direction

from .conftest import STAMP, Scene

CUSTOM = "String {00020329-0000-0000-C000-000000000046} Name CustomId"


async def test_the_same_person_in_two_mailboxes_is_one_item(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ANN@Example.org", jobTitle="Baker")
    scene.add("ben", displayName="Ann", email="ann@example.ORG", mobilePhone="+1 425 555 0100")
    report = await scene.settle()
    assert report.items == 1
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["mobilePhone"]) == ("Baker", "+1 425 555 0100")


async def test_people_without_a_common_key_stay_apart(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", displayName="Ann Smith", email="ann@example.org")
    scene.add("ben", displayName="Ann Smith", email="smith@example.org")
    assert (await scene.settle()).items == 2
    assert len(scene.held("cy")) == 2


async def test_an_ambiguous_match_stays_apart(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.add("ada", displayName="Office A", email="desk@example.org")
    scene.add("ada", displayName="Office B", email="desk@example.org")
    await scene.settle()
    scene.add("ben", displayName="Office C", email="desk@example.org")
    report = await scene.sync()
    assert (report.items, report.ambiguous, report.spokes["spoke-ben"].counts.ambiguous) == (
        3,
        1,
        1,
    )
    assert (await scene.settle()).items == 3


async def test_people_who_have_an_address_of_their_office_in_common_stay_apart(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    office = {"address": "Info@example.org", "name": "Office"}

    def person(name: str) -> dict[str, object]:
        own = {"address": f"{name.lower()}@example.org", "name": name}
        return {"displayName": name, "emailAddresses": [own, office]}

    scene.add("ada", **person("Ann"))
    scene.add("ada", displayName="Example Ltd", emailAddresses=[office])
    scene.add("ben", **person("Bob"))
    scene.add("ben", displayName="Example", emailAddresses=[office])
    report = await scene.settle()
    assert (report.items, report.ambiguous) == (3, 0)
    assert len(scene.held("cy")) == 3, "Ann, Bob, and the office that both know"


async def test_two_contacts_of_one_mailbox_are_never_merged(scene: Scene) -> None:
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben", Direction.TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ada", displayName="Ann twice", email="ann@example.org")
    scene.add("ben", displayName="Ann of Ben", email="ann@example.org")
    await scene.settle()
    await scene.settle()
    assert len(scene.held("ada")) >= 2
    before = (len(scene.held("ada")), len(scene.held("ben")))
    await scene.settle()
    assert (len(scene.held("ada")), len(scene.held("ben"))) == before


@pytest.mark.parametrize("direction", [Direction.CONTRIBUTE, Direction.TWO_WAY])
@pytest.mark.parametrize("grace", [0.0, 86_400.0])
async def test_a_mailbox_that_was_moved_has_the_same_people_by_other_ids(
    scene: Scene, grace: float, direction: Direction
) -> None:
    """Also more of them than may be deleted, and nobody's copy is made anew."""
    scene.configure(deletion=DeletionLimits(grace_period=grace, max_count=1, max_percent=100))
    scene.connect("ada", direction)
    scene.connect("ben", Direction.RECEIVE)
    scene.connect("cy", Direction.TWO_WAY)
    people = [scene.add("ada", **_person(number)) for number in range(5)]
    stays = scene.add("ada", displayName="Stays", email="stays@example.org")
    scene.add("cy", **_person(0))
    await scene.settle()
    scene.edit("cy", scene.the("cy", "Person 1")["id"], jobTitle="Baker")
    await scene.settle()
    before = {name: {one["id"] for one in scene.held(name)} for name in ("ben", "cy")}
    for person in people:
        scene.remove("ada", person)
    for number in range(5):
        scene.add("ada", **_person(number))
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    report = await scene.sync(3)
    assert (report.items, report.guarded, report.ambiguous) == (6, 0, 0)
    assert {name: {one["id"] for one in scene.held(name)} for name in before} == before
    assert scene.the("ben", "Person 1")["jobTitle"] == "Baker"
    assert len(scene.held("ada")) == 6

    # What was not brought along is gone, as ever.
    scene.remove("ada", stays)
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    scene.advance(2 * 86_400)
    await scene.sync(2)
    scene.advance(2 * 86_400)
    await scene.sync(2)
    assert "Stays" not in scene.names("ben")


@pytest.mark.parametrize("order", ["oldest-first", "newest-first"])
async def test_a_second_contact_that_a_round_shows_first_is_a_duplicate_all_the_same(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    order: Literal["oldest-first", "newest-first"],
) -> None:
    """What the round is still to show is not gone."""
    world = scene.simulator.world
    monkeypatch.setattr(world, "switches", replace(world.switches, delta_order=order))
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **_person(1))
    await scene.settle()
    (copy,) = scene.held("ben")
    scene.add("ada", **_person(1), jobTitle="Baker")
    scene.admin.expire_delta_tokens(scene.mailbox("ada"))
    report = await scene.settle()
    assert report.items == 2
    assert copy["id"] in {one["id"] for one in scene.held("ben")}
    assert {one["jobTitle"] for one in scene.held("ben")} == {None, "Baker"}
    first = next(one for one in scene.held("ben") if one["id"] == copy["id"])
    assert first["jobTitle"] is None


def _person(number: int) -> dict[str, str]:
    return {"displayName": f"Person {number}", "email": f"person{number}@example.org"}


async def test_keys_are_tried_in_order(scene: Scene) -> None:
    scene.configure(match_on=("custom:CustomId", "email"))
    scene.connect("ada")
    scene.connect("ben")
    scene.add(
        "ada",
        displayName="Ann",
        email="shared@example.org",
        singleValueExtendedProperties=[{"id": CUSTOM, "value": "1"}],
    )
    scene.add(
        "ada",
        displayName="Bob",
        email="bob@example.org",
        singleValueExtendedProperties=[{"id": CUSTOM, "value": "2"}],
    )
    await scene.settle()
    scene.add(
        "ben",
        displayName="Robert",
        email="shared@example.org",
        singleValueExtendedProperties=[{"id": CUSTOM, "value": "2"}],
    )
    report = await scene.sync()
    assert report.items == 2
    assert report.conflicts == 1, "Bob is called Robert, not Ann"


async def test_the_key_is_no_identity_afterwards(scene: Scene) -> None:
    """Links are sticky: a changed address neither splits nor merges."""
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await scene.settle()
    copy = scene.the("ben", "Ann")["id"]
    scene.edit("ada", ann, email="bob@example.org")
    report = await scene.settle()
    assert report.items == 2
    assert scene.the("ben", "Ann")["id"] == copy


async def test_copies_carry_our_stamp_and_sources_do_not(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()

    def stamps(name: str) -> list[str]:
        return [
            str(prop["value"])
            for contact in scene.held(name)
            for prop in contact.get("singleValueExtendedProperties", ())
            if str(prop["id"]).lower().endswith(STAMP.lower())
        ]

    assert stamps("ada") == []
    (stamp,) = stamps("ben")
    assert stamp.startswith("test-installation/hub-1/")


async def test_a_copy_of_a_copy_that_a_user_makes_is_the_user_s_own(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.admin.copy_contact(scene.mailbox("ben"), scene.the("ben", "Ann")["id"])
    scene.advance(2 * 86_400)
    await scene.settle()
    assert len(scene.held("ben")) == 2
    scene.edit("ada", ann, jobTitle="Brewer")
    scene.advance(2 * 86_400)
    await scene.settle()
    assert sorted(c["jobTitle"] for c in scene.held("ben")) == ["Baker", "Brewer"]
    scene.remove("ada", ann)
    await scene.settle()
    scene.advance(7200)
    await scene.settle()
    assert [c["jobTitle"] for c in scene.held("ben")] == ["Baker"]


async def test_another_installation_s_copies_stall_the_spoke(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.installation = "somebody-else"
    await scene.lose_store()
    scene.forget()
    report = await scene.sync()
    problem = report.spokes["spoke-ben"].problem
    assert problem is not None
    assert (problem.reason, problem.stalled) == ("ManagedElsewhere", True)
    assert scene.writes() == []
    assert len(scene.held("ben")) == 1


async def test_a_folder_belongs_to_one_spoke(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, folder="Team")
    await scene.settle()
    second = scene.connect("ben", Direction.RECEIVE, folder="Team")
    scene.spokes["intruder"] = type(second)(
        uid="spoke-intruder",
        name="default/intruder",
        connection=scene.connection,
        target=second.target,
        direction=Direction.RECEIVE,
    )
    scene.add("ada", displayName="Ann", email="ann@example.org")
    report = await scene.sync()
    problem = report.spokes["spoke-intruder"].problem
    assert problem is not None
    assert (problem.reason, problem.stalled) == ("TargetInUse", True)
    assert scene.names("ben", "Team") == ["Ann"]


async def test_the_hub_policy_keeps_what_was_there_first(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.HUB)
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.add("ben", displayName="Ann", email="ann@example.org", jobTitle="Brewer")
    report = await scene.sync()
    assert report.conflicts == 1
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"


async def test_an_own_contact_that_adds_nothing_to_its_item_gets_what_the_item_has(
    scene: Scene,
) -> None:
    """Its user had deleted the copy, and puts the person in by themselves."""
    scene.connect("ann")
    scene.connect("bob", Direction.TWO_WAY)
    scene.add("ann", displayName="Ada", email="ada@x.example", jobTitle="Baker")
    await scene.settle()
    scene.remove("bob", scene.the("bob", "Ada")["id"])
    await scene.settle()
    assert scene.names("bob") == []
    scene.add("bob", displayName="Ada", email="ada@x.example")
    report = await scene.settle()
    assert scene.the("bob", "Ada")["jobTitle"] == "Baker"
    assert report.written == report.pending == 0
