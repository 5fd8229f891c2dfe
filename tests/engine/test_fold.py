"""The hub item as a fold: scalars, lists, conflicts, and laws over random histories."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import ConflictPolicy, Flow, ListPolicy
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.rules import Conflict, Contender, FoldInput, Rules, Undecided
from cirahub_sync.model.contact import (
    Contact,
    CustomField,
    Element,
    Email,
    Phone,
    PhoneKind,
)
from cirahub_sync.model.decision import Decision
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.kind import Content, as_contact
from cirahub_sync.model.mapping import compile_lens
from cirahub_sync.model.normalise import keyed
from cirahub_sync.model.observe import record

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


NEWEST, HUB = Rules(ConflictPolicy.NEWEST), Rules(ConflictPolicy.HUB)
MANUAL = Rules(ConflictPolicy.MANUAL)
PRIORITY = Rules(ConflictPolicy.PRIORITY, order={"c": 0, "b": 1})
IDENTITY = compile_lens(Flow(), toward_hub=True)
LISTS = ("emails", "phones", "categories", "custom")


def at(seq: int, base: int = 0, lower: float = 0, upper: float = 0) -> Awareness:
    return Awareness(seq, base, lower, upper)


def said(spoke: str, rank: int, value: str, when: Awareness, *, since: int = 0) -> FoldInput:
    own = OwnEdits({"company": ScalarEdit(value, when, since)}, {})
    return FoldInput(spoke, rank, native=True, own=own)


def listed(spoke: str, rank: int, field: str, **edits: ElementEdit) -> FoldInput:
    return FoldInput(spoke, rank, native=True, own=OwnEdits({}, {field: edits}))


def company(*inputs: FoldInput, rules: Rules = NEWEST) -> str:
    return as_contact(fold(inputs, rules).content).company


def categories(*inputs: FoldInput) -> tuple[str, ...]:
    return fold(inputs, NEWEST).content.categories


class History:
    """A hub and its spokes, each with what it shows, without limits and mappings."""

    def __init__(self, rules: Rules = NEWEST) -> None:
        self.rules = rules
        self.seq = 0
        self.own: dict[str, OwnEdits] = {}
        self.shadow: dict[str, Contact] = {}
        self.base: dict[str, int] = {}
        self.decisions: list[Decision] = []

    def inputs(self) -> list[FoldInput]:
        return [
            FoldInput(spoke, rank, native=True, own=own)
            for rank, (spoke, own) in enumerate(sorted(self.own.items()))
        ]

    def fold(self) -> Folded:
        return fold(self.inputs(), self.rules, self.decisions)

    def decides(self, conflict: Undecided, chosen: Contender | str) -> None:
        """For one of the sides, or for a value."""
        self.seq += 1
        among = tuple(sorted({one.spoke for one in conflict.contenders} - {""}))
        decision = Decision(conflict.field, self.seq, 0.0, among=among)
        if isinstance(chosen, str):
            decision = msgspec.structs.replace(decision, value=chosen)
        else:
            decision = msgspec.structs.replace(decision, spoke=chosen.spoke, key=chosen.key)
        self.decisions.append(decision)

    def arrives(self, spoke: str, content: Contact, *, lower: float = 0, upper: float = 0) -> None:
        self.seq += 1
        self.own[spoke] = record(
            OwnEdits(),
            shadow=None,
            observed=content,
            lens=IDENTITY,
            when=at(self.seq, 0, lower, upper),
            native_first_sight=True,
        ).own
        self.shadow[spoke], self.base[spoke] = content, 0

    def edits(self, spoke: str, content: Contact, *, lower: float = 0, upper: float = 0) -> None:
        self.seq += 1
        self.own[spoke] = record(
            self.own.get(spoke, OwnEdits()),
            shadow=self.shadow[spoke],
            observed=content,
            lens=IDENTITY,
            when=at(self.seq, self.base[spoke], lower, upper),
            native_first_sight=False,
        ).own
        self.shadow[spoke] = content

    def receives(self, spoke: str) -> Contact:
        content = as_contact(self.fold().content)
        self.shadow[spoke], self.base[spoke] = content, self.seq
        return content

    def all_receive(self) -> None:
        for spoke in list(self.own):
            self.receives(spoke)


def mobile(*numbers: str) -> tuple[Phone, ...]:
    return tuple(Phone(PhoneKind.MOBILE, number) for number in numbers)


def numbers(contact: Content) -> list[str]:
    return [phone.number for phone in as_contact(contact).phones]


N0, N1, N2, N3 = (f"+1 425 555 010{n}" for n in range(4))


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


def test_a_person_decides_which_of_two_edits_of_one_element_stays() -> None:
    history = two_replace_one()
    history.rules = MANUAL
    assert numbers(history.fold().content) == [N1]
    (conflict,) = history.fold().undecided

    history.decides(conflict, next(c for c in conflict.contenders if c.spoke == "b"))

    assert numbers(history.fold().content) == [N2]
    assert history.fold().undecided == ()


def test_a_person_decides_whose_list_stays_whole() -> None:
    rules = Rules(ConflictPolicy.MANUAL, lists={"categories": ListPolicy.SOURCE_WINS})
    history = colours(rules, a="Red Green", b="Red Blue")
    assert history.fold().content.categories == ("Red", "Green")
    (conflict,) = history.fold().undecided
    assert [(c.spoke, c.values) for c in conflict.contenders] == [
        ("a", ("Red", "Green")),
        ("b", ("Red", "Blue")),
    ]

    history.decides(conflict, conflict.contenders[1])

    assert history.fold().content.categories == ("Red", "Blue")
    assert history.fold().undecided == ()


def test_what_a_person_decided_against_does_not_come_back_when_the_winner_is_removed() -> None:
    rules = Rules(ConflictPolicy.MANUAL, lists={"categories": ListPolicy.SOURCE_WINS})
    history = colours(rules, a="Green", b="Blue")
    (conflict,) = history.fold().undecided
    history.decides(conflict, conflict.contenders[1])
    assert history.receives("a").categories == ("Blue",)

    history.edits("a", Contact())

    assert history.fold().content.categories == ()


# Lists


def here(text: str, when: Awareness) -> ElementEdit:
    return ElementEdit(text, "", when)


def gone(when: Awareness) -> ElementEdit:
    return ElementEdit(None, "", when)


def test_a_list_is_the_union_of_what_its_spokes_have() -> None:
    a = listed("a", 0, "categories", red=here("Red", at(1)))
    b = listed("b", 1, "categories", blue=here("Blue", at(2)), red=here("Red", at(2)))

    assert categories(a, b) == ("Red", "Blue")


def test_an_element_is_absent_once_somebody_who_saw_it_removed_it() -> None:
    a = listed("a", 0, "categories", red=here("Red", at(1)), blue=here("Blue", at(1)))
    b = listed("b", 1, "categories", red=gone(at(2, 1)))

    assert categories(a, b) == ("Blue",)


def test_a_concurrent_addition_wins_over_a_removal_which_is_a_conflict_if_it_knew_the_hub() -> None:
    a = listed("a", 0, "categories", red=here("Red", at(5)))
    aware = listed("b", 1, "categories", red=gone(at(6, 4)))
    took_back = listed("b", 1, "categories", red=gone(at(6, 0)))

    assert fold([a, aware], NEWEST).content.categories == ("Red",)
    assert fold([a, aware], NEWEST).conflicts == (
        Conflict("categories", "a", "b", "", tie=False, key="red"),
    )
    assert fold([a, took_back], NEWEST).conflicts == ()


def test_an_element_is_spelled_as_in_the_winning_edit() -> None:
    a = listed("a", 0, "categories", red=here("red", at(1, 0, 0, 10)))
    b = listed("b", 1, "categories", red=here("RED", at(2, 0, 20, 30)))
    aware = listed("c", 2, "categories", red=here("Red", at(3, 2, 0, 1)))

    assert categories(a, b) == ("RED",)
    assert categories(a, b, aware) == ("Red",)
    assert fold([a, b], NEWEST).conflicts == ()


def test_elements_stand_in_the_order_of_seq_then_rank_then_place() -> None:
    b = listed("b", 0, "categories", z=here("Z", at(3)), y=here("Y", at(3)))
    a = listed("a", 1, "categories", x=here("X", at(3)), w=here("W", at(1)))

    assert categories(a, b) == ("W", "Z", "Y", "X")


def test_an_edited_element_keeps_its_place() -> None:
    history = History()
    history.arrives("a", Contact(phones=mobile(N0, N1)))
    history.edits("a", Contact(phones=mobile(N2, N1)))
    assert numbers(history.fold().content) == [N2, N1]

    history.shadow["b"], history.base["b"] = as_contact(history.fold().content), history.seq
    history.edits("b", Contact(phones=mobile(N3, N1)))
    assert numbers(history.fold().content) == [N3, N1]


def two_replace_one() -> History:
    """Both had N0; `a` made it N1, `b`, unaware of that and later, N2."""
    history = History()
    history.arrives("a", Contact(phones=mobile(N0)))
    history.arrives("b", Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("a", Contact(phones=mobile(N1)), lower=10, upper=19)
    history.edits("b", Contact(phones=mobile(N2)), lower=20, upper=29)
    return history


def test_two_unaware_replacements_of_one_element_are_a_conflict_that_the_policy_decides() -> None:
    history = two_replace_one()

    folded = history.fold()

    assert numbers(folded.content) == [N2]
    loser = Phone(PhoneKind.MOBILE, N1)
    assert folded.conflicts == (
        Conflict("phones", "b", "a", loser, tie=False, key="mobile:+14255550101"),
    )
    assert numbers(fold(history.inputs(), HUB).content) == [N1]


def test_overlapping_replacements_are_a_tie_that_rank_decides() -> None:
    history = History()
    history.arrives("a", Contact(phones=mobile(N0)))
    history.arrives("b", Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("b", Contact(phones=mobile(N2)), lower=5, upper=30)
    history.edits("a", Contact(phones=mobile(N1)), lower=5, upper=29)

    folded = history.fold()

    assert numbers(folded.content) == [N1]
    assert [c.tie for c in folded.conflicts] == [True]


def test_a_replacement_that_knew_of_the_other_leaves_no_conflict() -> None:
    history = History()
    history.arrives("a", Contact(phones=mobile(N0)))
    history.edits("a", Contact(phones=mobile(N1)))
    history.arrives("b", Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("b", msgspec.structs.replace(history.shadow["b"], phones=mobile(N2)))

    assert history.fold().conflicts == ()


def test_a_loser_stays_when_a_third_spoke_has_the_element_itself() -> None:
    history = two_replace_one()
    history.arrives("c", Contact(phones=mobile(N1)))

    folded = history.fold()

    assert sorted(numbers(folded.content)) == [N1, N2]
    assert folded.conflicts == ()


@pytest.mark.parametrize("editor", ["a", "b", "c"])
@pytest.mark.parametrize("after", [(), (N3,)])
def test_a_loser_does_not_come_back_when_the_winner_is_removed_or_edited(
    editor: str, after: tuple[str, ...]
) -> None:
    history = two_replace_one()
    history.shadow["c"] = Contact()
    history.all_receive()
    assert numbers(history.receives(editor)) == [N2]

    history.edits(editor, Contact(phones=mobile(*after)))

    assert numbers(history.fold().content) == list(after)
    assert history.fold().conflicts == ()


def test_a_loser_does_not_come_back_when_its_winner_is_spelled_otherwise() -> None:
    history = two_replace_one()
    history.all_receive()

    history.edits("b", Contact(phones=mobile("(425) 555-0102")))

    assert numbers(history.fold().content) == ["(425) 555-0102"]


def test_a_loser_stays_when_its_winner_is_removed_by_somebody_who_had_not_seen_it() -> None:
    history = History()
    for spoke in ("a", "b"):
        history.arrives(spoke, Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("a", Contact(phones=mobile(N1)), lower=20, upper=29)
    history.own["c"] = OwnEdits()
    history.receives("c")
    history.edits("c", Contact())

    history.edits("b", Contact(phones=mobile(N2)), lower=10, upper=19)

    assert numbers(history.fold().content) == [N2]


def test_a_replacement_by_somebody_who_saw_both_elements_keeps_both() -> None:
    history = History()
    history.arrives("a", Contact(phones=mobile(N0)))
    history.edits("a", Contact(phones=mobile(N1)))
    history.arrives("c", Contact(phones=mobile(N0)))
    history.own["b"] = OwnEdits()
    assert sorted(numbers(history.receives("b"))) == [N0, N1]

    history.edits("b", Contact(phones=mobile(N2, N1)))

    assert sorted(numbers(history.fold().content)) == [N1, N2]
    assert history.fold().conflicts == ()


def test_an_element_conflicts_with_its_own_history_only_not_with_a_later_one_of_its_key() -> None:
    history = History()
    for spoke in ("a", "b"):
        history.arrives(spoke, Contact(phones=mobile(N0, N3)))
    history.all_receive()
    history.edits("a", Contact(phones=mobile(N1, N3)), lower=1, upper=2)
    history.edits("a", Contact(phones=mobile(N1, N0)), lower=3, upper=4)

    history.edits("b", Contact(phones=mobile(N0, N2)), lower=5, upper=6)

    assert {N1, N2} <= set(numbers(history.fold().content))


def test_a_removal_holds_although_what_it_overwrote_had_lost_a_conflict() -> None:
    history = two_replace_one()
    history.arrives("c", Contact(phones=mobile(N1)))
    history.all_receive()

    history.edits("a", Contact(phones=mobile(N2)))

    assert numbers(history.fold().content) == [N2]


def test_a_loser_comes_back_when_the_winners_spoke_leaves() -> None:
    history = two_replace_one()

    del history.own["b"]

    assert numbers(history.fold().content) == [N1]


def test_further_edits_still_conflict_with_a_replacement_of_the_first_element() -> None:
    history = History()
    for spoke in ("a", "b"):
        history.arrives(spoke, Contact(phones=mobile(N0)))
    history.all_receive()
    history.edits("a", Contact(phones=mobile(N1)), lower=1, upper=2)
    history.edits("a", Contact(phones=mobile(N3)), lower=3, upper=4)
    history.edits("b", Contact(phones=mobile(N2)), lower=5, upper=6)

    assert numbers(history.fold().content) == [N2]


def test_values_of_one_custom_name_from_two_spokes_conflict() -> None:
    history = History()
    history.arrives("a", Contact(custom=(CustomField("Number", "1"),)), lower=1, upper=2)
    history.arrives(
        "b",
        Contact(custom=(CustomField("number", "2"), CustomField("Site", "X"))),
        lower=3,
        upper=4,
    )

    folded = history.fold()

    assert as_contact(folded.content).custom == (
        CustomField("number", "2"),
        CustomField("Site", "X"),
    )
    assert [(c.field, c.loser_spoke, c.value) for c in folded.conflicts] == [
        ("custom", "a", CustomField("Number", "1"))
    ]


@pytest.mark.parametrize("editor", ["a", "b"])
def test_a_custom_value_that_lost_does_not_come_back_when_the_other_is_removed(
    editor: str,
) -> None:
    history = History()
    history.arrives("a", Contact(custom=(CustomField("n", "1"),)), lower=1, upper=2)
    history.arrives("b", Contact(custom=(CustomField("n", "2"),)), lower=3, upper=4)
    history.all_receive()

    history.edits(editor, Contact())

    assert history.fold() == Folded(Contact(), (), alive=True)


def test_one_spoke_may_give_a_custom_name_several_values() -> None:
    both = (CustomField("Site", "X"), CustomField("Site", "Y"))
    history = History()
    history.arrives("a", Contact(custom=both))
    history.arrives("b", Contact(custom=(CustomField("Other", "1"),)))

    assert as_contact(history.fold().content).custom == (*both, CustomField("Other", "1"))


SOURCE, BOTH = (
    Rules(lists={"categories": mode}) for mode in (ListPolicy.SOURCE_WINS, ListPolicy.INTERSECT)
)


def colours(rules: Rules, **said: str) -> History:
    """A spoke for each, that says its colours unaware of the others, one after the other."""
    history = History(rules)
    for time, (spoke, names) in enumerate(said.items()):
        content = Contact(categories=tuple(names.split()))
        history.arrives(spoke, content, lower=10 * time, upper=10 * time + 1)
    return history


def test_with_source_wins_one_spoke_s_list_stays_whole_and_what_others_had_is_kept() -> None:
    folded = colours(SOURCE, a="Red Green", b="Red Blue").fold()

    assert folded.content.categories == ("Red", "Blue")
    assert folded.conflicts == (Conflict("categories", "b", "a", "Green", tie=False, key="green"),)


@pytest.mark.parametrize("rules", [SOURCE, BOTH])
def test_whoever_saw_the_list_may_add_to_it_and_take_from_it(rules: Rules) -> None:
    history = colours(rules, a="Red Green", b="Red Green Blue")
    shown = history.receives("a").categories

    history.edits("a", Contact(categories=(*shown[1:], "White")))

    assert history.fold().content.categories == (*shown[1:], "White")


def test_an_element_that_is_removed_twice_takes_nothing_along_that_was_seen_in_between() -> None:
    history = colours(msgspec.structs.replace(SOURCE, order=PRIORITY.order), a="Red Green", c="Red")
    assert history.fold().content.categories == ("Red",)
    history.edits("c", Contact())
    assert history.fold().content.categories == ("Red", "Green")
    history.receives("c")

    history.edits("c", Contact(categories=("Green",)))

    assert history.fold().content.categories == ("Green",)


def test_an_element_that_is_put_in_again_leaves_what_came_back_in_between() -> None:
    one, two = CustomField("n", "1"), CustomField("n", "2")
    history = History()
    history.arrives("a", Contact(custom=(one,)))
    history.arrives("b", Contact(custom=(two,)))
    history.edits("a", Contact())
    assert history.receives("a").custom == (two,)

    history.edits("a", Contact(custom=(one, two)))

    assert set(as_contact(history.fold().content).custom) == {one, two}


def test_an_intersection_is_what_every_spoke_with_a_list_has() -> None:
    history = colours(BOTH, a="Red Green", b="Blue Red", c="")
    assert history.fold().content.categories == ("Red",)
    assert {(c.winner_spoke, c.loser_spoke, c.value) for c in history.fold().conflicts} == {
        ("b", "a", "Green"),
        ("a", "b", "Blue"),
    }

    del history.own["b"]

    assert history.fold() == Folded(Contact(categories=("Red", "Green")), (), alive=True)


# Laws

ELEMENTS: dict[str, list[Element]] = {
    "emails": [Email("a@x.example"), Email("A@x.example", "A"), Email("b@x.example")],
    "phones": [
        Phone(PhoneKind.MOBILE, N0),
        Phone(PhoneKind.MOBILE, N1),
        Phone(PhoneKind.MOBILE, N2),
        Phone(PhoneKind.HOME, N0),
    ],
    "categories": ["Red", "red", "Blue"],
    "custom": [CustomField("n", "1"), CustomField("N", "1"), CustomField("n", "2")],
}
SPOKES = ("a", "b", "c")
contacts = st.builds(
    Contact,
    company=st.sampled_from(["", "Acme", "Brown"]),
    title=st.sampled_from(["", "Dr"]),
    **{
        field: st.lists(st.sampled_from(elements), max_size=3).map(
            lambda found, field=field: tuple(keyed(field, found).values())  # type: ignore[misc]
        )
        for field, elements in ELEMENTS.items()
    },
)
times = st.tuples(st.integers(0, 5), st.integers(0, 3)).map(lambda t: (t[0], t[0] + t[1]))
one_field = st.sampled_from(["company", "title", *LISTS])
actions = st.sampled_from(["arrives", "edits", "edits", "receives", "decides"])
step = st.tuples(actions, st.sampled_from(SPOKES), contacts, one_field, times)
steps = st.lists(step, max_size=12)
Step = tuple[str, str, Contact, str, tuple[int, int]]


def only(field: str, old: Contact, new: Contact) -> Contact:
    return msgspec.structs.replace(old, **{field: getattr(new, field)})


def decide_one(history: History, content: Contact, pick: int) -> None:
    """One of what is undecided, one way or another."""
    undecided = history.fold().undecided
    if undecided:
        conflict = undecided[pick % len(undecided)]
        sides = [c for c in conflict.contenders if c.spoke]
        if conflict.field in LISTS or pick % 2:
            history.decides(conflict, sides[pick % len(sides)])
        else:
            history.decides(conflict, getattr(content, conflict.field))


def live(script: Sequence[Step], rules: Rules) -> History:
    history = History(rules)
    for action, spoke, content, field, (lower, upper) in script:
        if action == "decides":
            decide_one(history, content, lower)
        elif spoke not in history.shadow:
            if action == "arrives":
                history.arrives(spoke, content, lower=lower, upper=upper)
            elif action == "receives":
                history.own[spoke] = OwnEdits()
                history.receives(spoke)
        elif action == "edits":
            edited = only(field, history.shadow[spoke], content)
            history.edits(spoke, edited, lower=lower, upper=upper)
        else:
            history.receives(spoke)
    return history


def shown(contact: Contact) -> dict[str, object]:
    """Everything but the order of lists."""
    found: dict[str, object] = {"company": contact.company, "title": contact.title}
    for field in LISTS:
        found[field] = keyed(field, getattr(contact, field))
    return found


def listing(policy: ConflictPolicy, mode: ListPolicy) -> Rules:
    return Rules(policy, lists=dict.fromkeys(LISTS, mode), order=PRIORITY.order)


all_rules = st.builds(listing, st.sampled_from(ConflictPolicy), st.sampled_from(ListPolicy))


@settings(UNHURRIED, max_examples=300)
@given(steps, all_rules, step)
def test_what_an_author_who_saw_the_hub_leaves_behind_is_what_the_hub_then_shows(
    script: list[Step], rules: Rules, last: Step
) -> None:
    history = live(script, rules)
    _, spoke, content, field, time = last
    edited = only(field, history.receives(spoke), content)

    history.edits(spoke, edited, lower=time[0], upper=time[1])

    assert shown(as_contact(history.fold().content)) == shown(edited)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
def test_the_order_of_the_inputs_decides_nothing(script: list[Step], rules: Rules) -> None:
    history = live(script, rules)
    inputs, decisions = history.inputs(), history.decisions
    expected = fold(inputs, rules, decisions)

    assert all(fold(p, rules, decisions) == expected for p in itertools.permutations(inputs))
    assert fold(inputs, rules, decisions[::-1]) == expected


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules, st.sampled_from(SPOKES))
def test_an_input_taken_away_leaves_nothing_behind(
    script: list[Step], rules: Rules, leaver: str
) -> None:
    history = live(script, rules)
    others = [item for item in history.inputs() if item.spoke != leaver]
    blank = [FoldInput(leaver, 0, native=False, own=OwnEdits())]
    decisions = [one for one in history.decisions if not one.concerns(leaver)]

    left = fold(others, rules, decisions)

    assert left == fold(others, rules, history.decisions)
    assert left == fold([*others, *blank], rules, history.decisions)
    assert leaver not in {c.winner_spoke for c in left.conflicts}
    assert leaver not in {c.loser_spoke for c in left.conflicts}
    assert leaver not in {c.spoke for one in left.undecided for c in one.contenders}


@settings(UNHURRIED, max_examples=200)
@given(steps, st.sampled_from(ListPolicy), st.integers(0, 5))
def test_what_a_person_decided_is_decided(script: list[Step], mode: ListPolicy, pick: int) -> None:
    history = live(script, listing(ConflictPolicy.MANUAL, mode))
    undecided = history.fold().undecided
    if not undecided:
        return
    conflict = undecided[pick % len(undecided)]
    sides = [c for c in conflict.contenders if c.spoke]
    chosen = sides[pick % len(sides)]

    history.decides(conflict, chosen)

    folded = history.fold()
    assert conflict not in folded.undecided
    shown = getattr(folded.content, conflict.field)
    if conflict.field not in LISTS:
        assert shown == chosen.values[0]
        assert all(one.field != conflict.field for one in folded.undecided)
    elif chosen.key:
        assert set(chosen.values) <= set(shown)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
@example([], NEWEST)
def test_folding_what_was_folded_changes_nothing(script: list[Step], rules: Rules) -> None:
    content = as_contact(live(script, rules).fold().content)
    again = History(rules)

    again.arrives("a", content)

    assert again.fold() == Folded(content, (), alive=True)


@settings(UNHURRIED, max_examples=100)
@given(steps, all_rules)
def test_every_value_of_the_hub_is_a_value_that_some_spoke_has_itself(
    script: list[Step], rules: Rules
) -> None:
    history = live(script, rules)
    content = history.fold().content

    for field in ("company", "title"):
        value = getattr(content, field)
        values = [o.scalars[field].value for o in history.own.values() if field in o.scalars]
        values += [one.value for one in history.decisions if one.field == field]
        assert not value or value in values
    for field in LISTS:
        own = [e.element for o in history.own.values() for e in o.elements.get(field, {}).values()]
        assert all(element in own for element in getattr(content, field))


@settings(UNHURRIED, max_examples=200)
@given(steps, all_rules)
def test_a_fold_that_tells_its_winners_is_the_same_fold_and_names_who_said_each_value(
    script: list[Step], rules: Rules
) -> None:
    history = live(script, rules)

    told = fold(history.inputs(), rules, history.decisions, explain=True)

    assert msgspec.structs.replace(told, wins=()) == history.fold()
    said = {field for own in history.own.values() for field in own.scalars}
    assert sorted(win.field for win in told.wins if not win.key) == sorted(said)
    elements = {(f, key) for f in LISTS for key in keyed(f, getattr(told.content, f))}
    assert {(win.field, win.key) for win in told.wins if win.key} == elements
    for win in told.wins:
        value = getattr(told.content, win.field)
        if win.key:
            assert history.own[win.spoke].elements[win.field][win.key].element in value
        elif win.spoke:
            assert history.own[win.spoke].scalars[win.field].value == value
        else:
            assert value in {one.value for one in history.decisions if one.field == win.field}


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
