"""What comes back: items that had gone, users who add a person anew, spokes under another name."""

from __future__ import annotations

from typing import Any

from cirahub_sync.configuration import DeletionLimits, Direction, SpokeConfig

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY


def _renamed(scene: Scene, name: str, **settings: Any) -> SpokeConfig:
    """The same spoke, as if its resource had been deleted and made again."""
    old = scene.spokes[name]
    scene.connect(name, settings.pop("direction", old.direction), **settings)
    made = {
        field: getattr(scene.spokes[name], field) for field in SpokeConfig.__struct_fields__
    } | {"uid": f"{old.uid}-again", "name": f"{old.name}-again"}
    scene.spokes[name] = SpokeConfig(**made)
    return old


async def test_a_person_that_a_user_deletes_and_adds_again_is_no_second_person(
    scene: Scene,
) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.remove("ada", ann)
    await scene.settle()
    scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    for name in ("ada", "ben", "cy"):
        assert scene.names(name) == ["Ann"]
        assert scene.the(name, "Ann")["jobTitle"] == "Baker"


async def test_an_address_book_that_is_imported_again_deletes_and_duplicates_nothing(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    people = [scene.add("ada", displayName=f"P{n}", email=f"p{n}@example.org") for n in range(5)]
    await scene.settle()
    copies = {contact["displayName"]: contact["id"] for contact in scene.held("ben")}
    for person in people:
        scene.remove("ada", person)
    await scene.sync()
    for n in range(5):
        scene.add("ada", displayName=f"P{n}", email=f"p{n}@example.org", jobTitle="Baker")
    await scene.settle()
    scene.advance(7200)
    report = await scene.settle()
    assert {c["displayName"]: c["id"] for c in scene.held("ben")} == copies
    assert {c["jobTitle"] for c in scene.held("ben")} == {"Baker"}
    assert report.pending == 0


async def test_an_item_and_its_removal_in_one_round_leave_nothing_behind(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    ids = [scene.add("ada", displayName=f"P{n:03}", email=f"p{n}@x.example") for n in range(600)]
    rule = scene.admin.add_rule("status", path="delta", status=403, skip=1)
    await scene.sync()
    scene.remove("ada", ids[0])
    scene.admin.remove_rule(rule)
    await scene.settle()
    scene.advance(7200)
    await scene.settle()
    assert len(scene.held("ben")) == 600
    assert "P000" not in scene.names("ben")


async def test_a_receiving_spoke_that_is_made_again_takes_its_copies_over(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ada", displayName="Nobody")
    await scene.settle()
    copies = {contact["id"] for contact in scene.held("ben")}
    old = _renamed(scene, "ben")
    await scene.worker.retain_spoke(scene.hub, old)
    await scene.settle()
    assert {contact["id"] for contact in scene.held("ben")} == copies


async def test_a_two_way_spoke_that_is_made_again_duplicates_nothing(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann")
    scene.add("ben", displayName="Bob")
    scene.connect("cy", RECEIVE)
    await scene.settle()
    old = _renamed(scene, "ben")
    await scene.worker.retain_spoke(scene.hub, old)
    await scene.settle()
    for name in ("ben", "cy"):
        assert scene.names(name) == ["Ann", "Bob"]
    (bob,) = [c for c in scene.held("ben") if c["displayName"] == "Bob"]
    scene.remove("ben", bob["id"])
    await scene.settle()
    scene.advance(3601)
    await scene.settle()
    assert scene.names("cy") == ["Ann"], "the retained contribution was taken over"


async def test_a_copy_moved_into_the_folder_of_another_spoke_makes_no_second_person(
    scene: Scene,
) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=50, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", TWO_WAY, folder="One")
    other = scene.connect("ben", TWO_WAY, folder="Two")
    scene.spokes["ben-two"] = SpokeConfig(
        uid="spoke-ben-two",
        name="default/ben-two",
        connection=other.connection,
        target=other.target,
        direction=Direction.CONTRIBUTE,
    )
    scene.connect("ben", TWO_WAY, folder="One")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Nameless")
    scene.admin.import_contacts(scene.mailbox("ben"), [{"displayName": "Zed"}], ["Two"])
    await scene.settle()
    copy = scene.the("ben", "Nameless", "One")["id"]
    scene.admin.move_contact(scene.mailbox("ben"), copy, ["Two"])
    await scene.settle()
    assert scene.names("cy") == ["Nameless", "Zed"]


async def test_a_spoke_that_received_for_a_while_does_not_take_what_it_received_for_its_own(
    scene: Scene,
) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    ann = scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker")
    await scene.settle()
    scene.connect("ben", RECEIVE)
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Brewer", department="Beer")
    await scene.settle()
    scene.connect("ben", TWO_WAY)
    await scene.settle()
    scene.edit("ada", ann, jobTitle="Butcher", department="")
    report = await scene.settle()
    assert report.conflicts == 0
    copy = scene.the("ben", "Ann")
    assert copy["jobTitle"] == "Butcher"
    assert not copy["department"]


async def test_a_spoke_that_only_receives_from_now_on_contributes_nothing_any_more(
    scene: Scene,
) -> None:
    for direction in (Direction.CONTRIBUTE, TWO_WAY):
        name = f"user-{direction.value.lower()}"
        scene.connect(name, direction)
        scene.connect("cy", RECEIVE)
        scene.add(name, displayName="Ann", email="ann@example.org")
        await scene.settle()
        assert "Ann" in scene.names("cy")
        scene.connect(name, RECEIVE)
        await scene.settle()
        scene.advance(3601)
        await scene.settle()
        assert scene.names("cy") == []
        assert scene.names(name) == ["Ann"], "the user's own item stays"
        del scene.spokes[name]
