"""Mailboxes, kept in step both ways, whose tools keep changing one field back and forth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from cirahub_sync.configuration import ConflictPolicy, Direction
from cirahub_sync.conflicts import OpenConflict
from cirahub_sync.engine.decide import Choice
from cirahub_sync.engine.report import Feud, PassReport
from cirahub_sync.errors import ConflictChangedError

from .conftest import Scene

ANN = {"displayName": "Ann", "email": "ann@example.org"}
TWO_WAY, RECEIVE = Direction.TWO_WAY, Direction.RECEIVE
HOUR = 3600.0
Said = Mapping[str, Mapping[str, Any]]
TITLE: Said = {"ada": {"jobTitle": "Baker"}, "ben": {"jobTitle": "Master Baker"}}
"""What the tool of each mailbox makes of a job title."""
TABLES = ("flips", "freezes", "undecided", "conflicts")


async def meet(scene: Scene, said: Said = TITLE, **more: Any) -> None:
    """Ada has Ann; Ben has her copy, and so has Cy, who only looks on."""
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    scene.add("ada", **ANN, **said["ada"], **more)
    await scene.settle()


async def write(scene: Scene, name: str, after: float = 60.0, **told: Any) -> PassReport:
    """Somebody, or something, writes Ann's contact in this mailbox, and there are passes."""
    scene.advance(after)
    scene.edit(name, scene.the(name, "Ann")["id"], **told)
    return await scene.settle()


async def fight(
    scene: Scene, turns: int, said: Said = TITLE, *, first: str = "ben", after: float = 60.0
) -> PassReport:
    """The tools take turns. The first turn is a plain edit, each of the others a flip."""
    names = (first, "ada" if first == "ben" else "ben")
    for turn in range(turns):
        name = names[turn % 2]
        report = await write(scene, name, after, **said[name])
    return report


async def frozen(scene: Scene, said: Said = TITLE, **more: Any) -> None:
    await meet(scene, said, **more)
    report = await fight(scene, 4, said)
    assert (report.undecided, report.frozen) == (1, 1)


async def the_conflict(scene: Scene) -> OpenConflict:
    (found,) = await scene.worker.conflicts()
    return found


def shown(scene: Scene, *names: str, field: str = "jobTitle") -> list[object]:
    return [scene.the(name, "Ann")[field] for name in names]


def rows(scene: Scene, table: str) -> list[tuple[Any, ...]]:
    return scene.keep.rows(f"SELECT * FROM {table}")


async def still(scene: Scene) -> None:
    scene.forget()
    await scene.sync(2)
    assert scene.writes() == []


# When


async def test_a_field_flipped_three_times_in_24_hours_between_two_writers_is_frozen(
    scene: Scene,
) -> None:
    await meet(scene)
    report = await fight(scene, 3)
    assert (report.undecided, report.frozen, report.feud) == (0, 0, None)
    assert shown(scene, "ada", "ben", "cy") == ["Master Baker"] * 3, "two flips are followed"
    report = await write(scene, "ada", **TITLE["ada"])
    assert (report.undecided, report.disputed, report.frozen) == (1, 1, 1)
    assert report.feud == Feud("jobTitle", ("default/ada", "default/ben"))
    conflict = await the_conflict(scene)
    assert conflict.field == "jobTitle"
    assert conflict.frozen == ["default/ada", "default/ben"]
    assert [(side.spoke, side.values, side.stands) for side in conflict.sides] == [
        ("default/ada", ("Baker",), True),
        ("default/ben", ("Master Baker",), False),
    ]


async def test_flips_of_more_than_24_hours_freeze_nothing(scene: Scene) -> None:
    await meet(scene)
    report = await fight(scene, 6, after=13 * HOUR)
    assert report.frozen == 0
    assert shown(scene, "cy") == ["Baker"]
    report = await fight(scene, 1, after=11 * HOUR)
    assert report.frozen == 0, "the last three take 24 hours and more"
    report = await fight(scene, 1, first="ada", after=11 * HOUR)
    assert report.frozen == 1


