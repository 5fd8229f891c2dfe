"""What counts as a flip, and what a frozen field does in the fold."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from cirahub_sync.configuration import ConflictPolicy
from cirahub_sync.engine.flips import FLIPS_COUNT_FOR, rival
from cirahub_sync.engine.fold import fold
from cirahub_sync.engine.frozen import hold
from cirahub_sync.engine.rules import Conflict, Contender, FoldInput, Ground, Rules
from cirahub_sync.model.contact import Element
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.freeze import Flip, Freeze
from cirahub_sync.model.kind import as_contact

NEWEST, MANUAL = Rules(ConflictPolicy.NEWEST), Rules(ConflictPolicy.MANUAL)


def flips(*turns: tuple[str, float]) -> list[Flip]:
    return [Flip(spoke, seq, seq - 1, at) for seq, (spoke, at) in enumerate(turns, 10)]


def at(seq: int, base: int = 0) -> Awareness:
    return Awareness(seq, base, float(seq), float(seq))


def company(spoke: str, value: str, seq: int, base: int = 0) -> FoldInput:
    own = OwnEdits({"company": ScalarEdit(value, at(seq, base))}, {})
    return FoldInput(spoke, ord(spoke), native=True, own=own)


def categories(spoke: str, **edits: tuple[Element | None, int, int]) -> FoldInput:
    """By key: the element, and the seq and base of its edit."""
    made = {key: ElementEdit(e, "", at(seq, base)) for key, (e, seq, base) in edits.items()}
    return FoldInput(spoke, ord(spoke), native=True, own=OwnEdits({}, {"categories": made}))


def freeze(holder: FoldInput, other: FoldInput, field: str, seq: int) -> Freeze:
    held = hold(holder.own, other.own, field)
    return Freeze("item", field, seq, 0.0, holder.spoke, other.spoke, held)


# Flips


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        ([("a", 0), ("b", 1), ("a", 2)], "b"),
        ([("a", 0), ("b", 1), ("a", FLIPS_COUNT_FOR)], "b"),
        ([("a", 0), ("b", 1), ("a", FLIPS_COUNT_FOR + 1)], None),
        ([("b", 1), ("a", 2)], None),
        ([("b", 0), ("a", 1), ("a", 2)], None),
        ([("a", 0), ("b", 1), ("b", 2), ("a", 3)], None),
        ([("a", 0), ("b", 1), ("c", 2), ("a", 3)], "c"),
        ([("a", 0), ("b", 1), ("c", 2), ("c", 3), ("a", 4)], "b"),
        ([("a", 0), ("a", 1), ("a", 2)], None),
    ],
)
def test_two_spokes_that_take_turns_three_times_in_a_day_are_rivals(
    turns: list[tuple[str, float]], found: str | None
) -> None:
    assert rival(flips(*turns), "a") == found


# The fold

A, B = company("a", "Acme", 30, 25), company("b", "ACME Inc.", 20, 10)
FROZEN = freeze(A, B, "company", 40)


def test_of_two_writers_what_the_holder_said_then_stands() -> None:
    late = company("b", "Acme International", 60, 59)
    for other in (B, late):
        folded = fold([A, other], NEWEST, (), (FROZEN,))
        assert as_contact(folded.content).company == "Acme"
        value = other.own.scalars["company"].value
        assert folded.conflicts == (Conflict("company", "a", "b", value, tie=False),)
    moved = fold([company("a", "Apex", 70, 69), late], NEWEST, (), (FROZEN,))
    assert as_contact(moved.content).company == "Acme"
    assert {(one.loser_spoke, one.value) for one in moved.conflicts} == {
        ("a", "Apex"),
        ("b", "Acme International"),
    }


def test_a_frozen_field_asks_a_person_and_names_both() -> None:
    for rules in (NEWEST, MANUAL):
        (asked,) = fold([A, B], rules, (), (FROZEN,)).undecided
        assert asked.frozen == FROZEN
        assert asked.contenders == (
            Contender("a", 40, ("Acme",)),
            Contender("b", 20, ("ACME Inc.",)),
        )
    (asked,) = fold([company("a", "Apex", 70), B], NEWEST, (), (FROZEN,)).undecided
    assert [one.spoke for one in asked.contenders] == ["", "a", "b"]


def test_the_order_of_inputs_decides_nothing_about_what_is_frozen() -> None:
    c, d = company("c", "Apex", 50, 45), company("d", "Apollo", 51, 45)
    other = freeze(c, d, "company", 55)
    inputs = [A, company("b", "Acme International", 60, 59), c, d]
    made = {
        msgspec.json.encode(fold(mixed, NEWEST, (), frozen).content)
        for mixed in itertools.permutations(inputs)
        for frozen in ((FROZEN, other), (other, FROZEN))
    }
    assert len(made) == 1
    folded = fold(inputs, NEWEST, (), (FROZEN, other))
    assert as_contact(folded.content).company == "Apex", "a later edit of others supersedes"


def test_a_writer_that_is_taken_away_leaves_nothing_of_a_freeze_behind() -> None:
    late = company("a", "Apex", 70, 69)
    for inputs in ([late], [B], [late, company("c", "Apollo", 15)]):
        assert fold(inputs, NEWEST, (), (FROZEN,)) == fold(inputs, NEWEST)


def test_a_list_stands_as_the_holder_has_it_with_what_only_the_other_said() -> None:
    a = categories("a", red=("Red", 30, 25), blue=(None, 30, 25), green=("Green", 5, 0))
    b = categories("b", red=(None, 20, 10), blue=("Blue", 20, 10), pink=("Pink", 8, 0))
    frozen = freeze(a, b, "categories", 40)
    for said in (b, categories("b", red=(None, 50, 45), grey=("Grey", 51, 45))):
        folded = fold([a, said], NEWEST, (), (frozen,))
        assert set(folded.content.categories) == {"Red", "Green", "Pink"}
    lost = {(one.key, one.loser_spoke, one.value) for one in folded.conflicts}
    assert lost == {("red", "b", ""), ("grey", "b", "Grey")}


def test_what_stands_since_two_kept_changing_it_is_told_so() -> None:
    (win,) = fold([A, B], NEWEST, (), (FROZEN,), explain=True).wins
    assert (win.spoke, win.rule) == ("a", Ground.FROZEN.value)
    wins = fold([A, B, company("c", "Apex", 50, 45)], NEWEST, (), (FROZEN,), explain=True).wins
    assert [(one.spoke, one.rule) for one in wins] == [("c", Ground.AWARE.value)]
