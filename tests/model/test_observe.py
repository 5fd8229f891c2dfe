"""What an observation records as a spoke's own edits."""

from __future__ import annotations

import msgspec
import pytest

from cirahub_sync.configuration import MappingRule
from cirahub_sync.model.contact import Contact, Email
from cirahub_sync.model.edit import Awareness, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.mapping import Lens
from cirahub_sync.model.observe import Recorded, Return, record

from .sights import (
    DOMAIN,
    FIRST,
    IDENTITY,
    LATER,
    N0,
    N1,
    N2,
    contributes,
    key,
    receives,
    seen,
    sight,
)

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
