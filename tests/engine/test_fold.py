"""The hub item as a fold: being alive, scalars, their conflicts, and what a person decides."""

from __future__ import annotations

import pytest
from tests.engine.history import (
    HUB,
    MANUAL,
    NEWEST,
    PRIORITY,
    History,
    at,
    company,
    said,
)

from cirahub_sync.configuration import ConflictPolicy
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.rules import Conflict, FoldInput, Rules
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import OwnEdits, ScalarEdit
from cirahub_sync.model.kind import as_contact

# Being alive


def test_an_item_lives_while_one_input_is_native_and_a_copys_edits_keep_it_not() -> None:
    native = said("a", 0, "Acme", at(1))
    copy = FoldInput("b", 1, native=False, own=OwnEdits({"title": ScalarEdit("Dr", at(2, 1))}))

    both = fold([native, copy], NEWEST)

    assert both.alive
    assert (as_contact(both.content).company, as_contact(both.content).title) == ("Acme", "Dr")
    assert not fold([copy], NEWEST).alive
    assert not fold([], NEWEST).alive


# Scalars


def test_an_edit_supersedes_what_its_author_had_seen() -> None:
    old = said("a", 0, "Acme", at(1, 0, 90, 99))
    aware = said("b", 1, "Brown", at(2, 1, 0, 1))

    folded = fold([old, aware], NEWEST)

    assert as_contact(folded.content).company == "Brown"
    assert folded.conflicts == ()


def test_no_edit_supersedes_itself_however_much_its_author_had_seen() -> None:
    assert company(said("a", 0, "Acme", at(2, 2)), said("b", 1, "Brown", at(1))) == "Acme"


def test_emptying_what_one_has_seen_empties_the_field() -> None:
    folded = fold([said("a", 0, "Acme", at(1)), said("b", 1, "", at(2, 1))], NEWEST)

    assert folded.content == Contact()
    assert folded.conflicts == ()


def test_a_value_beats_a_concurrent_withdrawal_which_is_a_conflict_if_it_knew_the_hub() -> None:
    value = said("a", 0, "Acme", at(5, 0))

    taken_back = fold([value, said("b", 1, "", at(6, 0))], NEWEST)
    emptied = fold([value, said("b", 1, "", at(6, 4))], NEWEST)

    assert as_contact(taken_back.content).company == as_contact(emptied.content).company == "Acme"
    assert taken_back.conflicts == ()
    assert emptied.conflicts == (Conflict("company", "a", "b", "", tie=False),)


def test_concurrent_equal_values_agree_and_are_spelled_as_the_policy_prefers() -> None:
    folded = fold([said("a", 1, "Acme ", at(1)), said("b", 0, "Acme", at(2))], NEWEST)

    assert as_contact(folded.content).company == "Acme"
    assert folded.conflicts == ()


def test_newest_takes_the_later_interval_and_keeps_the_loser_as_a_conflict() -> None:
    early = said("a", 0, "Acme", at(2, 0, 10, 20))
    late = said("b", 1, "Brown", at(1, 0, 21, 30))

    folded = fold([early, late], NEWEST)

    assert as_contact(folded.content).company == "Brown"
    assert folded.conflicts == (Conflict("company", "b", "a", "Acme", tie=False),)


def test_newest_lets_rank_decide_between_overlapping_intervals_and_says_so() -> None:
    first = said("a", 0, "Acme", at(1, 0, 10, 22))
    second = said("b", 1, "Brown", at(2, 0, 21, 30))

    folded = fold([second, first], NEWEST)

    assert as_contact(folded.content).company == "Acme"
    assert folded.conflicts == (Conflict("company", "a", "b", "Brown", tie=True),)


def test_newest_compares_with_the_interval_that_ends_last_since_overlap_is_not_transitive() -> None:
    chain = [
        said("a", 0, "Oldest", at(1, 0, 0, 10)),
        said("b", 1, "Middle", at(2, 0, 9, 20)),
        said("c", 2, "Latest", at(3, 0, 19, 30)),
    ]

    folded = fold(chain, NEWEST)

    assert as_contact(folded.content).company == "Middle"
    assert folded.conflicts == (
        Conflict("company", "b", "a", "Oldest", tie=False),
        Conflict("company", "b", "c", "Latest", tie=True),
    )


