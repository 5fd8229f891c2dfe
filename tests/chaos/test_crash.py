"""A sample of what `make chaos` plays in full: deaths at boundaries of a story (invariant 3)."""

from __future__ import annotations

import asyncio

import pytest
from tests.chaos.campaign import sample
from tests.chaos.crash import Undisturbed, compared, crash, undisturbed
from tests.chaos.tape import Boundary, Moment

SAMPLE = 28


@pytest.fixture(scope="module")
def whole() -> Undisturbed:
    return asyncio.run(undisturbed({}))


def test_the_story_has_boundaries_of_every_kind(whole: Undisturbed) -> None:
    boundaries = whole.boundaries()
    assert {(each.kind, each.moment) for each in boundaries} == {
        ("commit", Moment.BEFORE),
        ("commit", Moment.AFTER),
        *(("request", moment) for moment in Moment),
    }
    assert len(boundaries) > 500


def test_death_at_any_boundary_doubles_loses_and_parts_nothing(whole: Undisturbed) -> None:
    for boundary in sample(whole.boundaries(), SAMPLE, seed=7):
        found = asyncio.run(crash({}, boundary, whole))
        assert found.died, boundary
        assert not found.any, (str(boundary), found.why)


def test_an_end_with_somebody_twice_or_missing_is_told(whole: Undisturbed) -> None:
    end = whole.end
    twice = {**end.people, "dee": end.people["dee"] + end.people["dee"]}
    found = compared(type(end)(twice, end.contents), end, died=True)
    assert (found.duplicates, found.lost) == (end.people["dee"].total(), 0)
    nobody = {**end.people, "ben": end.people["ben"] - end.people["ben"]}
    found = compared(type(end)(nobody, end.contents), end, died=True)
    assert (found.duplicates, found.lost) == (0, end.people["ben"].total())
    other = {**end.contents, "cy": end.contents["ada"]}
    found = compared(type(end)(end.people, other), end, died=True)
    assert (found.duplicates, found.lost, found.unconverged) == (0, 0, 1)


def test_a_boundary_is_read_as_it_is_written() -> None:
    for boundary in (Boundary("commit", 3, Moment.AFTER), Boundary("request", 17, Moment.LATE)):
        assert Boundary.parse(str(boundary)) == boundary
    with pytest.raises(ValueError, match="neither commit nor request"):
        Boundary.parse("coffee:1:before")
