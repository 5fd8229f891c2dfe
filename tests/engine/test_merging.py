"""Merging and splitting items by command: what becomes of contacts, copies, edits, and ids."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from cirahub_sync.configuration import (
    Condition,
    ConflictPolicy,
    Direction,
    Filter,
    Flow,
    Operator,
)
from cirahub_sync.engine.report import PassReport
from cirahub_sync.errors import MergeError
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.tables import shadows

from .conftest import Scene

HUB = "default/staff"
RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
Ids = dict[str, str]


def rows(scene: Scene, query: str) -> list[tuple[Any, ...]]:
    return scene.keep.rows(query)


def natives(scene: Scene, name: str) -> list[str]:
    """The items of a spoke's own contacts."""
    own = select(shadows.c.item).where(
        shadows.c.spoke == f"spoke-{name}", shadows.c.native.is_(True)
    )
    return [str(item) for (item,) in scene.keep.rows(own)]


def item_of(scene: Scene, name: str) -> str:
    (item,) = natives(scene, name)
    return item


def items_of(scene: Scene) -> tuple[str, str]:
    return item_of(scene, "ada"), item_of(scene, "ben")


async def apart(scene: Scene, direction: Direction = Direction.CONTRIBUTE) -> Ids:
    """Ada and Ben have contacts of one person, without a key in common; Cy receives."""
    scene.connect("ada", direction)
    scene.connect("ben", direction)
    scene.connect("cy", RECEIVE)
    ids = {
        "ada": scene.add("ada", displayName="Ann", email="ann@example.org", jobTitle="Baker"),
        "ben": scene.add("ben", displayName="Ann", email="berg@example.org", department="Bread"),
    }
    report = await scene.settle()
    assert (report.items, len(scene.held("cy"))) == (2, 2)
    return ids


async def together(scene: Scene, direction: Direction = Direction.CONTRIBUTE) -> Ids:
    """Ada's and Ben's contacts matched, and are two people; Cy receives."""
    scene.connect("ada", direction)
    scene.connect("ben", direction)
    scene.connect("cy", RECEIVE)
    ids = {
        "ada": scene.add("ada", displayName="Ann", email="desk@example.org", jobTitle="Baker"),
        "ben": scene.add("ben", displayName="Ann", email="desk@example.org", department="Bread"),
    }
    report = await scene.settle()
    assert (report.items, len(scene.held("cy"))) == (1, 1)
    return ids


async def quiet(scene: Scene) -> PassReport:
    """A pass that writes nothing anywhere."""
    scene.forget()
    report = await scene.sync()
    assert scene.writes() == []
    return report


async def test_items_that_a_person_merges_are_one_and_each_receiver_has_it_once(
    scene: Scene,
) -> None:
    ids = await apart(scene)
    keep, gone = items_of(scene)
    copies = {copy["id"] for copy in scene.held("cy")}
    assert await scene.worker.merge(HUB, keep, gone) == keep
    await scene.restart()
    report = await scene.settle()
    assert (report.items, report.guarded) == (1, 0)
    (copy,) = scene.held("cy")
    assert copy["id"] in copies, "the copy of the item that stays"
    assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread")
    assert {e["address"] for e in copy["emailAddresses"]} == {"ann@example.org", "berg@example.org"}
    assert (len(scene.held("ada")), len(scene.held("ben"))) == (1, 1)
    await quiet(scene)
    scene.edit("ben", ids["ben"], department="Cakes")
    await scene.settle()
    assert scene.the("cy", "Ann")["department"] == "Cakes"


async def test_an_own_contact_stays_and_the_copy_beside_it_goes(scene: Scene) -> None:
    ids = await apart(scene, TWO_WAY)
    assert (len(scene.held("ada")), len(scene.held("ben"))) == (2, 2)
    await scene.worker.merge(HUB, *items_of(scene))
    await scene.settle()
    await scene.settle()
    for name in ("ada", "ben"):
        (contact,) = scene.held(name)
        assert contact["id"] == ids[name], "its user's own"
        assert (contact["jobTitle"], contact["department"]) == ("Baker", "Bread")
    assert len(scene.held("cy")) == 1
    await quiet(scene)


