"""What a receiver lacks it has after one pass, however much that is."""

from __future__ import annotations

import pytest

from cirahub_sync.configuration import Direction
from cirahub_sync.engine import errands

from .conftest import Scene


@pytest.mark.every_database
@pytest.mark.parametrize("many", [4, 5, 6, 13])
async def test_a_pass_delivers_more_than_it_looks_at_at_a_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(errands, "CHUNK", 5)
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    for number in range(many):
        scene.add("ada", displayName=f"P{number:02}")

    report = await scene.sync()

    assert report.spokes["spoke-ben"].problem is None
    assert scene.names("ben") == [f"P{number:02}" for number in range(many)]
    assert report.pending == 0


@pytest.mark.every_database
async def test_what_is_due_again_goes_with_what_changed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused create waits; it is due in the pass that brings other changes in full portions."""
    monkeypatch.setattr(errands, "CHUNK", 5)
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE)
    scene.add("ada", displayName="Refused")
    rule = scene.admin.add_rule("status", method="POST", path="/contacts$", status=400, count=2)
    await scene.sync()
    assert scene.names("ben") == []
    scene.admin.remove_rule(rule)
    for number in range(10):
        scene.add("ada", displayName=f"P{number:02}")
    scene.advance(2 * 86_400.0)

    await scene.sync()

    assert len(scene.names("ben")) == 11
