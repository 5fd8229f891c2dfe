"""What an observation records as a spoke's own edits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.configuration import Flow, MappingRule
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.edit import Awareness, Earlier, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.mapping import Lens, compile_lens
from cirahub_sync.model.observe import Recorded, Return, record

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


IDENTITY = compile_lens(Flow(), toward_hub=True)
FIRST = Awareness(3, 0, 10, 11)
LATER = Awareness(9, 8, 20, 21)


def receives(*rules: MappingRule, exclude: tuple[str, ...] = ()) -> Lens:
    return compile_lens(Flow(mapping=rules, exclude=exclude), toward_hub=False)


def contributes(*rules: MappingRule, exclude: tuple[str, ...] = ()) -> Lens:
    return compile_lens(Flow(mapping=rules, exclude=exclude), toward_hub=True)


def sight(content: Contact, lens: Lens = IDENTITY, when: Awareness = FIRST) -> OwnEdits:
    return record(
        OwnEdits(), shadow=None, observed=content, lens=lens, when=when, native_first_sight=True
    ).own


def seen(
    shadow: Contact, observed: Contact, *, own: OwnEdits | None = None, lens: Lens = IDENTITY
) -> Recorded:
    return record(
        own if own is not None else OwnEdits(),
        shadow=shadow,
        observed=observed,
        lens=lens,
        when=LATER,
        native_first_sight=False,
    )


def mobile(*numbers: str) -> tuple[Phone, ...]:
    return tuple(Phone(PhoneKind.MOBILE, n) for n in numbers)


def key(phone: Phone) -> str:
    return f"{phone.kind}:{phone.number}"


N0, N1, N2 = mobile("+14255550100", "+14255550101", "+14255550102")


# First sight


def test_at_first_sight_of_a_native_every_value_is_its_own_made_unaware_of_the_hub() -> None:
    content = Contact(company="Acme", title=" ", categories=("Red", "RED", "Blue"))
    unaware = Awareness(9, 0, 20, 21)

    own = sight(content, when=LATER)

    assert own == OwnEdits(
        {"company": ScalarEdit("Acme", unaware, 9)},
        {
            "categories": {
                "red": ElementEdit("Red", "", unaware, 9),
                "blue": ElementEdit("Blue", "", unaware, 9),
            }
        },
    )


def test_first_sight_is_recorded_in_the_hubs_terms() -> None:
    lens = contributes(
        MappingRule(field="company", prefix="X "),
        MappingRule(field="title", set_value="Dr"),
        MappingRule(add_category="CiraHub"),
        exclude=("notes",),
    )

    own = sight(Contact(company="Acme", notes="mine"), lens)

    assert {f: e.value for f, e in own.scalars.items()} == {"company": "X Acme", "title": "Dr"}
    assert list(own.elements["categories"]) == ["cirahub"]


def test_first_sight_replaces_earlier_edits_and_needs_no_shadow() -> None:
    again = record(
        sight(Contact(company="Acme", title="Dr")),
        shadow=Contact(company="Brown"),
        observed=Contact(company="Brown"),
        lens=IDENTITY,
        when=LATER,
        native_first_sight=True,
    )

    assert {f: e.value for f, e in again.own.scalars.items()} == {"company": "Brown"}


def test_a_copy_without_a_shadow_records_nothing() -> None:
    own = OwnEdits({"title": ScalarEdit("Dr", FIRST)})

    recorded = record(
        own,
        shadow=None,
        observed=Contact(company="Acme"),
        lens=IDENTITY,
        when=LATER,
        native_first_sight=False,
    )

    assert recorded.own is own


# Scalars


def test_a_value_that_was_merely_received_is_not_an_edit() -> None:
    received = Contact(company="Acme", phones=(N0,), categories=("Red",))
    own = OwnEdits()

    assert seen(received, received, own=own).own is own
    edited = msgspec.structs.replace(received, title="Dr")
    assert seen(received, edited).own == OwnEdits({"title": ScalarEdit("Dr", LATER, 9)})


def test_what_differs_in_form_only_is_not_an_edit() -> None:
    own = OwnEdits()
    shadow = Contact(notes="a\nb", company="Acme")

    assert seen(shadow, Contact(notes="a\r\nb", company="Acme "), own=own).own is own


def test_an_emptied_field_is_a_blank_edit() -> None:
    own = seen(Contact(company="Acme"), Contact()).own

    assert own.scalars == {"company": ScalarEdit("", LATER)}


def test_an_edit_of_ones_own_value_keeps_since_when_it_was_ones_own() -> None:
    own = seen(
        Contact(company="Acme"), Contact(company="B"), own=sight(Contact(company="Acme"))
    ).own
    assert own.scalars["company"] == ScalarEdit("B", LATER, FIRST.seq)

    emptied = seen(Contact(company="B"), Contact(), own=own).own
    refilled = seen(Contact(), Contact(company="C"), own=emptied).own
    assert refilled.scalars["company"] == ScalarEdit("C", LATER, LATER.seq)


def test_edits_that_were_recorded_before_stay_and_are_not_changed_in_place() -> None:
    before = sight(Contact(company="Acme", title="Dr", categories=("Red",)))
    stored = msgspec.msgpack.encode(before)

    after = seen(
        Contact(company="Acme", categories=("Red",)),
        Contact(company="B", categories=("Red", "Blue")),
        own=before,
    ).own

    assert after.scalars["title"].value == "Dr"
    assert list(after.elements["categories"]) == ["red", "blue"]
    assert msgspec.msgpack.encode(before) == stored


# Lists


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


# Through a lens


def test_only_what_changed_is_mapped_and_recorded() -> None:
    lens = receives(MappingRule(field="displayName", prefix="[X] "))
    shadow = Contact(display_name="[X] Ann", company="Acme")

    own = seen(shadow, Contact(display_name="[X] Anna", company="Acme"), lens=lens).own

    assert own == OwnEdits({"display_name": ScalarEdit("Anna", LATER, 9)})


def test_taking_off_what_the_mapping_put_on_is_no_edit_of_the_hub() -> None:
    lens = receives(MappingRule(field="displayName", prefix="[X] "))
    own = OwnEdits()

    recorded = seen(
        Contact(display_name="[X] Ann"), Contact(display_name="Ann"), lens=lens, own=own
    )

    assert recorded.own is own


def test_an_edit_of_a_constant_is_reported_and_not_recorded() -> None:
    lens = receives(MappingRule(field="jobTitle", set_value="Partner"))

    recorded = seen(Contact(job_title="Partner"), Contact(job_title="Cook", company="A"), lens=lens)

    assert recorded.read_only_fields == ("job_title",)
    assert list(recorded.own.scalars) == ["company"]
    respaced = seen(Contact(job_title="Partner"), Contact(job_title="Partner "), lens=lens)
    assert respaced.read_only_fields == ()


@pytest.mark.parametrize(
    "lens",
    [
        contributes(exclude=("jobTitle", "phones")),
        receives(exclude=("jobTitle", "phones")),
        contributes(MappingRule(field="jobTitle", set_value="Partner"), exclude=("phones",)),
    ],
)
def test_a_field_that_does_not_pass_is_ignored(lens: Lens) -> None:
    own = OwnEdits()

    recorded = seen(Contact(), Contact(job_title="Cook", phones=(N0,)), lens=lens, own=own)

    assert recorded == Recorded(own)
    assert recorded.own is own


def test_removing_a_category_that_the_mapping_adds_is_reported_by_a_receiver_only() -> None:
    rule = MappingRule(add_category="CiraHub")
    shadow, observed = Contact(categories=("CiraHub", "Red")), Contact(categories=("Red", "Blue"))

    received = seen(shadow, observed, lens=receives(rule))
    contributed = seen(shadow, observed, lens=contributes(rule))

    assert received.read_only_fields == ("categories",)
    assert contributed.read_only_fields == ()
    assert list(received.own.elements["categories"]) == ["blue"]
    assert received.own == contributed.own


DOMAIN = MappingRule(replace_domain=("old.example", "new.example"))


def test_emails_are_recorded_in_the_hubs_domain() -> None:
    shadow = Contact(emails=(Email("a@new.example"),))
    observed = Contact(emails=(Email("b@new.example"),))

    edits = seen(shadow, observed, lens=receives(DOMAIN)).own.elements["emails"]

    assert edits["b@old.example"].replaces == "a@old.example"
    assert edits["a@old.example"].element is None


def test_removing_an_address_that_two_of_the_hubs_lead_to_removes_both() -> None:
    shadow = Contact(emails=(Email("a@new.example"), Email("c@new.example")))
    observed = Contact(emails=(Email("c@new.example"),))

    edits = seen(shadow, observed, lens=receives(DOMAIN)).own.elements["emails"]

    assert set(edits) == {"a@old.example", "a@new.example"}
    assert all(edit.element is None for edit in edits.values())


def test_removing_one_of_two_addresses_that_are_one_in_the_hub_removes_nothing_there() -> None:
    both = Contact(emails=(Email("a@old.example"), Email("a@new.example")))
    one = Contact(emails=(Email("a@new.example"),))
    own = sight(both, contributes(DOMAIN))

    assert seen(both, one, lens=contributes(DOMAIN), own=own).own is own


# Laws

values = st.sampled_from(["", " ", "Acme", "acme", "[X] Acme"])
contacts = st.builds(
    Contact,
    display_name=values,
    job_title=values,
    notes=values,
    emails=st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(
        lambda found: tuple(Email(f"{a}@new.example") for a in found)
    ),
    phones=st.lists(st.sampled_from([N0, N1, N2]), max_size=3, unique=True).map(tuple),
)
LENSES: Sequence[Lens] = (
    IDENTITY,
    receives(MappingRule(field="displayName", prefix="[X] "), DOMAIN, exclude=("notes",)),
    contributes(MappingRule(field="jobTitle", set_value="Partner"), DOMAIN),
)


@UNHURRIED
@given(contacts, contacts, st.sampled_from(LENSES))
def test_an_edit_and_its_observation_agree_with_the_lens(
    before: Contact, after: Contact, lens: Lens
) -> None:
    own = seen(before, after, lens=lens).own
    was, now = lens.to_hub(before), lens.to_hub(after)

    for field, edit in own.scalars.items():
        assert edit.value == getattr(now, field).strip() or edit.value == getattr(now, field)
        assert getattr(was, field) != getattr(now, field)
    for field, edits in own.elements.items():
        present = {e.element for e in edits.values() if e.element is not None}
        assert present == set(getattr(now, field)) - set(getattr(was, field))


@UNHURRIED
@given(contacts, contacts, st.sampled_from(LENSES))
def test_seeing_the_same_again_records_nothing(before: Contact, after: Contact, lens: Lens) -> None:
    own = seen(before, after, lens=lens).own

    assert seen(after, after, own=own, lens=lens) == Recorded(own)


# What is taken back


def test_what_a_spoke_had_said_before_and_says_again_is_a_return() -> None:
    own = sight(Contact(company="Acme", notes="Blue"))
    received = Contact(company="ACME Inc.", notes="Blue")
    found = seen(received, Contact(company="Acme", notes="Red"), own=own)
    assert found.returns == (Return("company", "", FIRST.seq),)
    assert seen(received, Contact(company="Apex", notes="Blue"), own=own).returns == ()
    assert seen(received, Contact(company="Acme", notes="Blue")).returns == (), "never its own"


def test_an_element_that_is_put_in_or_taken_out_or_spelled_again_is_a_return() -> None:
    own = sight(Contact(phones=(N0, N1)))
    gone = seen(Contact(phones=(N1, N2)), Contact(phones=(N0, N1)), own=own)
    assert gone.returns == (Return("phones", key(N0), FIRST.seq),)
    assert seen(Contact(phones=(N0, N1)), Contact(phones=(N1,)), own=own).returns == ()
    removed = OwnEdits({}, {"phones": {key(N2): ElementEdit(None, "", FIRST)}})
    again = seen(Contact(phones=(N1, N2)), Contact(phones=(N1,)), own=removed)
    assert again.returns == (Return("phones", key(N2), FIRST.seq),)


def test_what_a_person_had_decided_for_a_spoke_counts_as_said_first() -> None:
    decided = Awareness(7, 7, 20, 20)
    own = OwnEdits({"company": ScalarEdit("Acme", decided)}, {})
    found = seen(Contact(company="ACME Inc."), Contact(company="Acme"), own=own)
    assert found.returns == (Return("company", "", 0),)
