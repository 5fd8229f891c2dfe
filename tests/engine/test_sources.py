"""A receiver's filter on who contributes an item: who comes and goes changes what passes."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Condition, Direction, Filter, Flow, Operator

from .conftest import Scene
from .page import connect_as_documented

HEADING = "Only what certain mailboxes contribute"
ANN = {"displayName": "Ann", "email": "ann@example.org"}


async def test_only_what_certain_mailboxes_contribute_as_documented(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("cy")
    connect_as_documented(scene, "ben", HEADING)
    scene.add("ada", **ANN)
    scene.add("ada", displayName="Kim", email="kim@example.org", categories=["Private"])
    scene.add("cy", displayName="Bob", email="bob@example.org")
    await scene.settle()
    assert scene.names("ben") == ["Ann"]


async def test_an_item_passes_once_somebody_contributes_it_who_did_not(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("cy")
    connect_as_documented(scene, "ben", HEADING)
    same = scene.add("cy", **ANN)
    await scene.settle()
    assert scene.names("ben") == []
    ann = scene.add("ada", **ANN)
    await scene.settle()
    assert scene.names("ben") == ["Ann"], "although nothing of the item changed"
    scene.remove("ada", ann)
    await scene.settle()
    assert scene.names("ben") == ["Ann"], "a deletion has its grace"
    scene.advance(1800)
    scene.edit("cy", same, jobTitle="Cook")
    await scene.settle()
    scene.advance(1900)
    await scene.settle()
    assert scene.names("ben") == [], "which nothing prolongs"
    scene.forget()
    report = await scene.settle()
    assert scene.writes() == []
    assert report.spokes["spoke-ben"].pending == {}


async def test_a_filter_on_spokes_that_is_changed_changes_what_is_there(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("cy")
    scene.add("ada", **ANN)
    scene.add("cy", displayName="Bob", email="bob@example.org")
    without_ada = Filter(none=(Condition("spoke", Operator.IN, ("default/ada",)),))
    scene.connect("ben", Direction.RECEIVE, receives=Flow(filter=without_ada))
    await scene.settle()
    assert scene.names("ben") == ["Bob"]
    scene.connect("ben", Direction.RECEIVE)
    await scene.settle()
    assert scene.names("ben") == ["Ann", "Bob"]


@pytest.mark.parametrize(
    ("operator", "direction"),
    [(Operator.EXISTS, Direction.TWO_WAY), (Operator.IN, Direction.CONTRIBUTE)],
)
async def test_a_filter_on_spokes_that_means_nothing_is_refused(
    scene: Scene, operator: Operator, direction: Direction
) -> None:
    values = ("default/ada",) if operator is Operator.IN else ()
    flow = Flow(filter=Filter(all=(Condition("spoke", operator, values),)))
    part = "receives" if direction is Direction.TWO_WAY else "contributes"
    scene.connect("ben", direction, **{part: flow})
    problem = (await scene.sync()).spokes["spoke-ben"].problem
    assert problem is not None
    assert problem.message.startswith("filter: ")