async def test_who_changes_their_own_mind_flips_nothing(scene: Scene) -> None:
    await meet(scene)
    for title in ("Baker", "Brewer") * 4:
        report = await write(scene, "ada", jobTitle=title)
    assert report.frozen == 0
    assert shown(scene, "ben", "cy") == ["Brewer"] * 2


async def test_two_people_who_write_one_field_in_turn_flip_nothing(scene: Scene) -> None:
    await meet(scene)
    for number in range(5):
        await write(scene, "ben", jobTitle=f"Brewer {number}")
        report = await write(scene, "ada", jobTitle=f"Baker {number}")
    assert report.frozen == 0
    assert shown(scene, "ada", "ben", "cy") == ["Baker 4"] * 3


async def test_who_keeps_taking_back_what_nobody_else_takes_back_flips_alone(
    scene: Scene,
) -> None:
    await meet(scene)
    for number in range(4):
        await write(scene, "ben", jobTitle=f"Brewer {number}")
        report = await write(scene, "ada", **TITLE["ada"])
    assert report.frozen == 0
    assert shown(scene, "cy") == ["Baker"]


async def test_services_that_each_normalise_what_they_are_given_are_stopped(scene: Scene) -> None:
    await meet(scene)
    scene.edit("ben", scene.the("ben", "Ann")["id"], **TITLE["ben"])
    for _ in range(12):
        scene.advance(60.0)
        report = await scene.sync()
        for name in ("ada", "ben"):
            if shown(scene, name) != [TITLE[name]["jobTitle"]]:
                scene.edit(name, scene.the(name, "Ann")["id"], **TITLE[name])
    assert report.frozen == 1
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Master Baker", "Baker"]
    await still(scene)


async def test_flips_outlive_a_restart_and_a_lost_answer(scene: Scene) -> None:
    await meet(scene)
    for name in ("ben", "ada", "ben", "ada"):
        await scene.restart()
        scene.admin.add_rule(
            service="graph", kind="drop", moment="after", method="POST", path=r"/\$batch$", count=1
        )
        scene.advance(60.0)
        scene.edit(name, scene.the(name, "Ann")["id"], **TITLE[name])
        await scene.sync(3)
        scene.admin.clear_rules()
        report = await scene.sync(2)
    assert report.frozen == 1
    await scene.restart()
    assert (await the_conflict(scene)).frozen == ["default/ada", "default/ben"]
    report = await write(scene, "ben", jobTitle="Brewer")
    assert report.frozen == 1
    assert shown(scene, "ada", "cy") == ["Baker"] * 2


async def test_after_a_lost_store_flips_count_anew(scene: Scene) -> None:
    await frozen(scene)
    await scene.lose_store()
    report = await scene.settle()
    assert report.frozen == 0
    report = await fight(scene, 6)
    assert report.frozen == 1
    assert len(scene.held("ada")) == len(scene.held("ben")) == 1


# What it stays at


async def test_a_frozen_field_stays_at_what_was_there_first(scene: Scene) -> None:
    scene.connect("dee", TWO_WAY)
    await meet(scene)
    await write(scene, "ben", **TITLE["ben"])
    await write(scene, "dee", jobTitle="Brewer")
    await write(scene, "ben", **TITLE["ben"])
    await write(scene, "ada", **TITLE["ada"])
    report = await write(scene, "ben", **TITLE["ben"])
    assert report.frozen == 1
    assert report.feud == Feud("jobTitle", ("default/ada", "default/ben"))
    assert shown(scene, "ada", "ben", "cy", "dee") == ["Baker", "Master Baker", "Baker", "Baker"]


async def test_neither_writer_is_written_a_frozen_field_any_more(scene: Scene) -> None:
    await frozen(scene)
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Master Baker", "Baker"]
    await still(scene)
    await write(scene, "ada", department="Bread")
    assert shown(scene, "ben", "cy", field="department") == ["Bread"] * 2, "the others travel"
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Master Baker", "Baker"]


