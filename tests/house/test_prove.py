"""`make prove`: its breakages fit the code as it is, and what does not fit is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prove.breakage import Breakage
from prove.breakages import BREAKAGES
from prove.check import complaints

from .conftest import House

GUARDED = {*range(1, 17)}
"""Invariants of the design."""

SOUND = Breakage(
    guards=1,
    what="two is three",
    file="code.py",
    old="return 2",
    new="return 3",
    tests="test_code.py::test_two",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "code.py").write_text("def two() -> int:\n    return 2\n")
    (tmp_path / "test_code.py").write_text("def test_two() -> None:\n    assert two() == 2\n")
    return tmp_path


def test_every_breakage_fits_the_code(house: House) -> None:
    assert complaints(house.root, BREAKAGES) == []


def test_every_invariant_and_every_kind_of_promise_is_broken_once() -> None:
    guarded = {breakage.guards for breakage in BREAKAGES}
    promises = {"Trust", "Identity", "Leaving", "Permissions", "Availability", "Plans", "Explain"}
    promises |= {"First sync", "Exchange Server", "Logins to a database", "CardDAV"}
    semantics = {"Lenses", "Lists", "Rounds", "Recovery", "Calendars", "Filters", "Earlier moments"}
    semantics |= {"Flips", "Address lists", "Sets", "Mail contacts", "Photos", "Parts", "Workers"}
    promises |= {"Notifications", "A store in SQL Server", "Passes"}
    promises |= {"Chart", "Databases", "GitOps", "Image", "Metrics", "Node", "Simulator", "Quotas"}
    assert guarded == GUARDED | promises | semantics


def test_what_fits_is_no_complaint(root: Path) -> None:
    assert complaints(root, [SOUND]) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"old": "return 4"}, "stands there 0 times"),
        ({"old": "t"}, "stands there 3 times"),
        ({"new": "return 2"}, "breaks nothing"),
        ({"new": "return ("}, "no Python any more"),
        ({"file": "gone.py"}, "gone.py is gone"),
        ({"tests": "test_gone.py"}, "there is no test_gone.py"),
        ({"tests": "test_code.py test_code.py::test_three"}, "there is no test test_three"),
    ],
)
def test_what_does_not_fit_is_told(root: Path, change: dict[str, str], why: str) -> None:
    (told,) = complaints(root, [replace(SOUND, **change)])  # type: ignore[arg-type]
    assert told.startswith("invariant 1: two is three: ")
    assert why in told


def test_two_of_one_name_are_told(root: Path) -> None:
    assert complaints(root, [SOUND, SOUND]) == [
        "invariant 1: two is three: there are two of that name"
    ]
