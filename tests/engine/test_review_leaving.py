"""Leaving when things are not as they should be, plans that tell what a pass does, and manifests
that are wrong for one spoke only."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import (
    Condition,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    MappingRule,
    Operator,
)
from cirahub_sync.erasure import ErasureReport

from .conftest import Scene

RECEIVE, TWO_WAY = Direction.RECEIVE, Direction.TWO_WAY
BAKERS = Filter(all=(Condition("jobTitle", Operator.IN, ("Baker",)),))
NONSENSE = Flow(filter=Filter(all=(Condition("shoeSize", Operator.EXISTS),)))


async def _erase(scene: Scene, name: str) -> ErasureReport:
    return await scene.erase(name)


def _no_mailbox(scene: Scene, name: str) -> None:
    user = scene.simulator.world.directory.find_user(scene.mailbox(name))
    assert user is not None
    user.has_mailbox = False


async def test_erasing_after_the_store_was_lost_still_finds_the_copies(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    await scene.lose_store()
    for name, own in (("cy", []), ("ben", ["Bob"])):
        report = await _erase(scene, name)
        assert report.complete, report
        assert scene.names(name) == own


async def test_a_spoke_whose_mailbox_is_no_more_can_be_erased(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", TWO_WAY)
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("ben", displayName="Bob", email="bob@example.org")
    await scene.settle()
    _no_mailbox(scene, "ben")
    await scene.sync()
    report = await _erase(scene, "ben")
    assert report.complete, report
    assert scene.names("cy") == ["Ann"]


async def test_erasing_makes_no_folder(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, folder="Team")
    report = await _erase(scene, "ben")
    assert report.complete, report
    assert [entry for entry in scene.writes() if "contactFolders" in entry["path"]] == []


async def test_a_spoke_that_cannot_be_read_is_erased_later(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    rule = scene.admin.add_rule("status", method="POST", path="permanentDelete", status=403)
    leaver = scene.spokes["ben"]
    report = await _erase(scene, "ben")
    assert not report.complete
    scene.admin.remove_rule(rule)
    await scene.restart()
    scene.spokes["ben"] = leaver
    report = await _erase(scene, "ben")
    assert report.complete, report
    assert scene.held("ben") == []


async def test_edits_that_the_leaver_made_in_copies_go_with_it(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.edit("ben", scene.the("ben", "Ann")["id"], jobTitle="Baker")
    await scene.settle()
    assert scene.the("ada", "Ann")["jobTitle"] == "Baker"
    await scene.restart()
    report = await _erase(scene, "ben")
    assert report.complete, report
    assert not scene.the("ada", "Ann")["jobTitle"]


async def test_one_spoke_s_wrong_filter_stops_no_other_and_can_be_erased(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.connect("cy", TWO_WAY)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.add("cy", displayName="Cat", email="cat@example.org")
    await scene.settle()
    scene.connect("cy", TWO_WAY, contributes=NONSENSE)
    scene.add("ada", displayName="Bob", email="bob@example.org")
    report = await scene.sync(2)
    assert report.problem is None
    problem = report.spokes["spoke-cy"].problem
    assert problem is not None
    assert problem.reason == "InvalidConfiguration"
    assert scene.names("ben") == ["Ann", "Bob", "Cat"]
    erasure = await _erase(scene, "cy")
    assert erasure.complete, erasure
    assert scene.names("cy") == ["Cat"]
    assert scene.names("ben") == ["Ann", "Bob"]


async def test_a_spoke_that_moves_to_another_hub_stops_no_other_there(scene: Scene) -> None:
    scene.connect("ada")
    await scene.settle()
    first = scene.hub
    scene.hub = msgspec.structs.replace(first, uid="hub-2", name="default/other")
    scene.connect("ben")
    scene.connect("cy", RECEIVE)
    scene.add("ben", displayName="Bob", email="bob@example.org")
    report = await scene.sync(2)
    assert report.problem is None
    problem = report.spokes["spoke-ada"].problem
    assert problem is not None
    assert problem.reason == "InvalidConfiguration"
    assert scene.names("cy") == ["Bob"]


async def test_a_plan_tells_what_the_guard_will_hold_back(scene: Scene) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=2, max_percent=100))
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    people = [scene.add("ada", displayName=f"P{n}", email=f"p{n}@x.example") for n in range(5)]
    await scene.settle()
    for person in people[:4]:
        scene.remove("ada", person)
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert [(one.action, one.held) for one in plan.actions] == [("delete", "Guarded")] * 4
    report = await scene.sync()
    assert (report.guarded, report.approval) == (plan.report.guarded, plan.report.approval)
    again = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert again.actions == plan.actions


async def test_a_plan_tells_what_waits_after_a_failure(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE)
    scene.add("ada", displayName="Ann", email="ann@example.org")
    scene.admin.add_rule("status", method="POST", path="/contacts$", status=400, count=1)
    await scene.sync()
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert [(one.action, one.held) for one in plan.actions] == [("create", "Rejected")]


async def test_a_plan_makes_no_folder_and_still_tells_what_would_go_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", RECEIVE, folder="Team/External")
    scene.connect("cy", TWO_WAY, folder="Team")
    scene.add("ada", displayName="Ann", email="ann@example.org")
    before = len(scene.writes())
    plan = await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    assert [(one.spoke, one.action) for one in plan.actions] == [
        ("default/ben", "create"),
        ("default/cy", "create"),
    ]
    assert [spoke.problem for spoke in plan.report.spokes.values() if spoke.problem] == []
    assert len(scene.writes()) == before
    report = await scene.settle()
    assert report.problem is None
    assert scene.names("ben", "Team/External") == scene.names("cy", "Team") == ["Ann"]


async def test_what_a_user_took_away_stays_away_when_the_filter_changes(scene: Scene) -> None:
    scene.connect("ada", TWO_WAY)
    scene.connect("ben", TWO_WAY)
    scene.add(
        "ada",
        displayName="Ann",
        email="ann@example.org",
        jobTitle="Baker",
        businessPhones=["+1 425 555 0100"],
    )
    own = scene.add("ben", displayName="Ann", email="ann@example.org")
    await scene.settle()
    scene.edit("ben", own, jobTitle="", businessPhones=[])
    await scene.settle()
    assert not scene.the("ada", "Ann")["jobTitle"]
    scene.connect(
        "ben", TWO_WAY, contributes=Flow(mapping=(MappingRule(field="nickname", suffix="!"),))
    )
    await scene.settle()
    for name in ("ada", "ben"):
        assert not scene.the(name, "Ann")["jobTitle"]
        assert scene.the(name, "Ann")["businessPhones"] == []


async def test_a_changed_match_key_finds_those_that_are_there_already(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("cy", RECEIVE)
    scene.add("ada", displayName="Ann", companyName="Bread", mobilePhone="+1 425 555 0100")
    await scene.settle()
    scene.configure(match_on=("nameAndCompany",))
    await scene.settle()
    scene.connect("ben")
    scene.add("ben", displayName="Ann", companyName="Bread")
    await scene.settle()
    assert scene.names("cy") == ["Ann"]
