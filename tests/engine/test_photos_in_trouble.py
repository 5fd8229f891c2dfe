"""Photos that fail, and photos of who leaves."""

from __future__ import annotations

import pytest
from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction

from .photos import ANN, Photos, jpeg, kept, settled, whose


@pytest.mark.parametrize("on", [True, False])
async def test_who_leaves_takes_their_photo_along(scene: Scene, photos: Photos, on: bool) -> None:
    """Also where photos have been switched off since."""
    scene.connect("ada", Direction.TWO_WAY)
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    for name in ("ada", "ben"):
        scene.add(name, **ANN)
    photos.put("ada", jpeg("red", quality=95))
    await settled(scene)
    assert photos.colour("cy") == "red"
    if not on:
        scene.configure(photo_interval=None)
        await scene.settle()

    report = await scene.erase("ada")

    assert (report.complete, photos.of("cy")) == (True, None)
    assert (kept(scene), whose(scene)) == (0, [])


async def test_a_photo_that_cannot_be_taken_away_keeps_an_erasure_open(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben")
    scene.connect("cy", Direction.RECEIVE)
    for name in ("ada", "ben"):
        scene.add(name, **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)
    rule = scene.admin.add_rule(
        "status", status=503, service="graph", method="DELETE", path="/photo/"
    )

    leaver = await scene.leave("ada")
    report = await scene.worker.erase(leaver.uid, spokes=list(scene.spokes.values()))
    assert (report.complete, report.copies_remaining) == (False, 1)

    scene.admin.remove_rule(rule)
    scene.advance(3600.0)
    report = await scene.worker.erase(leaver.uid, spokes=list(scene.spokes.values()))
    assert (report.complete, photos.of("cy")) == (True, None)


async def test_after_a_lost_store_photos_of_ours_are_nobodys_own(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.TWO_WAY)
    scene.connect("cy", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    await settled(scene)

    await scene.lose_store()
    await settled(scene)
    assert whose(scene) == ["spoke-ada"]

    photos.put("ada", None)
    await settled(scene)
    assert (photos.of("ben"), photos.of("cy")) == (None, None)


async def test_a_photo_that_fails_holds_nothing_else_up(scene: Scene, photos: Photos) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    scene.admin.add_rule(
        "status", status=500, service="graph", method="PUT", path="/photo/", count=1
    )

    report = await scene.sync()

    assert [one.problem for one in report.spokes.values()] == [None, None]
    assert report.spokes["spoke-ben"].counts.photos_failed == 1
    scene.advance(60.0)
    await settled(scene)
    assert photos.colour("ben") == "red"


async def test_a_photo_that_the_service_refuses_is_not_sent_at_every_pass(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    rule = scene.admin.add_rule("status", status=415, service="graph", method="PUT", path="/photo/")
    report = await scene.sync()
    assert report.spokes["spoke-ben"].counts.photos_refused == 1
    scene.forget()
    await scene.sync(3)
    assert photos.writes == []

    scene.admin.remove_rule(rule)
    photos.put("ada", jpeg("green"))
    scene.add("ada", displayName="Bob", email="bob@example.org")
    await settled(scene)
    assert photos.colour("ben") == "green", "another one is tried at once"


async def test_an_access_that_is_missing_for_photos_makes_its_spoke_not_ready(
    scene: Scene, photos: Photos
) -> None:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", **ANN)
    photos.put("ada", jpeg("red"))
    rule = scene.admin.add_rule("status", status=403, service="graph", method="PUT", path="/photo/")

    report = await scene.sync()

    problem = report.spokes["spoke-ben"].problem
    assert problem is not None
    assert problem.reason == "AccessDenied"
    scene.admin.remove_rule(rule)
    await settled(scene)
    assert photos.colour("ben") == "red"
