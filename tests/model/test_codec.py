"""The stored forms of contacts and edits, and what fingerprints cover."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.errors import StoreError
from cirahub_sync.model.codec import (
    decode_item,
    decode_own,
    encode_item,
    encode_own,
    fingerprint_bytes,
)
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Element,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.edit import Awareness, Earlier, ElementEdit, OwnEdits, ScalarEdit
from cirahub_sync.model.event import Event, Occurrence

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


text = st.text(max_size=5)
emails = st.builds(Email, text, text)
phones = st.builds(Phone, st.sampled_from(PhoneKind), text)
addresses = st.builds(PostalAddress, st.sampled_from(AddressKind), text, text, text, text, text)
custom = st.builds(CustomField, text, text)
contacts = st.builds(
    Contact,
    display_name=text,
    notes=text,
    emails=st.lists(emails, max_size=2).map(tuple),
    phones=st.lists(phones, max_size=2).map(tuple),
    addresses=st.lists(addresses, max_size=2).map(tuple),
    categories=st.lists(text, max_size=2).map(tuple),
    custom=st.lists(custom, max_size=2).map(tuple),
)
awareness = st.builds(
    Awareness, st.integers(0, 2**60), st.integers(0, 9), st.floats(0, 9e9), st.just(9e9)
)
elements: st.SearchStrategy[Element] = st.one_of(emails, phones, addresses, custom, text)
element_edits = st.builds(
    ElementEdit,
    st.none() | elements,
    text,
    awareness,
    st.integers(0, 9),
    st.none() | awareness,
    st.none() | st.integers(0, 9),
    st.lists(st.builds(Earlier, awareness, st.booleans(), text), max_size=3).map(tuple),
)
own_edits = st.builds(
    OwnEdits,
    st.dictionaries(text, st.builds(ScalarEdit, text, awareness, st.integers(0, 9)), max_size=3),
    st.dictionaries(text, st.dictionaries(text, element_edits, max_size=3), max_size=3),
)


@UNHURRIED
@given(contacts)
def test_a_contact_is_what_it_was_after_being_stored(contact: Contact) -> None:
    assert decode_item(encode_item(contact)) == contact


@UNHURRIED
@given(own_edits)
def test_edits_are_what_they_were_after_being_stored_order_included(own: OwnEdits) -> None:
    again = decode_own(encode_own(own))

    assert again == own
    assert [list(edits) for edits in again.elements.values()] == [
        list(edits) for edits in own.elements.values()
    ]


def test_blank_fields_take_no_room() -> None:
    assert len(encode_item(Contact(company="Acme"))) < 20


@pytest.mark.parametrize("decode", [decode_item, decode_own])
@pytest.mark.parametrize("data", [b"", b"\x03\x80", b"\x02\x93secret", b"\x01", b"\x01\x93secret"])
def test_bytes_of_another_form_or_damaged_ones_are_refused_without_showing_them(
    decode: object, data: bytes
) -> None:
    assert callable(decode)
    with pytest.raises(StoreError) as refused:
        decode(data)

    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None


BASE = Contact(
    company="Acme",
    emails=(Email("a@x.example"), Email("b@x.example")),
    phones=(Phone(PhoneKind.MOBILE, "1"), Phone(PhoneKind.HOME, "2"), Phone(PhoneKind.HOME, "3")),
    addresses=(
        PostalAddress(AddressKind.OTHER, city="A"),
        PostalAddress(AddressKind.HOME, city="B"),
    ),
    categories=("Red", "Blue"),
    children=("Bo", "Al"),
    custom=(CustomField("n", "1"), CustomField("m", "2")),
)


@pytest.mark.parametrize("field", ["categories", "children", "custom", "addresses"])
def test_a_fingerprint_ignores_an_order_that_nobody_sees(field: str) -> None:
    turned = msgspec.structs.replace(BASE, **{field: getattr(BASE, field)[::-1]})

    assert fingerprint_bytes(turned) == fingerprint_bytes(BASE)


def test_a_fingerprint_ignores_the_order_of_phones_between_kinds_but_not_within() -> None:
    mobile, home, other_home = BASE.phones

    def fingerprint(*numbers: Phone) -> bytes:
        return fingerprint_bytes(msgspec.structs.replace(BASE, phones=numbers))

    assert fingerprint(home, other_home, mobile) == fingerprint_bytes(BASE)
    assert fingerprint(mobile, other_home, home) != fingerprint_bytes(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"company": "ACME"},
        {"emails": BASE.emails[::-1]},
        {"categories": ("Red", "blue")},
        {"categories": ("Red",)},
        {"notes": "x"},
    ],
)
def test_a_fingerprint_tells_apart_what_would_be_shown_differently(
    change: dict[str, object],
) -> None:
    changed = msgspec.structs.replace(BASE, **change)

    assert fingerprint_bytes(changed) != fingerprint_bytes(BASE)


EVENT = Event(
    subject="Review",
    schedule="DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125",
    exceptions=(Occurrence("2026-12-01", cancelled=True),),
    uid="040000008200E0",
    show_as="busy",
)


def test_an_event_is_read_as_the_event_that_was_written() -> None:
    assert decode_item(encode_item(EVENT)) == EVENT
    assert decode_item(encode_item(Event())) == Event()
    assert type(decode_item(encode_item(Contact()))) is Contact


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"subject": "Preview"}, True),
        ({"schedule": ""}, True),
        ({"exceptions": ()}, True),
        ({"uid": "another"}, False),
        ({"role": "organizer"}, False),
        ({"show_as": "free"}, False),
        ({"categories": ("Red",)}, False),
        ({"sensitivity": "private"}, False),
    ],
)
def test_the_fingerprint_of_an_event_covers_what_is_merged_and_nothing_else(
    change: dict[str, object], shown: bool
) -> None:
    other = msgspec.structs.replace(EVENT, **change)

    assert (fingerprint_bytes(other) != fingerprint_bytes(EVENT)) is shown