async def test_what_the_writers_of_a_frozen_field_write_changes_nothing_and_is_kept(
    scene: Scene,
) -> None:
    await frozen(scene)
    report = await write(scene, "ada", jobTitle="Brewer")
    assert report.frozen == 1
    report = await write(scene, "ben", jobTitle="Butcher")
    assert report.frozen == 1
    assert shown(scene, "ada", "ben", "cy") == ["Brewer", "Butcher", "Baker"]
    lost = {(row[3], row[5]) for row in rows(scene, "conflicts")}
    assert lost == {("spoke-ada", "spoke-ben"), ("spoke-ben", "spoke-ada")}
    assert len(rows(scene, "conflicts")) == 3, "Master Baker, Brewer and Butcher"
    conflict = await the_conflict(scene)
    assert [(side.spoke, side.values, side.stands) for side in conflict.sides] == [
        ("", ("Baker",), True),
        ("default/ada", ("Brewer",), False),
        ("default/ben", ("Butcher",), False),
    ]
    await still(scene)


async def test_a_third_spoke_may_change_a_frozen_field(scene: Scene) -> None:
    scene.connect("dee", TWO_WAY)
    await frozen(scene)
    report = await write(scene, "dee", jobTitle="Brewer")
    assert report.frozen == 1
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Master Baker", "Brewer"]


async def test_a_policy_has_no_say_in_a_frozen_field(scene: Scene) -> None:
    scene.configure(conflict_policy=ConflictPolicy.PRIORITY, priority=("default/ben",))
    await frozen(scene)
    assert shown(scene, "cy") == ["Baker"]
    scene.configure(conflict_policy=ConflictPolicy.MANUAL)
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (1, 1)
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Master Baker", "Baker"]


async def test_a_field_that_one_tool_fills_and_another_empties_is_frozen(scene: Scene) -> None:
    await frozen(scene, {"ada": {"jobTitle": "Baker"}, "ben": {"jobTitle": ""}})
    assert [one or "" for one in shown(scene, "ada", "ben", "cy")] == ["Baker", "", "Baker"]


@pytest.mark.parametrize(
    ("field", "ada", "ben", "first"),
    [
        ("businessPhones", ["+1 425 555 0101"], ["(425) 555-0101"], "ada"),
        ("businessPhones", ["+1 425 555 0101"], ["+1 425 555 0102"], "ada"),
        ("categories", ["Red", "Green"], ["Green"], "ada"),
        ("categories", ["Green"], ["Red", "Green"], "ben"),
    ],
)
async def test_a_list_whose_element_is_changed_back_and_forth_is_frozen(
    scene: Scene, field: str, ada: list[str], ben: list[str], first: str
) -> None:
    """Its first word on the element stands: that Red is there, be it Ada's or Ben's."""
    scene.configure(default_region="US")
    said = {"ada": {field: ada}, "ben": {field: ben}}
    await meet(scene, said)
    report = await fight(scene, 5, said)
    assert report.frozen == 1
    assert (await the_conflict(scene)).sides[0].spoke == f"default/{first}"
    stands = said[first][field]
    assert [sorted(one) for one in shown(scene, "cy", field=field)] == [sorted(stands)]  # type: ignore[call-overload]
    apart = shown(scene, "ada", "ben", field=field)
    await still(scene)
    assert shown(scene, "ada", "ben", field=field) == apart
    more: dict[str, Any] = {field: [*ben, "Blue"] if field == "categories" else []}
    report = await write(scene, "ben", **more)
    assert report.frozen == 1
    (found,) = shown(scene, "cy", field=field)
    assert sorted(found) == sorted(stands), "the whole list is frozen for them"  # type: ignore[call-overload]


async def test_a_third_spoke_may_add_to_a_frozen_list(scene: Scene) -> None:
    said = {"ada": {"categories": ["Red", "Green"]}, "ben": {"categories": ["Green"]}}
    scene.connect("dee", TWO_WAY)
    await frozen(scene, said)
    await write(scene, "dee", categories=["Red", "Green", "Blue"])
    assert shown(scene, "cy", field="categories") == [["Red", "Green", "Blue"]]
    assert shown(scene, "ada", "ben", field="categories") == [["Red", "Green"], ["Green"]]


