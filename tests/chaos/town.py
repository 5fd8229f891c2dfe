"""A town of people in six mailboxes, and how to tell that none was lost or doubled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.engine.conftest import Scene

from cirahub_sync.configuration import Direction
from cirahub_sync.engine.report import PassReport

OWN_TO_EACH = frozenset(
    {
        "id",
        "@odata.etag",
        "@odata.context",
        "changeKey",
        "immutableId",
        "createdDateTime",
        "lastModifiedDateTime",
        "parentFolderId",
        "singleValueExtendedProperties",
    }
)
"""What differs between two copies of one contact."""

VERIFIED = 2 * 86_400.0
"""Seconds after which every receiver is due to be verified."""


@dataclass(frozen=True)
class House:
    """A spoke, and the numbers of the people that its user has by themselves."""

    name: str
    direction: Direction
    people: range = range(0)
    field: str = ""
    """What this user alone knows of people."""
    folder: str = ""


@dataclass(frozen=True)
class Town:
    houses: tuple[House, ...]
    keyed: bool = True
    """Whether people have an address, so that those in two houses are recognised as one."""

    def person(self, number: int, house: House) -> dict[str, Any]:
        body: dict[str, Any] = {
            "displayName": f"Person {number:03}",
            "givenName": "Person",
            "surname": f"{number:03}",
        }
        if self.keyed:
            address = f"person{number}@example.org"
            body["emailAddresses"] = [{"address": address, "name": address}]
        if house.field:
            body[house.field] = f"{house.field} {number}"
        return body

    def settle_in(self, scene: Scene) -> None:
        """Connect every house and give it its people."""
        for house in self.houses:
            scene.connect(house.name, house.direction, folder=house.folder)
            scene.admin.import_contacts(
                scene.mailbox(house.name),
                [self.person(number, house) for number in house.people],
                house.folder.split("/") if house.folder else [],
            )

    def everybody(self) -> set[str]:
        return {f"Person {number:03}" for house in self.houses for number in house.people}

    def expected(self) -> dict[str, Counter[str]]:
        """By house: who is there when all is done, and how often. Without keys, somebody whom two
        houses know is two people."""
        if self.keyed:
            known = Counter(self.everybody())
        else:
            known = Counter(f"Person {n:03}" for house in self.houses for n in house.people)
        return {
            house.name: known
            if house.direction.receives
            else Counter(f"Person {n:03}" for n in house.people)
            for house in self.houses
        }

    def found(self, scene: Scene) -> dict[str, Counter[str]]:
        return {
            house.name: Counter(
                contact["displayName"] for contact in scene.held(house.name, house.folder)
            )
            for house in self.houses
        }

    def assert_whole(self, scene: Scene) -> None:
        """Nobody lost, nobody doubled."""
        found, expected = self.found(scene), self.expected()
        doubled = {name: +(found[name] - expected[name]) for name in expected}
        lost = {name: +(expected[name] - found[name]) for name in expected}
        assert (
            {name: who for name, who in doubled.items() if who},
            {name: who for name, who in lost.items() if who},
        ) == ({}, {}), "doubled, lost"

    def contents(self, scene: Scene) -> dict[str, list[str]]:
        """By house: every contact's content, to compare the ends of two runs."""
        return {
            house.name: sorted(
                repr(sorted((k, v) for k, v in contact.items() if k not in OWN_TO_EACH))
                for contact in scene.held(house.name, house.folder)
            )
            for house in self.houses
        }


SMALL = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(8), "jobTitle"),
        House("ben", Direction.TWO_WAY, range(6, 12), "department"),
        House("cy", Direction.TWO_WAY, range(11, 15), "companyName", "Team"),
        House("dee", Direction.RECEIVE),
        House("eve", Direction.RECEIVE, folder="Team"),
    )
)
"""15 people."""

LARGE = Town(
    (
        House("ada", Direction.CONTRIBUTE, range(90), "jobTitle"),
        House("ben", Direction.CONTRIBUTE, range(70, 130), "department"),
        House("cy", Direction.TWO_WAY, range(120, 160), "companyName"),
        House("dee", Direction.TWO_WAY, range(150, 190), "officeLocation", "Team"),
        House("eve", Direction.RECEIVE),
        House("flo", Direction.RECEIVE, folder="Team"),
    )
)
"""230 contacts of 190 people."""


def problems(report: PassReport) -> list[str]:
    found = [report.problem, *(spoke.problem for spoke in report.spokes.values())]
    return [f"{problem.reason}: {problem.message}" for problem in found if problem is not None]


async def quiet(scene: Scene, *, within: int = 6) -> int:
    """Run passes until one has nothing to do and nothing to complain of; how many it took. Each
    starts a minute after the one before, so that what backs off for seconds is due again."""
    for number in range(1, within + 1):
        report = await scene.sync()
        if not problems(report) and not report.written and not report.pending:
            return number
        scene.advance(61.0)
    raise AssertionError(
        f"not quiet after {within} passes: {report.written} written, {report.pending} pending, "
        f"{problems(report)}"
    )


async def verified(scene: Scene, *, within: int = 6) -> int:
    """Let every receiver be verified, and what that shows be put right."""
    scene.advance(VERIFIED)
    return await quiet(scene, within=within)