async def test_two_own_contacts_of_one_mailbox_are_not_merged_by_command_either(
    scene: Scene,
) -> None:
    scene.connect("ada")
    for _ in range(2):
        scene.add("ada", displayName="Ann", email="a@example.org")
    await scene.settle()
    keep, gone = natives(scene, "ada")
    with pytest.raises(MergeError, match="default/ada has a contact of its own for each"):
        await scene.worker.merge(HUB, keep, gone)
    assert (await scene.settle()).items == 2


async def test_values_of_merged_items_conflict_as_those_of_people_who_never_met(
    scene: Scene,
) -> None:
    """Even what was edited in sight of the one item was edited unaware of the other."""
    scene.configure(conflict_policy=ConflictPolicy.HUB)
    ids = await apart(scene, TWO_WAY)
    scene.edit("ada", ids["ada"], department="Rolls")
    await scene.settle()
    copy_of_ben = next(c for c in scene.held("ada") if c["id"] != ids["ada"])
    scene.edit("ada", copy_of_ben["id"], jobTitle="Brewer")
    await scene.settle()
    keep, gone = items_of(scene)
    before = rows(scene, "SELECT count(*) FROM conflicts")
    await scene.worker.merge(HUB, keep, gone)
    await scene.settle()
    await scene.settle()
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread"), "the earlier ones"
    assert rows(scene, "SELECT count(*) FROM conflicts") > before, "nothing is lost silently"


async def test_an_id_that_was_merged_away_leads_to_the_item_that_it_is_now(scene: Scene) -> None:
    await apart(scene)
    scene.connect("dee")
    scene.add("dee", displayName="Anna", email="anna@example.org")
    await scene.settle()
    keep, gone = items_of(scene)
    third = item_of(scene, "dee")
    await scene.worker.merge(HUB, keep, gone)
    await scene.worker.merge(HUB, third, gone)
    assert (await scene.settle()).items == 1
    for old in (keep, gone):
        with pytest.raises(MergeError, match="one item already"):
            await scene.worker.merge(HUB, third, old)
        (told,) = (await scene.worker.explain(old)).found
        assert told.item == third
    assert await scene.worker.split(HUB, gone, ["ben"]) not in (keep, gone, third)
    assert (await scene.settle()).items == 2


async def test_a_copy_with_the_stamp_of_an_item_that_was_merged_away_is_known(
    scene: Scene,
) -> None:
    """Dee's filter lets in Ben's item only, so that its copy becomes the copy of both; and the
    store forgets which that is. By its content, which has no key, it can't be known."""
    ids = await apart(scene)
    cy = scene.spokes.pop("cy")
    await scene.worker.leave_spoke(scene.hub, cy.uid, erase_at=scene.clock(), spoke=cy)
    await scene.worker.erase(cy.uid, spokes=list(scene.spokes.values()))
    shown = Flow(
        filter=_only("department", "Bread").filter,
        include=("displayName", "department", "jobTitle"),
    )
    scene.connect("dee", RECEIVE, receives=shown)
    await scene.settle()
    (copy,) = scene.held("dee")
    keep, gone = items_of(scene)
    await scene.worker.merge(HUB, keep, gone)
    await scene.settle()
    assert [one["id"] for one in scene.held("dee")] == [copy["id"]]
    scene.edit("ada", ids["ada"], jobTitle="Butcher")
    await scene.restart(before=lambda: _forget_deliveries(scene))
    await scene.settle()
    (again,) = scene.held("dee")
    assert (again["id"], again["jobTitle"]) == (copy["id"], "Butcher")