# How it ends


@pytest.mark.parametrize(
    ("choice", "spoke", "title"),
    [
        (Choice(), "ben", "Master Baker"),
        (Choice(), "default/ada", "Baker"),
        (Choice(value="Brewer"), "", "Brewer"),
        (Choice(value="Master Baker"), "", "Master Baker"),
        (Choice(keep=True), "", "Baker"),
    ],
)
async def test_a_person_s_decision_ends_a_freeze(
    scene: Scene, choice: Choice, spoke: str, title: str
) -> None:
    await frozen(scene)
    await scene.worker.decide((await the_conflict(scene)).id, choice, spoke=spoke)
    assert await scene.worker.conflicts() == []
    await scene.restart()
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (0, 0)
    assert shown(scene, "ada", "ben", "cy") == [title] * 3
    assert rows(scene, "flips") == rows(scene, "freezes") == []
    await still(scene)
    await write(scene, "ben", jobTitle="Butcher")
    assert shown(scene, "ada", "ben", "cy") == ["Butcher"] * 3, "what is edited then is followed"


@pytest.mark.parametrize(
    ("choice", "spoke", "title"),
    [
        (Choice(keep=True), "", "Baker"),
        (Choice(), "ada", "Brewer"),
        (Choice(), "ben", "Butcher"),
    ],
)
async def test_a_person_decides_about_what_the_writers_say_now(
    scene: Scene, choice: Choice, spoke: str, title: str
) -> None:
    await frozen(scene)
    seen = await the_conflict(scene)
    await write(scene, "ada", jobTitle="Brewer")
    await write(scene, "ben", jobTitle="Butcher")
    with pytest.raises(ConflictChangedError):
        await scene.worker.decide(seen.id, choice, spoke=spoke)
    await scene.worker.decide((await the_conflict(scene)).id, choice, spoke=spoke)
    await scene.settle()
    assert shown(scene, "ada", "ben", "cy") == [title] * 3


@pytest.mark.parametrize(
    ("choice", "spoke", "left"),
    [
        (Choice(), "ben", ["Green"]),
        (Choice(), "ada", ["Red", "Green", "Blue"]),
        (Choice(keep=True), "", ["Red", "Green"]),
    ],
)
async def test_a_person_decides_about_a_frozen_list(
    scene: Scene, choice: Choice, spoke: str, left: list[str]
) -> None:
    await frozen(scene, {"ada": {"categories": ["Red", "Green"]}, "ben": {"categories": ["Green"]}})
    await write(scene, "ada", categories=["Red", "Green", "Blue"])
    assert shown(scene, "cy", field="categories") == [["Red", "Green"]]
    await scene.worker.decide((await the_conflict(scene)).id, choice, spoke=spoke)
    report = await scene.settle()
    assert report.frozen == 0
    if spoke == "ben":
        left = [*left, "Blue"]  # of which Ben's mailbox never said anything
    assert [set(one) for one in shown(scene, "ada", "ben", "cy", field="categories")] == [  # type: ignore[call-overload]
        set(left)
    ] * 3


async def test_tools_that_go_on_after_a_decision_are_stopped_again(scene: Scene) -> None:
    await frozen(scene)
    await scene.worker.decide((await the_conflict(scene)).id, Choice(), spoke="ada")
    await scene.settle()
    report = await fight(scene, 2)
    assert report.frozen == 0
    report = await fight(scene, 1)
    assert report.frozen == 1
    assert shown(scene, "cy") == ["Baker"]


@pytest.mark.parametrize(("leaver", "title"), [("ben", "Brewer"), ("ada", "Butcher")])
async def test_a_freeze_goes_with_either_of_its_writers(
    scene: Scene, leaver: str, title: str
) -> None:
    await frozen(scene)
    scene.connect("dee")
    scene.add("dee", **ANN)
    await scene.settle()
    await write(scene, "ada", jobTitle="Brewer")
    await write(scene, "ben", jobTitle="Butcher")
    report = await scene.erase(leaver)
    assert report.complete
    after = await scene.settle()
    assert (after.undecided, after.frozen) == (0, 0)
    stays = "ada" if leaver == "ben" else "ben"
    assert shown(scene, stays, "cy") == [title] * 2
    assert {table: rows(scene, table) for table in TABLES} == {table: [] for table in TABLES}


