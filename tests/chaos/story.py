"""A story in which everything happens that a hub knows: seven spokes of two tenants and of every
direction; creates, edits, conflicts, deletions, moves, and one spoke that is erased.

Told undisturbed, it has one end. Told with a death of the worker in it, it has to have the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.chaos.conftest import TENANT_ABROAD
from tests.chaos.town import VERIFIED, House, Town, problems
from tests.engine.conftest import CLIENT, SECRET, TENANT, Scene

from cirahub_sync.configuration import (
    ClientSecretAuth,
    Condition,
    ConnectionConfig,
    DeletionLimits,
    Direction,
    Filter,
    Flow,
    MappingRule,
    Operator,
    SecretFile,
    SpokeConfig,
)

__all__ = ["SECRET", "TENANT"]

PASSES = 14
"""More than any end takes."""

VALLEY = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(4), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(3, 6), "department"),
        House("cy", Direction.TWO_WAY, range(6, 8), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
        House("fay", Direction.TWO_WAY, range(8, 10), "profession"),
        House("gus", Direction.RECEIVE),
        House("lea", Direction.TWO_WAY, range(9, 11), "officeLocation"),
    )
)
ABROAD = frozenset({"fay", "gus"})
"""Mailboxes of the other tenant."""
LEAVER = "lea"

CHOOSY = Flow(
    filter=Filter(none=(Condition("displayName", Operator.CONTAINS, ("001",)),)),
    mapping=(MappingRule(field="jobTitle", prefix="Their "),),
)
"""What gus receives."""

Step = Callable[[Scene], Awaitable[None]]
Calm = Callable[[Scene, Step], Awaitable[None]]
"""Takes a step until it is done, whatever happens meanwhile."""


@dataclass(frozen=True, slots=True)
class Story:
    """What a worker is killed in."""

    name: str
    town: Town
    live: Callable[[TwoTenants, Calm], Awaitable[None]]
    parted: frozenset[int] = frozenset()
    """Who is two people at its end."""


class TwoTenants(Scene):
    """Some of its mailboxes are in another tenant, behind a connection of its own."""

    abroad: frozenset[str] = ABROAD
    leaver: SpokeConfig
    gone = False
    """Whether the leaver is."""

    def mailbox(self, name: str) -> str:
        if name not in self.abroad:
            return super().mailbox(name)
        return self.user(name, f"{name}@fabrikam.example", TENANT_ABROAD)

    def connect(
        self, name: str, direction: Direction = Direction.CONTRIBUTE, **settings: Any
    ) -> SpokeConfig:
        spoke = super().connect(name, direction, **settings)
        if name in self.abroad:
            connection = ConnectionConfig(
                uid="connection-2",
                name="default/fabrikam",
                auth=ClientSecretAuth(TENANT_ABROAD, CLIENT, secret=SecretFile("test")),
            )
            spoke = msgspec.structs.replace(spoke, connection=connection)
            self.spokes[name] = spoke
        return spoke

    def tick(self, seconds: float = 60.0) -> None:
        """Time passes for everybody."""
        self.admin.advance(seconds)
        self.advance(seconds)


async def live(scene: TwoTenants, calm: Calm) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=0.0, max_count=50, max_percent=100))
    VALLEY.settle_in(scene)
    scene.connect("gus", Direction.RECEIVE, receives=CHOOSY)
    await calm(scene, quiet)
    for act in (edits, moves):
        scene.tick()
        act(scene)
        await calm(scene, quiet)
    scene.tick()
    await calm(scene, departure)
    scene.tick(VERIFIED)
    await calm(scene, quiet)


def edits(scene: Scene) -> None:
    """Each user changes something; ben and fay the same, unaware of each other."""
    scene.edit("ada", of(scene, "ada", 0), mobilePhone="+1 425 555 0100")
    scene.edit("ben", of(scene, "ben", 1), officeLocation="of ben")
    scene.edit("fay", of(scene, "fay", 1), officeLocation="of fay")
    scene.edit("cy", of(scene, "cy", 4, "Team"), department="Bread")
    scene.edit("lea", of(scene, "lea", 5), jobTitle="of lea")
    scene.edit("ben", of(scene, "ben", 6), birthday="1980-02-29T00:00:00Z")
    scene.remove("ada", of(scene, "ada", 2))
    scene.remove("dee", of(scene, "dee", 5))
    newcomer(scene, "ben", 20)
    newcomer(scene, "fay", 21)


def moves(scene: Scene) -> None:
    """One goes out of the folder and one comes into it; what was edited is edited again."""
    moved = of(scene, "cy", 7, "Team")
    scene.admin.move_contact(scene.mailbox("cy"), moved, [])
    scene.admin.move_contact(scene.mailbox("cy"), newcomer(scene, "cy", 22), ["Team"])
    scene.edit("fay", of(scene, "fay", 1), officeLocation="of fay again")
    scene.edit("ada", of(scene, "ada", 1), jobTitle="Baker")
    scene.remove("fay", of(scene, "fay", 21))


def newcomer(scene: Scene, house: str, number: int) -> str:
    """The id of a contact that a user makes."""
    return scene.add(
        house,
        displayName=f"Person {number:03}",
        givenName="Person",
        surname=f"{number:03}",
        email=f"person{number}@example.org",
    )


async def quiet(scene: Scene) -> None:
    """Passes until two in a row have nothing to do: what was done may take a while to show."""
    assert isinstance(scene, TwoTenants)
    calm = 0
    for _ in range(PASSES):
        scene.tick()
        report = await scene.sync()
        still = not problems(report) and not report.written and not report.pending
        calm = calm + 1 if still else 0
        if calm == 2:
            return
    raise NotQuietError(
        f"after {PASSES} passes: {report.written} written, {report.pending} pending, "
        f"{problems(report)}"
    )


async def departure(scene: Scene) -> None:
    """The leaver is erased. Asked for again by every new process, as an operator does."""
    assert isinstance(scene, TwoTenants)
    leaver = scene.spokes.pop(LEAVER, None)
    if leaver is not None:
        scene.leaver = leaver
    if not scene.gone:
        known = await scene.worker.leave_spoke(
            scene.hub, scene.leaver.uid, erase_at=scene.clock(), spoke=scene.leaver
        )
        for _ in range(PASSES):
            if not known:
                break
            report = await scene.worker.erase(scene.leaver.uid, spokes=list(scene.spokes.values()))
            known = not report.complete
            scene.tick()
        if known:
            raise NotQuietError(f"not erased after {PASSES} attempts: {report}")
        scene.gone = True
    await quiet(scene)


LIFE = Story("valley", VALLEY, live)


class NotQuietError(AssertionError):
    """It did not come to rest."""


def of(scene: Scene, house: str, number: int, folder: str = "") -> str:
    """The id of a person's contact."""
    (found,) = [
        contact["id"] for contact in scene.held(house, folder) if number_of(contact) == number
    ]
    return str(found)


def number_of(contact: dict[str, Any]) -> int:
    address = contact["emailAddresses"][0]["address"]
    return int(address.removeprefix("person").partition("@")[0])


def known(scene: Scene, house: str, folder: str = "") -> Counter[int]:
    """Who is there, and how often."""
    return Counter(number_of(contact) for contact in scene.held(house, folder))