async def test_what_a_user_had_removed_is_not_brought_back_by_a_merge(scene: Scene) -> None:
    await apart(scene)
    scene.connect("cy", RECEIVE, receives=_only("department", "Bread"), verify_interval=60.0)
    scene.advance(7200)
    await scene.settle()
    scene.advance(7200)
    await scene.settle()
    (copy,) = scene.held("cy")
    scene.remove("cy", copy["id"])
    scene.advance(7200)
    await scene.settle()
    assert scene.held("cy") == []
    await scene.worker.merge(HUB, *items_of(scene))
    await scene.settle()
    assert scene.held("cy") == []


async def test_contributions_that_a_person_splits_off_are_an_item_of_their_own(
    scene: Scene,
) -> None:
    await together(scene)
    (copy,) = scene.held("cy")
    made = await scene.worker.split(HUB, item_of(scene, "ada"), ["default/ben"])
    assert made == item_of(scene, "ben")
    report = await scene.settle()
    assert report.items == 2
    held = {one["id"]: one for one in scene.held("cy")}
    assert len(held) == 2
    assert (held[copy["id"]]["jobTitle"], held[copy["id"]]["department"]) == ("Baker", None)
    (other,) = [one for one in held.values() if one["id"] != copy["id"]]
    assert (other["jobTitle"], other["department"]) == (None, "Bread")
    await quiet(scene)


async def test_two_way_spokes_that_were_split_get_each_other_s(scene: Scene) -> None:
    ids = await together(scene, TWO_WAY)
    await scene.worker.split(HUB, item_of(scene, "ada"), ["ben"])
    await scene.settle()
    await scene.settle()
    for name, own in ids.items():
        held = {one["id"]: one for one in scene.held(name)}
        assert len(held) == 2
        assert (held[own]["jobTitle"], held[own]["department"]) == (
            ("Baker", None) if name == "ada" else (None, "Bread")
        )
    await quiet(scene)


