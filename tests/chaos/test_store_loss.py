"""The database lost or restored: the copies out there are known again by their stamps
(invariant 16)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.chaos.backup import backup, restore
from tests.chaos.conftest import simulated
from tests.chaos.tape import Tape, tape
from tests.chaos.town import SMALL, House, Town, quiet, verified
from tests.engine.conftest import Scene

from cirahub_simulator.switches import Switches
from cirahub_sync.configuration import Direction

pytestmark = pytest.mark.every_database

__all__ = ["tape"]

STRANGERS = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(8), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(8, 12), "department"),
        House("cy", Direction.TWO_WAY, range(12, 15), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
        House("eve", Direction.RECEIVE, folder="Team"),
    ),
    keyed=False,
)
"""Nobody has an address or anything else to be recognised by."""


@pytest.mark.parametrize("town", [SMALL, STRANGERS], ids=["keys", "no keys"])
async def test_a_lost_database_duplicates_nothing(scene: Scene, town: Town) -> None:
    town.settle_in(scene)
    await quiet(scene)
    town.assert_whole(scene)
    before = town.contents(scene)
    await scene.lose_store()
    scene.forget()
    await quiet(scene)
    assert [w for w in scene.writes() if w["method"] == "POST"] == [], "nothing is created again"
    await verified(scene)
    town.assert_whole(scene)
    assert town.contents(scene) == before


@pytest.mark.parametrize("town", [SMALL, STRANGERS], ids=["keys", "no keys"])
async def test_an_edit_of_a_copy_made_before_the_loss_was_noticed_is_kept(
    scene: Scene, town: Town
) -> None:
    town.settle_in(scene)
    await quiet(scene)
    scene.simulator.admin.advance(60)
    scene.edit("ben", scene.the("ben", "Person 001")["id"], mobilePhone="+1 425 555 0100")
    scene.edit("cy", scene.the("cy", "Person 009", "Team")["id"], profession="Baker")
    await scene.lose_store()
    await quiet(scene)
    await verified(scene)
    town.assert_whole(scene)
    for house in town.houses:
        if house.direction.receives:
            first = scene.the(house.name, "Person 001", house.folder)
            assert first["mobilePhone"] == "+1 425 555 0100", house.name
            assert scene.the(house.name, "Person 009", house.folder)["profession"] == "Baker"


@pytest.mark.parametrize("editor", ["dee", "ben"])
async def test_a_copy_edited_while_a_lost_store_is_made_anew_is_there_once(
    tmp_path: Path, editor: str
) -> None:
    with simulated(Switches(delta_delay="five-seconds")) as simulator:
        scene = Scene(simulator, tmp_path)
        try:
            SMALL.settle_in(scene)
            scene.admin.advance(60)
            await quiet(scene)
            await verified(scene)
            scene.admin.advance(60)
            copy = scene.the(editor, "Person 001")["immutableId"]
            await scene.lose_store()
            scene.edit(editor, copy, mobilePhone="+1 425 555 0100")
            await scene.sync()
            assert scene.names(editor).count("Person 001") == 2, "the delta shows it later"

            scene.admin.advance(60)
            await quiet(scene)
            await verified(scene)
            SMALL.assert_whole(scene)
            assert scene.the(editor, "Person 001")["immutableId"] == copy
            edited = scene.the("cy", "Person 001", "Team")["mobilePhone"]
            assert (edited == "+1 425 555 0100") == (editor == "ben")
        finally:
            await scene.worker.close()


@pytest.mark.parametrize("town", [SMALL, STRANGERS], ids=["keys", "no keys"])
@pytest.mark.parametrize("away", ["ada", "ben"])
async def test_a_contributor_that_is_away_after_the_loss_loses_and_doubles_nothing(
    scene: Scene, town: Town, away: str
) -> None:
    town.settle_in(scene)
    await quiet(scene)
    before = town.contents(scene)
    await scene.lose_store()
    mailbox = scene.simulator.world.directory.find_user(scene.mailbox(away))
    assert mailbox is not None
    rule = scene.admin.add_rule(
        "status", service="graph", path=f"/users/({mailbox.id}|{away}@)", status=403
    )
    for _ in range(3):
        report = await scene.sync()
        scene.advance(7200.0)
    assert report.spokes[f"spoke-{away}"].problem is not None
    assert town.found(scene) == town.expected()
    scene.admin.remove_rule(rule)
    await quiet(scene)
    await verified(scene)
    town.assert_whole(scene)
    assert town.contents(scene) == before


async def test_a_database_restored_from_before_the_copies_duplicates_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    SMALL.settle_in(scene)
    await scene.worker.plan(scene.hub, list(scene.spokes.values()))
    backup(scene, tmp_path / "backup")
    await quiet(scene)
    before = SMALL.contents(scene)
    await restore(scene, tmp_path / "backup")
    scene.forget()
    await quiet(scene)
    assert [w for w in scene.writes() if w["method"] == "POST"] == []
    await verified(scene)
    SMALL.assert_whole(scene)
    assert SMALL.contents(scene) == before


async def test_a_database_restored_from_yesterday_takes_up_what_happened_since(
    scene: Scene, tmp_path: Path
) -> None:
    SMALL.settle_in(scene)
    await quiet(scene)
    backup(scene, tmp_path / "backup")
    scene.simulator.admin.advance(60)
    newcomer = scene.add("ada", displayName="Newcomer", email="new@example.org")
    scene.edit("ben", scene.the("ben", "Person 002")["id"], mobilePhone="+1 425 555 0100")
    scene.remove("ada", scene.the("ada", "Person 003")["id"])
    await quiet_but_pending(scene)
    scene.advance(7200.0)
    await quiet(scene)
    assert scene.names("dee").count("Newcomer") == 1
    assert "Person 003" not in scene.names("dee")
    scene.edit("ada", newcomer, jobTitle="Baker")
    await restore(scene, tmp_path / "backup")
    await quiet_but_pending(scene)
    scene.advance(7200.0)
    await quiet(scene)
    await verified(scene)
    for house in SMALL.houses:
        names = scene.names(house.name, house.folder)
        assert len(names) == len(set(names)), house.name
        if house.direction.receives:
            assert "Person 003" not in names
            assert scene.the(house.name, "Newcomer", house.folder)["jobTitle"] == "Baker"
            second = scene.the(house.name, "Person 002", house.folder)
            assert second["mobilePhone"] == "+1 425 555 0100"


@pytest.mark.parametrize("spoke", ["spoke-ben", "spoke-dee"])
async def test_a_database_restored_from_the_middle_of_a_pass_duplicates_nothing(
    scene: Scene, tape: Tape, tmp_path: Path, spoke: str
) -> None:
    """What it holds as read and not yet merged was read before the copies were made."""
    SMALL.settle_in(scene)
    caught: list[int] = []

    def committed(number: int) -> None:
        if not caught and read_and_not_merged(scene, spoke):
            caught.append(number)
            backup(scene, tmp_path / "backup")

    tape.committed = committed
    await quiet(scene)
    tape.committed = lambda number: None
    assert caught
    await restore(scene, tmp_path / "backup")
    scene.advance(61.0)
    await quiet(scene)
    await verified(scene)
    SMALL.assert_whole(scene)


def read_and_not_merged(scene: Scene, spoke: str) -> bool:
    query = "select 1 from cursors where spoke = :spoke and staged is not null"
    return scene.keep.rows(query, spoke=spoke) != []


async def quiet_but_pending(scene: Scene) -> None:
    """Passes until nothing is written; deletions may wait for their grace period."""
    for _ in range(6):
        report = await scene.sync()
        if not report.written:
            return
        scene.advance(1.0)
    raise AssertionError(f"still writing: {report.written}")
