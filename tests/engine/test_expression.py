"""A filter's expression in CEL: what passes, and what becomes of what it can't be evaluated for."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Direction, Filter, Flow

from .conftest import Scene
from .page import connect_as_documented

ANN = {"displayName": "Ann", "email": "ann@contoso.com"}
BOB = {"displayName": "Bob", "email": "bob@example.org"}
FIRST = "item.emails[0].address.endsWith('@contoso.com')"


def by(expression: str) -> Flow:
    return Flow(filter=Filter(expression=expression))


async def test_what_conditions_cannot_say_as_documented(scene: Scene) -> None:
    scene.connect("ada")
    connect_as_documented(scene, "ben", "What conditions can't say")
    scene.add("ada", **ANN)
    scene.add("ada", **BOB)
    scene.add("ada", displayName="Cy", email="cy@contoso.com", categories=["Private"])
    await scene.settle()
    assert scene.names("ben") == ["Ann"]


async def test_an_expression_that_changes_changes_what_is_there(scene: Scene) -> None:
    scene.connect("ada", contributes=by("item.displayName == 'Ann'"))
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    scene.add("ada", **BOB)
    await scene.settle()
    assert scene.names("ben") == ["Ann"]
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, receives=by("item.displayName != 'Ann'"))
    await scene.settle()
    scene.advance(3700)
    await scene.settle()
    assert scene.names("ben") == ["Bob"]


async def test_a_copy_that_cannot_be_judged_any_more_stays_as_it_is(scene: Scene) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, receives=by(FIRST))
    ann = scene.add("ada", **ANN)
    scene.add("ada", displayName="Cy")
    report = await scene.settle()
    assert scene.names("ben") == ["Ann"], "nothing new is made of what can't be judged"
    assert report.spokes["spoke-ben"].pending == {"Unjudged": 1}
    scene.edit("ada", ann, emailAddresses=[], jobTitle="Cook")
    scene.forget()
    report = await scene.settle()
    scene.advance(100_000)
    report = await scene.settle()
    assert scene.names("ben") == ["Ann"]
    assert not [write for write in scene.writes() if "ben" in str(write)]
    assert report.spokes["spoke-ben"].pending == {"Unjudged": 2}
    unjudged = report.spokes["spoke-ben"].unjudged
    assert unjudged is not None
    assert unjudged.count == 2
    scene.connect("ben", Direction.RECEIVE, receives=by(f"size(item.emails) == 0 || {FIRST}"))
    report = await scene.settle()
    assert scene.names("ben") == ["Ann", "Cy"]
    assert report.spokes["spoke-ben"].pending == {}
    assert report.spokes["spoke-ben"].unjudged is None


async def test_a_contact_that_cannot_be_judged_counts_as_it_did(scene: Scene) -> None:
    scene.connect("ada", contributes=by(FIRST))
    scene.connect("ben", Direction.RECEIVE)
    ann = scene.add("ada", **ANN)
    scene.add("ada", displayName="Cy")
    report = await scene.settle()
    assert scene.names("ben") == ["Ann"]
    assert report.spokes["spoke-ada"].counts.unreadable == 1
    scene.edit("ada", ann, emailAddresses=[], jobTitle="Cook")
    await scene.settle()
    scene.advance(100_000)
    report = await scene.settle()
    assert scene.names("ben") == ["Ann"]
    assert report.spokes["spoke-ada"].counts.unreadable == 2
    scene.connect("ada", contributes=by(f"size(item.emails) == 0 || {FIRST}"))
    report = await scene.settle()
    assert scene.names("ben") == ["Ann", "Cy"]
    assert report.spokes["spoke-ada"].counts.unreadable == 0


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("item.nope == 'x'", "line 1, column 5: undeclared reference to 'item.nope'"),
        ("item.jobTitle.matches('(')", "a regular expression in it is none of RE2"),
    ],
)
async def test_an_expression_that_is_none_stops_its_spoke_alone(
    scene: Scene, expression: str, says: str
) -> None:
    scene.connect("ada", contributes=by(expression))
    scene.connect("cy")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("cy", **BOB)
    report = await scene.sync(2)
    problem = report.spokes["spoke-ada"].problem
    assert problem is not None
    assert (problem.reason, problem.stalled) == ("InvalidConfiguration", True)
    assert says in problem.message
    assert scene.names("ben") == ["Bob"]


async def test_an_expression_cannot_ask_for_what_never_syncs(scene: Scene) -> None:
    scene.connect("ada", contributes=by("item.notes == ''"), never_sync=("notes",))
    problem = (await scene.sync()).spokes["spoke-ada"].problem
    assert problem is not None
    assert "asks for notes" in problem.message
