"""Erasing a spoke leaves the hub as if it had never contributed (invariant 15): two towns live the
same story by chance, one of them without the leaver. When that is erased, nobody can tell them
apart.

`CIRAHUB_CHAOS=full` tells many more stories.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from tests.chaos.conftest import OpenScene
from tests.chaos.town import OWN_TO_EACH, quiet
from tests.engine.conftest import Scene

from cirahub_sync.configuration import DeletionLimits, Direction

HOUSES = {
    "ada": Direction.CONTRIBUTE,
    "ben": Direction.TWO_WAY,
    "cy": Direction.TWO_WAY,
    "dee": Direction.RECEIVE,
}
LEAVER = "lea"
PEOPLE = 5
SCALARS = ("jobTitle", "department", "officeLocation", "personalNotes")
ACTS = 24
STORIES = range(60 if os.environ.get("CIRAHUB_CHAOS") == "full" else 8)


class Story:
    """What happens in both towns, or to the leaver in the first only, by chance. Users see
    different things there: each does only what makes the same difference in both."""

    def __init__(self, seed: int, both: tuple[Scene, Scene]) -> None:
        self.chance = random.Random(seed)
        self.both = both
        self.count = 0
        self._known: set[tuple[str, int]] = set()
        """Who has added whom: nobody twice."""

    def act(self) -> None:
        house = self.chance.choice([*HOUSES, LEAVER, LEAVER])
        person = self.chance.randrange(PEOPLE)
        self.count += 1
        towns = self.both[:1] if house == LEAVER else self.both
        name = f"Person {person}"
        there = [name in scene.names(house) for scene in towns]
        if not any(there) and (house, person) not in self._known and house != "dee":
            self._known.add((house, person))
            body = self._fields(house)
            for scene in towns:
                scene.add(house, displayName=name, email=f"p{person}@x.example", **body)
        elif all(there) and house != "dee":
            self._change(house, name, towns)

    def _change(self, house: str, name: str, towns: tuple[Scene, ...]) -> None:
        kind = self.chance.random()
        field, value = self.chance.choice(SCALARS), f"{house} {self.count}"
        seen = [scene.the(house, name) for scene in towns]
        if 0.6 <= kind < 0.7 and not all(contact[field] for contact in seen):
            return  # somebody would take nothing away
        if kind >= 0.9 and len({_of_others(contact) for contact in seen}) > 1:
            return  # the leaver has taken something away already
        for scene in towns:
            contact = scene.the(house, name)
            if kind < 0.15:
                scene.remove(house, contact["id"])
            elif kind < 0.6:
                scene.edit(house, contact["id"], **{field: value})
            elif kind < 0.7:
                scene.edit(house, contact["id"], **{field: ""})
            elif kind < 0.9:
                scene.edit(house, contact["id"], categories=[*contact["categories"], value])
            else:
                scene.edit(house, contact["id"], categories=[])

    def _fields(self, house: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            field: f"{house} {self.count}" for field in SCALARS if self.chance.random() < 0.5
        }
        body["categories"] = [f"{house} {self.count}", "all"]
        return body


def _of_others(contact: dict[str, Any]) -> frozenset[str]:
    return frozenset(each for each in contact["categories"] if not each.startswith(LEAVER))


def shown(scene: Scene, house: str) -> list[dict[str, Any]]:
    contacts = [
        {key: value for key, value in contact.items() if key not in OWN_TO_EACH}
        for contact in scene.held(house)
    ]
    for contact in contacts:
        contact["categories"] = sorted(contact["categories"])
    return sorted(contacts, key=lambda contact: str(contact["displayName"]))


def _settle_in(scene: Scene, *, leaver: int | None) -> None:
    scene.configure(deletion=DeletionLimits(grace_period=3600.0, max_count=50, max_percent=100))
    houses = list(HOUSES.items())
    if leaver is not None:
        houses.insert(leaver, (LEAVER, Direction.TWO_WAY))
    for house, direction in houses:
        scene.connect(house, direction)


@pytest.mark.parametrize("seed", STORIES)
async def test_a_town_that_a_spoke_was_erased_from_is_as_if_it_had_never_been_there(
    open_scene: OpenScene, seed: int
) -> None:
    async with open_scene("with") as first, open_scene("without") as second:
        both = (first, second)
        story = Story(seed, both)
        _settle_in(first, leaver=story.chance.randrange(5))
        _settle_in(second, leaver=None)

        async def everywhere(act: Callable[[Scene], None]) -> None:
            for scene in both:
                act(scene)
                await scene.settle()

        for _ in range(ACTS):
            story.act()
            await everywhere(lambda scene: scene.admin.advance(60))
            for scene in both:
                scene.advance(60)
        report = await first.erase(LEAVER)
        assert report.complete, report
        for scene in both:
            scene.advance(7200)
            await quiet(scene)
        for house in HOUSES:
            left, right = shown(first, house), shown(second, house)
            names = [[contact["displayName"] for contact in side] for side in (left, right)]
            assert names[0] == names[1], house
            assert [
                (house, here["displayName"], key, value, there[key])
                for here, there in zip(left, right, strict=True)
                for key, value in here.items()
                if value != there[key]
            ] == []
        assert (await first.sync()).items == (await second.sync()).items