async def test_flips_go_with_either_of_their_writers(scene: Scene) -> None:
    await meet(scene)
    await fight(scene, 3)
    assert len(rows(scene, "flips")) == 2
    report = await scene.erase("ben")
    assert report.complete
    assert rows(scene, "flips") == []


async def test_a_freeze_goes_with_a_writer_whose_contributions_stay(scene: Scene) -> None:
    await frozen(scene)
    left = await scene.leave("ben", grace=HOUR)
    await scene.worker.retain_spoke(scene.hub, left)
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (0, 0)
    await write(scene, "ada", jobTitle="Brewer")
    assert shown(scene, "cy") == ["Brewer"]


async def test_a_freeze_goes_with_the_contact_of_a_writer(scene: Scene) -> None:
    await frozen(scene)
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (0, 0)
    await write(scene, "ada", jobTitle="Brewer")
    assert shown(scene, "cy") == ["Brewer"]


async def test_who_was_not_shown_a_frozen_field_overrules_nobody_in_it(scene: Scene) -> None:
    scene.connect("dee", TWO_WAY)
    await frozen(scene)
    await write(scene, "dee", jobTitle="Brewer", department="Beer")
    await write(scene, "ada", jobTitle="Butcher")
    scene.remove("ben", scene.the("ben", "Ann")["id"])
    scene.configure(conflict_policy=ConflictPolicy.HUB)
    report = await scene.settle()
    assert report.frozen == 0
    lost = {row[3] for row in rows(scene, "conflicts")}
    assert "spoke-ada" in lost, "nobody's value goes without a word"
    assert shown(scene, "ada", "cy", "dee") == ["Brewer"] * 3, "it was there first"


async def test_a_freeze_goes_with_a_field_that_never_syncs_any_more(scene: Scene) -> None:
    await frozen(scene)
    scene.connect("ben", TWO_WAY, never_sync=("jobTitle",))
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (0, 0)
    assert {table: rows(scene, table) for table in TABLES} == {table: [] for table in TABLES}


async def test_a_spoke_that_is_made_again_keeps_what_is_frozen(scene: Scene) -> None:
    await frozen(scene)
    left = await scene.leave("ben", grace=HOUR)
    scene.spokes["ben"] = msgspec.structs.replace(left, uid="spoke-ben-again")
    report = await scene.settle()
    assert report.frozen == 1
    assert (await the_conflict(scene)).frozen == ["default/ada", "default/ben"]
    await write(scene, "ben", jobTitle="Brewer")
    assert shown(scene, "ada", "ben", "cy") == ["Baker", "Brewer", "Baker"]


async def test_a_frozen_field_goes_with_its_item(scene: Scene) -> None:
    await frozen(scene)
    scene.remove("ada", scene.the("ada", "Ann")["id"])
    report = await scene.settle()
    assert (report.undecided, report.frozen) == (0, 0)
    scene.advance(2 * HOUR)
    await scene.settle()
    assert {table: rows(scene, table) for table in TABLES} == {table: [] for table in TABLES}


async def test_items_that_are_merged_are_frozen_no_more(scene: Scene) -> None:
    await frozen(scene)
    scene.connect("dee")
    scene.add("dee", displayName="Anna", email="anna@example.org")
    await scene.settle()
    own = {row[0]: row[3] for row in rows(scene, "shadows") if row[4]}
    keep, gone = own["spoke-ada"], own["spoke-dee"]
    await scene.worker.merge("default/staff", keep, gone)
    report = await scene.settle()
    assert report.frozen == 0
    assert rows(scene, "flips") == rows(scene, "freezes") == []
    assert len(set(map(str, [c["jobTitle"] for n in ("ada", "ben") for c in scene.held(n)]))) == 1