async def test_what_was_split_never_matches_again(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", folder="Team")
    person = {"displayName": "Ann", "emailAddresses": [{"address": "desk@example.org"}]}
    scene.add("ada", displayName="Ann", email="desk@example.org")
    scene.admin.import_contacts(scene.mailbox("ben"), [person], ["Team"])
    assert (await scene.settle()).items == 1
    made = await scene.worker.split(HUB, item_of(scene, "ada"), ["ben"])
    await scene.settle()
    own = scene.the("ben", "Ann", "Team")["id"]
    scene.edit("ben", own, department="Cakes")
    assert (await scene.settle()).items == 2
    moved = scene.admin.move_contact(scene.mailbox("ben"), own, [])
    assert (await scene.settle()).items == 1
    scene.advance(2 * 86_400)
    await scene.settle()
    scene.admin.move_contact(scene.mailbox("ben"), moved["id"], ["Team"])
    assert (await scene.settle()).items == 2
    assert item_of(scene, "ben") == made


async def test_a_split_holds_for_a_spoke_that_is_made_again(scene: Scene) -> None:
    await together(scene)
    made = await scene.worker.split(HUB, item_of(scene, "ada"), ["ben"])
    await scene.settle()
    left = await scene.leave("ben", grace=3600.0)
    scene.spokes["ben"] = msgspec.structs.replace(left, uid="spoke-again")
    assert (await scene.settle()).items == 2
    assert natives(scene, "again") == [made]
    assert rows(scene, "SELECT spoke, item FROM bindings") == [("spoke-again", made)]


async def test_a_split_undoes_a_merge_and_a_merge_undoes_a_split(scene: Scene) -> None:
    ids = await apart(scene, TWO_WAY)
    for _ in range(2):
        await scene.worker.merge(HUB, *items_of(scene))
        await scene.settle()
        await scene.settle()
        assert [len(scene.held(name)) for name in ("ada", "ben", "cy")] == [1, 1, 1]
        await scene.worker.split(HUB, item_of(scene, "ada"), ["ben"])
        await scene.settle()
        await scene.settle()
        assert [len(scene.held(name)) for name in ("ada", "ben", "cy")] == [2, 2, 2]
        own = {one["id"]: one for one in scene.held("ada")}[ids["ada"]]
        assert (own["jobTitle"], own["department"]) == ("Baker", None)
    await quiet(scene)


@pytest.mark.parametrize(
    ("spokes", "why"),
    [
        (["ada", "ben"], "name some of its spokes"),
        (["cy"], "contributes nothing"),
        (["zoe"], "it has none"),
    ],
)
async def test_a_split_that_cannot_be_is_refused(scene: Scene, spokes: list[str], why: str) -> None:
    await together(scene)
    with pytest.raises(MergeError, match=why):
        await scene.worker.split(HUB, item_of(scene, "ada"), spokes)
    assert (await quiet(scene)).items == 1


async def test_items_that_are_unknown_or_of_another_hub_are_refused(scene: Scene) -> None:
    await apart(scene)
    keep, _ = items_of(scene)
    with pytest.raises(MergeError, match="none of this id"):
        await scene.worker.merge(HUB, keep, "0" * 32)
    with pytest.raises(MergeError, match="it has default/staff"):
        await scene.worker.merge("default/others", keep, keep)


async def test_nobody_merges_while_a_pass_has_the_hub(scene: Scene) -> None:
    await apart(scene)
    holder = scene.opened()
    store = holder.hub(scene.hub.uid)
    store.acquire()
    try:
        with pytest.raises(LeaseHeldError):
            await scene.worker.merge(HUB, *items_of(scene))
    finally:
        store.release()
        holder.close()
    assert (await quiet(scene)).items == 2


@pytest.mark.parametrize("leaver", ["ada", "ben"])
async def test_who_leaves_a_merged_item_takes_what_was_theirs_along(
    scene: Scene, leaver: str
) -> None:
    await apart(scene)
    await scene.worker.merge(HUB, *items_of(scene))
    await scene.settle()
    assert (await scene.erase(leaver)).complete
    await scene.settle()
    (copy,) = scene.held("cy")
    left = ("Baker", None) if leaver == "ben" else (None, "Bread")
    assert (copy["jobTitle"], copy["department"]) == left
    assert len(copy["emailAddresses"]) == 1
    other = "ben" if leaver == "ada" else "ada"
    assert (await scene.erase(other)).complete
    await scene.settle()
    assert scene.held("cy") == []
    for table in ("redirects", "bindings", "items", "conflicts", "match_keys"):
        assert rows(scene, f"SELECT count(*) FROM {table}") == [(0,)], table


async def test_after_a_lost_store_a_merge_is_forgotten_and_nobody_has_anything_twice(
    scene: Scene,
) -> None:
    await apart(scene)
    await scene.worker.merge(HUB, *items_of(scene))
    await scene.settle()
    await scene.lose_store()
    await scene.settle()
    scene.advance(7200)
    await scene.settle()
    assert sorted((c["jobTitle"], c["department"]) for c in _blankless(scene, "cy")) == [
        ("", "Bread"),
        ("Baker", ""),
    ]


async def test_after_a_lost_store_a_split_is_forgotten_and_nobody_has_anything_twice(
    scene: Scene,
) -> None:
    await together(scene)
    await scene.worker.split(HUB, item_of(scene, "ada"), ["ben"])
    await scene.settle()
    await scene.lose_store()
    await scene.settle()
    scene.advance(7200)
    await scene.settle()
    (copy,) = scene.held("cy")
    assert (copy["jobTitle"], copy["department"]) == ("Baker", "Bread")


def _blankless(scene: Scene, name: str) -> list[dict[str, str]]:
    return [{key: one[key] or "" for key in ("jobTitle", "department")} for one in scene.held(name)]


def _only(field: str, value: str) -> Flow:
    return Flow(filter=Filter(all=(Condition(field, Operator.IN, (value,)),)))


def _forget_deliveries(scene: Scene) -> None:
    """As if the store had been restored from before the copies were made."""
    scene.keep.change("DELETE FROM replicas")
    scene.keep.change("DELETE FROM tallies")
    scene.keep.change("UPDATE spokes SET mark = 0")
    scene.keep.change("DELETE FROM cursors WHERE spoke = 'spoke-dee'")
