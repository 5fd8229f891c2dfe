"""Lists of the hub item: sets of elements, contests between them, their modes."""

from __future__ import annotations

import msgspec
import pytest
from tests.engine.history import (
    BOTH,
    HUB,
    MANUAL,
    N0,
    N1,
    N2,
    N3,
    NEWEST,
    PRIORITY,
    SOURCE,
    History,
    at,
    categories,
    colours,
    listed,
    mobile,
    numbers,
    two_replace_one,
)

from cirahub_sync.configuration import ConflictPolicy, ListPolicy
from cirahub_sync.engine.fold import Folded, fold
from cirahub_sync.engine.own import without_traces
from cirahub_sync.engine.rules import Conflict, Rules
from cirahub_sync.engine.unite import in_line
from cirahub_sync.model.contact import Contact, CustomField, Phone, PhoneKind
from cirahub_sync.model.edit import Awareness, Earlier, ElementEdit, OwnEdits
from cirahub_sync.model.kind import as_contact


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


def test_what_lost_stays_away_when_its_winner_is_put_in_again_for_another_element() -> None:
    history = History()
    for spoke in ("a", "c"):
        history.arrives(spoke, Contact(phones=mobile(N0)))
    history.edits("c", Contact(phones=mobile(N1)))
    history.edits("a", Contact(phones=mobile(N2)))
    assert numbers(history.receives("c")) == [N2]
    history.edits("c", Contact(phones=mobile(N0)))
    assert numbers(history.receives("a")) == [N0]

    history.edits("a", Contact(phones=mobile(N2)))

    assert numbers(history.fold().content) == [N2]


def test_a_removal_that_is_repeated_takes_nothing_along_that_came_in_between() -> None:
    one, two = CustomField("n", "1"), CustomField("n", "2")
    history = History(MANUAL)
    history.arrives("a", Contact(custom=(one,)))
    history.own["c"] = OwnEdits()
    history.receives("c")
    history.arrives("b", Contact(custom=(one, two)))
    history.edits("c", Contact())
    assert set(history.receives("c").custom) == {one, two}

    history.edits("c", Contact(custom=(two,)))

    assert as_contact(history.fold().content).custom == (two,)


@pytest.mark.parametrize("times", [1, 2, 5])
def test_what_lost_stays_away_however_often_its_winner_is_removed_and_put_in_again(
    times: int,
) -> None:
    history = two_replace_one()
    for _ in range(times):
        assert numbers(history.receives("b")) == [N2]
        history.edits("b", Contact())
        assert numbers(history.receives("b")) == []
        history.edits("b", Contact(phones=mobile(N2)))
    history.receives("a")

    history.edits("a", Contact())

    assert history.fold() == Folded(Contact(), (), alive=True)


def test_a_vote_counts_from_the_first_element_on_however_that_is_edited_later() -> None:
    history = History(Rules(lists={"custom": ListPolicy.INTERSECT}))
    history.arrives("b", Contact(custom=(CustomField("N", "1"),)))
    history.own["c"] = OwnEdits()
    history.receives("c")
    history.edits("c", Contact(custom=(CustomField("n", "2"),)))
    history.edits("b", Contact(custom=(CustomField("n", "1"),)))
    history.receives("b")

    history.edits("b", Contact())

    assert as_contact(history.fold().content).custom == ()


def test_contests_of_other_elements_decide_nothing() -> None:
    """Not even whose interval the others are compared with."""
    history = History()
    home = (Phone(PhoneKind.HOME, N0),)
    for spoke in ("a", "b", "c"):
        history.arrives(spoke, Contact(phones=(*mobile(N0), *home)))
    history.all_receive()
    history.edits("a", Contact(phones=(*mobile(N1), *home)), lower=1, upper=2)
    history.edits("b", Contact(phones=(*mobile(N2), *home)), lower=5, upper=6)
    alone = [n for n in numbers(history.fold().content) if n in (N1, N2)]
    assert alone == [N2]

    own_home = (Phone(PhoneKind.HOME, N3),)
    history.edits("c", Contact(phones=(*mobile(N0), *own_home)), lower=0, upper=9)
    history.edits("b", Contact(phones=(*mobile(N2), Phone(PhoneKind.HOME, N1))), lower=5, upper=6)

    contested = history.fold().content
    assert [p.number for p in as_contact(contested).phones if p.kind is PhoneKind.MOBILE] == [N2]


def test_what_was_said_earlier_of_an_item_that_is_merged_away_moves_along() -> None:
    edit = ElementEdit(None, "", at(4, 3), 2, past=(Earlier(at(2, 1), present=True),))

    moved = in_line(OwnEdits({}, {"phones": {"n": edit}}), "another item", 9)

    assert moved.elements["phones"]["n"].past == (
        Earlier(Awareness(2, 1, 0, 0, "another item", 9), present=True),
    )


def test_what_was_said_earlier_names_nothing_that_only_a_leaver_had() -> None:
    (number,) = mobile(N1)
    earlier = (Earlier(at(3, 2), present=True, replaces="gone too"),)
    edit = ElementEdit(number, "gone", at(6, 5), 3, past=earlier)

    (left,) = without_traces([OwnEdits({}, {"phones": {"n": edit}})])

    assert left.elements["phones"]["n"] == ElementEdit(
        number, "", at(6, 5), 3, past=(Earlier(at(3, 2), present=True),)
    )


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


# A person decides


def test_a_person_decides_which_of_two_edits_of_one_element_stays() -> None:
    history = two_replace_one()
    history.rules = MANUAL
    assert numbers(history.fold().content) == [N1]
    (conflict,) = history.fold().undecided

    history.decides(conflict, next(c for c in conflict.contenders if c.spoke == "b"))

    assert numbers(history.fold().content) == [N2]
    assert history.fold().undecided == ()


def test_what_a_person_chose_is_spelled_as_they_chose_it() -> None:
    history = History(MANUAL)
    history.arrives("a", Contact(custom=(CustomField("n", "2"),)))
    history.arrives("b", Contact(custom=(CustomField("n", "1"),)))
    history.arrives("c", Contact(custom=(CustomField("N", "1"),)))
    (conflict,) = history.fold().undecided

    history.decides(conflict, next(c for c in conflict.contenders if c.spoke == "c"))

    assert as_contact(history.fold().content).custom == (CustomField("N", "1"),)


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
