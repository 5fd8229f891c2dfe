"""A few of the examples that `make chaos` plays by the thousand, the same ones every time."""

from __future__ import annotations

import pytest
from tests.chaos.campaign import Part, parts_of_deaths, parts_of_examples, play
from tests.chaos.settings import choices, combined, single

WORST = {name: values[-1] for name, values in choices().items()}
"""Every switch as it is least likely."""


@pytest.mark.parametrize("number", range(2))
def test_a_hub_is_as_the_reference_says_whatever_happens(number: int) -> None:
    found = play(Part({}, examples=14, seed=41 + number))
    assert not found.bad, "\n".join(found.told)
    assert found.examples >= 14


@pytest.mark.parametrize("setting", [WORST, *combined(1, 3)], ids=["least likely", "by chance"])
def test_a_hub_is_as_the_reference_says_with_other_switches(setting: dict[str, object]) -> None:
    found = play(Part(setting, examples=10, seed=5))
    assert not found.bad, "\n".join(found.told)


def test_every_value_of_every_switch_is_played() -> None:
    values = {(name, value) for name, each in choices().items() for value in each}
    for parts in (parts_of_examples(2000, 1), parts_of_deaths(550, 1)):
        played = {
            (name, part.setting.get(name, each[0]))
            for part in parts
            for name, each in choices().items()
        }
        assert played == values
        assert [part.setting for part in parts if part.setting] != []
    assert sum(part.examples for part in parts_of_examples(2000, 1)) == 2000
    assert sum(part.deaths for part in parts_of_deaths(550, 1)) >= 550
    assert len(single()) < 40
