"""A sample of what `make chaos` plays in full: deaths while a hub does what people ask for."""

from __future__ import annotations

import asyncio

import pytest
from tests.chaos.campaign import sample
from tests.chaos.crash import Undisturbed, crash, opened, undisturbed
from tests.chaos.story import NotQuietError
from tests.chaos.wishes import STAGES, WISHES, still

from cirahub_sync.configuration import Direction

SAMPLE = 12


@pytest.fixture(scope="module")
def whole() -> Undisturbed:
    return asyncio.run(undisturbed({}, WISHES))


def test_what_was_asked_for_is_done_at_the_end(whole: Undisturbed) -> None:
    people = {0, 1, 2, 4, 5, 6, 30}
    assert {house: set(who) for house, who in whole.end.people.items()} == {
        "ada": {0, 1, 4},  # 2 was deleted and is kept by the hub, 3 was deleted
        "ben": people,
        "cy": (people | {7}) - {1},  # 1 and 7 are one, which is cy's own; 8 was taken back
        "dee": people,
        "gus": people,
    }
    assert whole.end.people["dee"][4] == 2


def test_death_while_people_ask_for_things_does_nothing_twice_and_loses_nothing(
    whole: Undisturbed,
) -> None:
    for boundary in sample(whole.boundaries(), SAMPLE, seed=7):
        found = asyncio.run(crash({}, boundary, whole, WISHES))
        assert found.died, boundary
        assert not found.any, (str(boundary), found.why)


async def test_more_than_a_stage_lets_in_is_told() -> None:
    async with opened({}) as scene:
        WISHES.town.settle_in(scene)
        scene.connect("dee", Direction.RECEIVE, stages=STAGES)
        await still(scene)
        scene.add("dee", displayName="Person 050", email="person50@example.org")
        with pytest.raises(NotQuietError, match=r"3 people in dee.s first sync, of whom 2 may be"):
            await still(scene)