def test_of_intervals_that_end_together_the_one_that_starts_last_is_the_pivot() -> None:
    folded = fold(
        [
            said("a", 0, "Older", at(1, 0, 0, 10)),
            said("b", 1, "Wide", at(2, 0, 0, 30)),
            said("c", 2, "Narrow", at(3, 0, 20, 30)),
        ],
        NEWEST,
    )

    assert as_contact(folded.content).company == "Wide"
    assert {(c.loser_spoke, c.tie) for c in folded.conflicts} == {("a", False), ("c", True)}


def test_equal_ranks_are_told_apart_by_the_spokes_name() -> None:
    assert company(said("b", 0, "B", at(1)), said("a", 0, "A", at(2))) == "A"


def test_hub_keeps_what_was_established_first() -> None:
    first = said("b", 1, "Acme", at(1, 0, 0, 1))
    second = said("a", 0, "Brown", at(2, 0, 90, 99))

    folded = fold([second, first], HUB)

    assert as_contact(folded.content).company == "Acme"
    assert folded.conflicts == (Conflict("company", "b", "a", "Brown", tie=False),)


def test_hub_lets_rank_decide_between_what_came_in_one_sequence_number() -> None:
    folded = fold([said("b", 1, "Brown", at(4)), said("a", 0, "Acme", at(4))], HUB)

    assert as_contact(folded.content).company == "Acme"
    assert folded.conflicts == (Conflict("company", "a", "b", "Brown", tie=True),)


def test_hub_keeps_the_standing_of_a_spoke_that_edits_its_own_value() -> None:
    history = History(HUB)
    history.arrives("a", Contact(company="Acme"))
    history.arrives("b", Contact(company="Brown"))

    history.edits("a", Contact(company="Acme Ltd"))

    assert as_contact(history.fold().content).company == "Acme Ltd"


def test_hub_ends_a_standing_that_somebody_else_superseded() -> None:
    edited_unaware = said("a", 0, "Acme Ltd", at(9, 1), since=1)
    superseded_before = said("b", 1, "Brown", at(7, 6))

    assert company(edited_unaware, superseded_before, rules=HUB) == "Brown"


def test_priority_takes_whom_the_order_names_first_and_others_by_rank() -> None:
    a, b = said("a", 0, "A", at(1, 0, 90, 99)), said("b", 1, "B", at(2))
    d, e = said("d", 3, "D", at(3, 0, 10, 20)), said("e", 4, "E", at(4, 0, 10, 90))

    folded = fold([a, b], PRIORITY)

    assert as_contact(folded.content).company == "B"
    assert folded.conflicts == (Conflict("company", "b", "a", "A", tie=False),)
    assert company(a, b, said("c", 2, "C", at(3)), rules=PRIORITY) == "C"
    assert company(e, d, rules=PRIORITY) == "D"


def test_priority_is_about_edits_that_did_not_know_of_each_other() -> None:
    preferred, aware = said("c", 0, "C", at(1)), said("a", 1, "A", at(2, 1))

    assert company(preferred, aware, rules=PRIORITY) == "A"


def test_one_field_may_have_a_policy_of_its_own() -> None:
    own = OwnEdits({f: ScalarEdit("Old", at(1, 0, 0, 1)) for f in ("company", "title")})
    newer = OwnEdits({f: ScalarEdit("New", at(2, 0, 8, 9)) for f in ("company", "title")})
    inputs = [FoldInput("a", 0, native=True, own=own), FoldInput("b", 1, native=True, own=newer)]
    rules = Rules(ConflictPolicy.NEWEST, fields={"title": ConflictPolicy.HUB})

    content = as_contact(fold(inputs, rules).content)

    assert (content.company, content.title) == ("New", "Old")


# A person decides


def at_odds() -> History:
    """Three that say something else, unaware of each other; the first one stands."""
    history = History(MANUAL)
    for spoke, name in (("a", "Acme"), ("b", "Brown"), ("c", "Cole")):
        history.arrives(spoke, Contact(company=name))
    return history


