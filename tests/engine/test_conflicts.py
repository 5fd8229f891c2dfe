"""Conflicts over real mailboxes: who wins, what is kept of the others, and policies that change."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import (
    ConflictPolicy,
    Direction,
    FieldRule,
    ListPolicy,
)

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
