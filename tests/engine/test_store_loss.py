"""A store that was lost, or restored from before, duplicates nothing (invariant 16)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cirahub_sync.configuration import Direction

from .conftest import Scene

pytestmark = pytest.mark.every_database


@pytest.fixture
async def three(scene: Scene) -> Scene:
    scene.connect("ada")
    scene.connect("ben", Direction.RECEIVE, folder="Team")
    scene.connect("cy", Direction.TWO_WAY)
    for number in range(25):
        scene.add("ada", displayName=f"P{number:02}", email=f"p{number}@example.org")
    scene.add("ada", displayName="Nobody's address")
    scene.add("cy", displayName="Cy's own", email="own@example.org")
    await scene.settle()
    return scene


def _ids(scene: Scene) -> dict[str, list[str]]:
    return {
        name: sorted(contact["id"] for contact in scene.held(name, folder))
        for name, folder in (("ada", ""), ("ben", "Team"), ("cy", ""))
    }


async def test_a_lost_store_writes_nothing_and_finds_every_copy_again(three: Scene) -> None:
    before = _ids(three)
    await three.lose_store()
    three.forget()
    report = await three.settle()
    assert three.writes() == []
    assert _ids(three) == before
    assert report.spokes["spoke-ben"].counts.copies == 27


async def test_after_a_lost_store_edits_and_deletions_still_travel(three: Scene) -> None:
    await three.lose_store()
    await three.settle()
    three.edit("ada", three.the("ada", "P00")["id"], jobTitle="Baker")
    three.edit("cy", three.the("cy", "Cy's own")["id"], jobTitle="Brewer")
    three.remove("ada", three.the("ada", "P01")["id"])
    await three.settle()
    three.advance(3700)
    await three.settle()
    assert three.the("ben", "P00", "Team")["jobTitle"] == "Baker"
    assert three.the("ben", "Cy's own", "Team")["jobTitle"] == "Brewer"
    assert "P01" not in three.names("ben", "Team")
    assert "P01" not in three.names("cy")


async def test_a_store_restored_from_before_duplicates_nothing(
    three: Scene, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    three.keep.save(backup)
    for number in range(25, 40):
        three.add("ada", displayName=f"P{number:02}", email=f"p{number}@example.org")
    three.edit("ada", three.the("ada", "P00")["id"], jobTitle="Baker")
    await three.settle()
    before = _ids(three)
    await three.restart(before=lambda: three.keep.put_back(backup))
    await three.settle()
    assert _ids(three) == before
    assert three.the("ben", "P00", "Team")["jobTitle"] == "Baker"


async def test_a_contact_deleted_while_the_store_was_lost_goes_after_its_grace(
    three: Scene,
) -> None:
    three.remove("ada", three.the("ada", "P03")["id"])
    await three.lose_store()
    await three.settle()
    assert "P03" in three.names("ben", "Team")
    three.advance(3700)
    await three.settle()
    assert "P03" not in three.names("ben", "Team")
    assert len(three.held("ben", "Team")) == 26


async def test_copies_are_no_orphans_while_their_source_cannot_be_read(three: Scene) -> None:
    before = _ids(three)
    await three.lose_store()
    three.advance(7200)
    rule = three.admin.add_rule(
        "status", service="graph", status=403, path=three.mailbox("ada").replace(".", r"\.")
    )
    for _ in range(3):
        await three.sync()
        three.advance(7200)
    assert _ids(three) == before
    three.admin.remove_rule(rule)
    three.advance(7200)
    await three.settle()
    assert _ids(three) == before


async def test_copies_are_no_orphans_while_their_source_has_no_connection(three: Scene) -> None:
    """It is not among the spokes of a pass at all then, and is only counted."""
    before = _ids(three)
    await three.lose_store()
    three.advance(7200)
    ada = three.spokes.pop("ada")
    for _ in range(3):
        await three.sync(absent=1)
        three.advance(7200)
    assert _ids(three) == before
    three.spokes["ada"] = ada
    await three.settle()
    assert _ids(three) == before
