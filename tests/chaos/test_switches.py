"""Two-way sync under every setting of what Microsoft leaves open: it converges, is quiet and
doubles nothing, whichever it is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.chaos.conftest import simulated
from tests.chaos.settings import Setting, choices, single, switches
from tests.chaos.town import OWN_TO_EACH, House, Town, problems
from tests.engine.conftest import Scene

from cirahub_sync.configuration import DeletionLimits, Direction

HAMLET = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(4), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(3, 6), "department"),
        House("cy", Direction.TWO_WAY, range(6, 7), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
    )
)


def settings() -> list[Setting]:
    """Every single departure from the likeliest behaviour, and all of them together."""
    return [*single(), {name: values[-1] for name, values in choices().items()}]


def name(setting: Setting) -> str:
    if len(setting) > 1:
        return "all"
    return "-".join(f"{key}={value}" for key, value in setting.items()) or "likeliest"


async def quiet(scene: Scene) -> None:
    """Passes until two in a row have nothing to do: what was done may take a while to show."""
    calm = 0
    for _ in range(10):
        scene.admin.advance(60)
        scene.advance(60)
        report = await scene.sync()
        assert problems(report) == []
        calm = calm + 1 if not report.written and not report.pending else 0
        if calm == 2:
            return
    raise AssertionError(f"not quiet: {report.written} written, {report.pending} pending")


async def let_a_day_go_by(scene: Scene) -> None:
    scene.admin.advance(2 * 86_400)
    scene.advance(2 * 86_400)
    await quiet(scene)


def known(scene: Scene, house: str, folder: str = "") -> Counter[int]:
    """The numbers of the people there."""
    return Counter(
        int(contact["emailAddresses"][0]["address"].removeprefix("person").partition("@")[0])
        for contact in scene.held(house, folder)
    )


def of(scene: Scene, house: str, number: int, folder: str = "") -> str:
    """The id of a person's contact."""
    address = f"person{number}@example.org"
    (found,) = [
        contact["id"]
        for contact in scene.held(house, folder)
        if contact["emailAddresses"][0]["address"] == address
    ]
    return str(found)


def contents(scene: Scene, house: str, folder: str = "") -> Counter[str]:
    """Without the time of day of a birthday, which is a date to the hub."""
    return Counter(
        repr(
            sorted(
                (key, value[:10] if key == "birthday" and value else value)
                for key, value in contact.items()
                if key not in OWN_TO_EACH and value
            )
        )
        for contact in scene.held(house, folder)
    )


@pytest.mark.parametrize("setting", settings(), ids=name)
async def test_two_way_sync_converges_and_doubles_nothing_with(
    tmp_path: Path, setting: Setting
) -> None:
    with simulated(switches(setting)) as simulator:
        scene = Scene(simulator, tmp_path)
        scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
        try:
            await check(scene)
        finally:
            await scene.worker.close()


async def check(scene: Scene) -> None:
    HAMLET.settle_in(scene)
    await live(scene)
    await let_a_day_go_by(scene)
    scene.forget()
    await scene.sync()
    assert scene.writes() == []
    one = {0: 2, 1: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    assert known(scene, "ada") == {0: 1, 1: 1, 3: 1}
    assert known(scene, "ben") == one
    assert known(scene, "cy", "Team") == one
    assert known(scene, "dee") == {0: 2, 1: 1, 3: 1, 4: 1, 6: 2}
    assert contents(scene, "ben") == contents(scene, "cy", "Team")
    assert not set(contents(scene, "dee")) - set(contents(scene, "ben"))
    assert scene.the("ben", "Person 004")["officeLocation"] == "Room 4"


async def live(scene: Scene) -> None:
    """What users do, and the passes in between."""
    await quiet(scene)
    assert known(scene, "dee") == Counter(range(7))
    scene.edit("ada", of(scene, "ada", 0), mobilePhone="+1 425 555 0100")
    scene.edit("ben", of(scene, "ben", 1), givenName="Anna", birthday="1980-02-29T10:37:00Z")
    scene.edit("cy", of(scene, "cy", 4, "Team"), officeLocation="Room 4")
    scene.remove("ada", of(scene, "ada", 2))
    scene.remove("dee", of(scene, "dee", 5))
    wanderer = of(scene, "cy", 0, "Team")
    moved = scene.admin.move_contact(scene.mailbox("cy"), wanderer, [])
    await quiet(scene)
    assert known(scene, "cy", "Team") == {1: 1, 3: 1, 4: 1, 5: 1, 6: 1}
    back = scene.admin.move_contact(scene.mailbox("cy"), moved["id"], ["Team"])
    await let_a_day_go_by(scene)
    if scene.simulator.world.switches.delta_loses_returned_items:
        # Nothing tells that it is back until its next change.
        scene.edit("cy", back["id"], surname="000")
        await quiet(scene)
    scene.admin.copy_contact(scene.mailbox("ben"), of(scene, "ben", 0))
    scene.admin.copy_contact(scene.mailbox("dee"), of(scene, "dee", 6))
    await quiet(scene)
