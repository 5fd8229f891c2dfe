"""Conflicts over real mailboxes: who wins, what is kept of the others, and policies that change."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.configuration import (
    ConflictPolicy,
    Direction,
    FieldRule,
    ListPolicy,
)
from cirahub_sync.conflicts import OpenConflict
from cirahub_sync.engine.decide import Choice
from cirahub_sync.errors import ConflictChangedError, DecisionError
from cirahub_sync.store.lease import LeaseHeldError

from .conftest import Scene

ANN = {"displayName": "Ann", "email": "ann@example.org"}
RECEIVE = Direction.RECEIVE


def meet(scene: Scene) -> None:
    """Ada, then Ben, contribute to what Cy receives."""
    for name in ("ada", "ben"):
        scene.connect(name)
    scene.connect("cy", RECEIVE)


async def test_priority_prefers_the_spoke_that_is_named_first(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/ben",))
    meet(scene)
    scene.add("ben", **ANN, jobTitle="Brewer")
    await scene.settle()
    scene.add("ada", **ANN, jobTitle="Baker", department="Bread")
    report = await scene.sync()
    assert report.conflicts == 1
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["department"]) == ("Brewer", "Bread")


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        (ListPolicy.UNION, {"Red", "Green", "Blue"}),
        (ListPolicy.SOURCE_WINS, {"Green", "Blue"}),
        (ListPolicy.INTERSECT, {"Green"}),
    ],
)
async def test_a_list_is_merged_as_its_field_says(
    scene: Scene, mode: ListPolicy, left: set[str]
) -> None:
    scene.configure(
        priority=("default/ben",),
        field_rules=(FieldRule("categories", ConflictPolicy.PRIORITY, mode),),
    )
    meet(scene)
    scene.add("ada", **ANN, categories=["Red", "Green"])
    scene.add("ben", **ANN, categories=["Green", "Blue"])
    await scene.settle()
    assert set(scene.the("cy", "Ann")["categories"]) == left


async def test_a_policy_that_changes_applies_to_what_is_there(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.HUB)
    meet(scene)
    scene.add("ada", **ANN, jobTitle="Baker", categories=["Red"])
    await scene.settle()
    scene.add("ben", **ANN, jobTitle="Brewer", categories=["Blue"])
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/ben",))
    await scene.sync()
    assert scene.the("cy", "Ann")["jobTitle"] == "Brewer"
    scene.configure(priority=("default/ada", "default/ben"))
    await scene.sync()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    assert scene.the("cy", "Ann")["categories"] == ["Red", "Blue"]
    scene.configure(field_rules=(FieldRule("categories", lists=ListPolicy.SOURCE_WINS),))
    await scene.sync()
    assert scene.the("cy", "Ann")["categories"] == ["Red"]
    scene.forget()
    await scene.sync()
    assert scene.writes() == []


async def test_a_preferred_spoke_that_cannot_take_part_is_preferred_all_the_same(
    scene: Scene,
) -> None:
    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/ada",))
    meet(scene)
    scene.add("ada", **ANN, jobTitle="Baker")
    ben = scene.add("ben", **ANN, jobTitle="Brewer")
    await scene.settle()
    away = scene.spokes.pop("ada")
    scene.edit("ben", ben, jobTitle="Butcher")
    await scene.sync(absent=1)
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    scene.spokes["ada"] = away
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"


async def test_a_rule_for_what_is_no_list_says_so_and_changes_nothing(scene: Scene) -> None:
    meet(scene)
    scene.add("ada", **ANN)
    scene.configure(field_rules=(FieldRule("jobTitle", lists=ListPolicy.INTERSECT),))
    report = await scene.sync()
    assert report.problem is not None
    assert report.problem.reason == "InvalidConfiguration"
    assert "jobTitle" in report.problem.message
    assert scene.held("cy") == []


# A person decides


async def at_odds(scene: Scene) -> dict[str, str]:
    """Ada says Baker and, later, Ben says Brewer; Cy sees Baker. The ids of the contacts."""
    scene.configure(conflict_policy=ConflictPolicy.MANUAL)
    meet(scene)
    ids = {"ada": scene.add("ada", **ANN, jobTitle="Baker")}
    await scene.settle()
    ids["ben"] = scene.add("ben", **ANN, jobTitle="Brewer")
    report = await scene.settle()
    assert (report.undecided, report.disputed) == (1, 1)
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    return ids


async def the_conflict(scene: Scene) -> OpenConflict:
    (found,) = await scene.worker.conflicts()
    return found


async def test_a_conflict_that_waits_names_its_sides(scene: Scene) -> None:
    await at_odds(scene)
    conflict = await the_conflict(scene)
    assert (conflict.hub, conflict.field) == ("default/staff", "jobTitle")
    assert [(side.spoke, side.values, side.stands) for side in conflict.sides] == [
        ("default/ada", ("Baker",), True),
        ("default/ben", ("Brewer",), False),
    ]


@pytest.mark.parametrize(
    ("choice", "spoke", "shown"),
    [
        (Choice(), "ben", "Brewer"),
        (Choice(), "default/ada", "Baker"),
        (Choice(value="Butcher"), "", "Butcher"),
        (Choice(keep=True), "", "Baker"),
    ],
)
async def test_the_next_pass_brings_what_a_person_decided(
    scene: Scene, choice: Choice, spoke: str, shown: str
) -> None:
    await at_odds(scene)
    await scene.worker.decide((await the_conflict(scene)).id, choice, spoke=spoke)
    assert await scene.worker.conflicts() == []
    await scene.restart()
    report = await scene.sync()
    assert report.undecided == 0
    assert scene.the("cy", "Ann")["jobTitle"] == shown
    assert scene.the("ben", "Ann")["jobTitle"] == "Brewer", "it only contributes"


async def test_a_decision_about_what_has_changed_since_is_refused(scene: Scene) -> None:
    ids = await at_odds(scene)
    seen = await the_conflict(scene)
    scene.edit("ben", ids["ben"], jobTitle="Butcher")
    await scene.settle()
    with pytest.raises(ConflictChangedError):
        await scene.worker.decide(seen.id, Choice(), spoke="ben")
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    again = await the_conflict(scene)
    await scene.worker.decide(again.id, Choice(), spoke="ben")
    with pytest.raises(ConflictChangedError):
        await scene.worker.decide(again.id, Choice(), spoke="ada")
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Butcher"


async def test_a_choice_that_cannot_be_made_is_refused(scene: Scene) -> None:
    await at_odds(scene)
    conflict = await the_conflict(scene)
    with pytest.raises(DecisionError, match="default/ada, default/ben"):
        await scene.worker.decide(conflict.id, Choice(), spoke="cy")
    assert await the_conflict(scene) == conflict


async def test_nobody_decides_while_a_pass_has_the_hub(scene: Scene) -> None:
    await at_odds(scene)
    conflict = await the_conflict(scene)
    holder = scene.opened()
    store = holder.hub(scene.hub.uid)
    store.acquire()
    try:
        with pytest.raises(LeaseHeldError):
            await scene.worker.decide(conflict.id, Choice(keep=True))
    finally:
        store.release()
        holder.close()
    assert await the_conflict(scene) == conflict


async def test_a_two_way_spoke_that_lost_shows_what_was_decided_and_may_change_it(
    scene: Scene,
) -> None:
    scene.configure(conflict_policy=ConflictPolicy.MANUAL)
    for name in ("ada", "ben"):
        scene.connect(name, Direction.TWO_WAY)
    scene.add("ada", **ANN, jobTitle="Baker")
    scene.add("ben", **ANN, jobTitle="Brewer")
    await scene.settle()
    await scene.worker.decide((await the_conflict(scene)).id, Choice(value="Butcher"))
    await scene.settle()
    shown = {name: scene.the(name, "Ann")["jobTitle"] for name in ("ada", "ben")}
    assert shown == {"ada": "Butcher", "ben": "Butcher"}
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Baron")
    report = await scene.settle()
    assert report.undecided == 0
    assert scene.the("ada", "Ann")["jobTitle"] == "Baron"
    scene.forget()
    await scene.sync()
    assert scene.writes() == []


async def test_a_policy_that_is_manual_no_more_has_nothing_to_decide(scene: Scene) -> None:
    await at_odds(scene)
    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/ben",))
    report = await scene.sync()
    assert report.undecided == 0
    assert await scene.worker.conflicts() == []
    assert scene.the("cy", "Ann")["jobTitle"] == "Brewer"


@pytest.mark.parametrize("choice", [Choice(), Choice(value="Baker and Brewer")])
async def test_an_erased_spoke_takes_what_was_decided_for_it_along(
    scene: Scene, choice: Choice
) -> None:
    await at_odds(scene)
    spoke = "" if choice.value else "ben"
    await scene.worker.decide((await the_conflict(scene)).id, choice, spoke=spoke)
    await scene.settle()
    report = await scene.erase("ben")
    assert report.complete
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    for table in ("decisions", "undecided", "conflicts"):
        assert scene.keep.rows(f"SELECT * FROM {table}") == []


async def test_a_spoke_that_is_made_again_keeps_what_was_decided_for_it(scene: Scene) -> None:
    ids = await at_odds(scene)
    await scene.worker.decide((await the_conflict(scene)).id, Choice(), spoke="ben")
    left = await scene.leave("ben", grace=3600.0)
    scene.spokes["ben"] = msgspec.structs.replace(left, uid="spoke-ben-again")
    await scene.settle()
    scene.edit("ada", ids["ada"], department="Bread")
    report = await scene.settle()
    assert report.undecided == 0
    copy = scene.the("cy", "Ann")
    assert (copy["jobTitle"], copy["department"]) == ("Brewer", "Bread")


async def test_a_conflict_that_waits_goes_with_its_item(scene: Scene) -> None:
    ids = await at_odds(scene)
    for name, contact in ids.items():
        scene.remove(name, contact)
    report = await scene.settle()
    assert report.undecided == 0


async def test_a_decision_goes_with_a_field_that_never_syncs_any_more(scene: Scene) -> None:
    await at_odds(scene)
    await scene.worker.decide((await the_conflict(scene)).id, Choice(value="Baker and Brewer"))
    await scene.settle()
    scene.connect("ben", never_sync=("jobTitle",))
    await scene.settle()
    assert scene.the("cy", "Ann")["jobTitle"] == "Baker"
    assert scene.keep.rows("SELECT * FROM decisions") == []
