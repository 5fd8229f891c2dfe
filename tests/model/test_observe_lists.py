"""What an observation records as a spoke's own edits of lists."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.edit import Awareness, Earlier, ElementEdit, OwnEdits
from cirahub_sync.model.observe import record

from .sights import FIRST, IDENTITY, LATER, N0, N1, N2, key, mobile, seen, sight


def test_elements_are_added_and_removed_by_key() -> None:
    own = seen(Contact(categories=("Red", "Blue")), Contact(categories=("Blue", "Green"))).own

    assert own.elements["categories"] == {
        "red": ElementEdit(None, "", LATER),
        "green": ElementEdit("Green", "", LATER, LATER.seq),
    }


def test_another_order_is_not_an_edit() -> None:
    own = OwnEdits()

    assert seen(Contact(categories=("A", "B")), Contact(categories=("B", "A")), own=own).own is own


def test_another_spelling_updates_the_element_in_its_place() -> None:
    before = Contact(emails=(Email("ann@x.example"), Email("b@x.example")))
    renamed = Contact(emails=(Email("Ann@x.example", "Ann"), Email("b@x.example")))

    own = seen(before, renamed, own=sight(before)).own

    assert list(own.elements["emails"]) == ["ann@x.example", "b@x.example"]
    assert own.elements["emails"]["ann@x.example"] == ElementEdit(
        Email("Ann@x.example", "Ann"), "", LATER, FIRST.seq, past=(Earlier(FIRST, True),)
    )


HOME, OFFICE = AddressKind.HOME, AddressKind.BUSINESS


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("phones", (N0, N2), (N1, N2)),
        ("emails", (Email("a@x.example"),), (Email("b@x.example"),)),
        ("addresses", (PostalAddress(HOME, city="A"),), (PostalAddress(HOME, city="B"),)),
        ("custom", (CustomField("Site", "A"),), (CustomField("site", "B"),)),
    ],
)
def test_one_removed_and_one_added_of_a_kind_is_an_edit(
    field: str, before: tuple[object, ...], after: tuple[object, ...]
) -> None:
    old = msgspec.structs.replace(Contact(), **{field: before})
    new = msgspec.structs.replace(Contact(), **{field: after})

    edits = list(seen(old, new).own.elements[field].items())

    assert [edit.element for _, edit in edits] == [None, after[0]]
    assert edits[1][1].replaces == edits[0][0]


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("phones", (N0,), (Phone(PhoneKind.HOME, N1.number),)),
        ("phones", (N0,), (N1, N2)),
        ("phones", (N0, N1), (N2,)),
        ("addresses", (PostalAddress(HOME, city="A"),), (PostalAddress(OFFICE, city="B"),)),
        ("custom", (CustomField("Site", "A"),), (CustomField("Number", "B"),)),
        ("categories", ("Red",), ("Blue",)),
    ],
)
def test_what_went_and_came_otherwise_is_removed_and_added(
    field: str, before: tuple[object, ...], after: tuple[object, ...]
) -> None:
    old = msgspec.structs.replace(Contact(), **{field: before})
    new = msgspec.structs.replace(Contact(), **{field: after})

    edits = seen(old, new).own.elements[field].values()

    assert sum(edit.element is None for edit in edits) == len(before)
    assert not any(edit.replaces for edit in edits)


def test_a_replacement_that_is_overwritten_leaves_when_it_was_made() -> None:
    own = seen(Contact(phones=(N0,)), Contact(phones=(N1,)), own=sight(Contact(phones=(N0,)))).own
    assert own.elements["phones"][key(N1)] == ElementEdit(N1, key(N0), LATER, FIRST.seq)

    last = Awareness(12, 11, 30, 31)
    again = record(
        own,
        shadow=Contact(phones=(N1,)),
        observed=Contact(phones=(N2,)),
        lens=IDENTITY,
        when=last,
        native_first_sight=False,
    ).own

    assert again.elements["phones"] == {
        key(N0): ElementEdit(None, "", LATER, FIRST.seq, past=(Earlier(FIRST, True),)),
        key(N1): ElementEdit(None, key(N0), last, FIRST.seq, past=(Earlier(LATER, True, key(N0)),)),
        key(N2): ElementEdit(N2, key(N1), last, FIRST.seq),
    }


def test_a_replacement_that_is_spelled_otherwise_stays_one_and_leaves_when_it_was_made() -> None:
    replaced = {key(N1): ElementEdit(N1, key(N0), FIRST, 2)}
    respelled = mobile("(425) 555-0101")

    own = seen(
        Contact(phones=(N1,)), Contact(phones=respelled), own=OwnEdits({}, {"phones": replaced})
    ).own

    assert own.elements["phones"] == {
        key(N1): ElementEdit(
            respelled[0], key(N0), LATER, 2, past=(Earlier(FIRST, True, key(N0)),)
        ),
    }


def toggled(times: int, *, aware: bool) -> ElementEdit:
    """A number that its user puts in and removes, `aware` of the hub in between or not."""
    own = OwnEdits()
    for number in range(1, 2 * times + 1):
        shadow, observed = Contact(phones=(N0,)), Contact()
        if number % 2:
            shadow, observed = observed, shadow
        when = Awareness(number, number - 1 if aware else 0, 0, 0)
        own = record(
            own,
            shadow=shadow,
            observed=observed,
            lens=IDENTITY,
            when=when,
            native_first_sight=False,
        ).own
    return own.elements["phones"][key(N0)]


def test_of_what_was_said_unaware_of_the_hub_the_last_word_is_kept_and_the_first_removal() -> None:
    edit = toggled(20, aware=False)

    assert edit.when.seq == 40
    assert [(one.when.seq, one.present) for one in edit.past] == [(2, False), (39, True)]


def test_what_was_said_in_sight_of_the_hub_is_kept_up_to_a_number() -> None:
    assert [(e.when.seq, e.present) for e in toggled(2, aware=True).past] == [
        (1, True),
        (2, False),
        (3, True),
    ]
    assert [e.when.seq for e in toggled(20, aware=True).past] == list(range(28, 40))


def test_edits_of_rows_from_before_earlier_statements_were_kept_say_what_they_knew() -> None:
    first = Awareness(3, 1, 0, 0)
    removed = ElementEdit(None, "", Awareness(7, 5, 0, 0), 3, first)
    again = ElementEdit(N0, "", Awareness(9, 8, 0, 0), 3, first, 5)

    assert removed.earlier() == (Earlier(first, True),)
    assert [(e.when.seq, e.when.base, e.present) for e in again.earlier()] == [
        (3, 1, True),
        (6, 5, False),
    ]
    more = again.remembered(Awareness(11, 10, 0, 0), present=False)
    assert more == (*again.earlier(), Earlier(again.when, True))