def test_manual_keeps_what_was_there_first_and_waits_for_a_person() -> None:
    folded = at_odds().fold()

    assert as_contact(folded.content).company == "Acme"
    (conflict,) = folded.undecided
    assert [(c.spoke, c.values) for c in conflict.contenders] == [
        ("a", ("Acme",)),
        ("b", ("Brown",)),
        ("c", ("Cole",)),
    ]
    assert {(c.loser_spoke, c.value) for c in folded.conflicts} == {("b", "Brown"), ("c", "Cole")}


def test_a_decision_holds_under_every_policy_until_somebody_says_something_else() -> None:
    history = at_odds()
    (conflict,) = history.fold().undecided

    history.decides(conflict, conflict.contenders[1])

    for rules in (MANUAL, NEWEST, HUB, PRIORITY):
        history.rules = rules
        assert as_contact(history.fold().content).company == "Brown"
        assert history.fold().undecided == ()
    history.rules = MANUAL
    history.edits("b", Contact(company="Brown Ltd"))
    assert as_contact(history.fold().content).company == "Brown Ltd"
    assert history.fold().undecided == ()
    history.edits("c", Contact(company="Cole Ltd"))
    (again,) = history.fold().undecided
    assert {c.spoke for c in again.contenders} == {"b", "c"}


def test_a_value_that_a_person_gives_wins_over_what_was_there() -> None:
    history = at_odds()
    (conflict,) = history.fold().undecided

    history.decides(conflict, "Acme Brown")
    assert history.fold() == Folded(Contact(company="Acme Brown"), (), alive=True)

    history.edits("a", Contact(company="Brown"))
    (again,) = history.fold().undecided
    assert [(c.spoke, c.values) for c in again.contenders] == [
        ("", ("Acme Brown",)),
        ("a", ("Brown",)),
    ]


@pytest.mark.parametrize("decision", ["chosen", "given"])
def test_a_decision_goes_with_the_spoke_that_it_hangs_on(decision: str) -> None:
    history = at_odds()
    (conflict,) = history.fold().undecided
    history.decides(conflict, conflict.contenders[2] if decision == "chosen" else "Acme Cole")

    del history.own["c"]

    folded = history.fold()
    assert as_contact(folded.content).company == "Acme"
    assert [c.spoke for c in folded.undecided[0].contenders] == ["a", "b"]


def test_a_decision_outlives_the_spokes_that_lost_it() -> None:
    history = at_odds()
    (conflict,) = history.fold().undecided
    history.decides(conflict, conflict.contenders[1])

    del history.own["c"]

    assert history.fold() == Folded(Contact(company="Brown"), (), alive=True)


# Who won


@pytest.mark.parametrize(
    ("rules", "winner", "rule", "tie"),
    [
        (NEWEST, "b", "Newest", False),
        (HUB, "a", "Hub", False),
        (MANUAL, "a", "Manual", False),
        (PRIORITY, "c", "Priority", False),
    ],
)
def test_the_winner_is_told_with_the_rule_that_chose_it(
    rules: Rules, winner: str, rule: str, tie: bool
) -> None:
    inputs = [
        said("a", 0, "A", at(1, lower=1, upper=2)),
        said("b", 1, "B", at(2, lower=8, upper=9)),
        said("c", 2, "C", at(3, lower=4, upper=5)),
    ]
    (win,) = fold(inputs, rules, explain=True).wins
    assert (win.field, win.spoke, win.rule, win.tie) == ("company", winner, rule, tie)


def test_the_winner_of_a_tie_is_told_as_that_and_who_saw_the_others_as_aware() -> None:
    first = said("a", 0, "A", at(1, lower=1, upper=5))
    (tied,) = fold([first, said("b", 1, "B", at(2, lower=2, upper=9))], NEWEST, explain=True).wins
    assert (tied.spoke, tied.rule, tied.tie) == ("a", "Newest", True)
    (aware,) = fold([first, said("b", 1, "B", at(2, base=1))], NEWEST, explain=True).wins
    assert (aware.spoke, aware.rule, aware.tie) == ("b", "Aware", False)
