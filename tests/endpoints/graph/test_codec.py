"""A contact keeps its content on the way to Graph and back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirahub_sync.endpoints.graph import codec, properties
from cirahub_sync.endpoints.graph.wire import CONTACT
from cirahub_sync.endpoints.mailbox_contact import LIMITS
from cirahub_sync.model.contact import (
    SCALAR_FIELDS,
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)

CUSTOM = ("EmployeeId", "Büro")

line = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)
maybe = st.just("") | line
addresses = st.builds(
    PostalAddress, st.sampled_from(AddressKind), maybe, maybe, maybe, maybe, maybe
)
contacts = st.builds(
    Contact,
    **dict.fromkeys(SCALAR_FIELDS - {"birthday", "notes"}, maybe),
    notes=st.text(st.characters(codec="utf-8", exclude_characters="\r")),
    birthday=st.just("") | st.dates().map(lambda day: day.isoformat()),
    emails=st.lists(st.builds(Email, line, maybe), max_size=5).map(tuple),
    phones=st.lists(st.builds(Phone, st.sampled_from(PhoneKind), line), max_size=12).map(tuple),
    addresses=st.lists(addresses, max_size=5).map(tuple),
    im_addresses=st.lists(line, max_size=5).map(tuple),
    categories=st.lists(line, max_size=3).map(tuple),
    children=st.lists(line, max_size=3).map(tuple),
    custom=st.lists(
        st.builds(CustomField, st.sampled_from((*CUSTOM, "NotRead")), line),
        max_size=3,
        unique_by=lambda field: field.name,
    ).map(tuple),
)


def shown(contact: Contact) -> Contact:
    """What a contact can be on Graph at all, in the order in which it comes back."""
    numbers = LIMITS.phones
    order = (
        PhoneKind.BUSINESS,
        PhoneKind.HOME,
        PhoneKind.MOBILE,
        *properties.PHONES.values(),
    )
    phones = [
        phone
        for kind in order
        for phone in [each for each in contact.phones if each.kind is kind][: numbers[kind]]
    ]
    places = [
        address
        for kind in AddressKind
        for address in [each for each in contact.addresses if each.kind is kind][:1]
        if any((address.street, address.city, address.state, address.postal_code, address.country))
    ]
    custom = {field.name: field for field in contact.custom}
    return msgspec.structs.replace(
        contact,
        emails=tuple(
            Email(each.address, "" if each.name == each.address else each.name)
            for each in contact.emails[:3]
        ),
        phones=tuple(phones),
        addresses=tuple(places),
        im_addresses=contact.im_addresses[:3],
        custom=tuple(custom[name] for name in CUSTOM if name in custom),
    )


def read(body: bytes) -> Contact:
    """As if Graph gave back what was sent."""
    wire = CONTACT.decode(b'{"id":"x",' + body[1:])
    extended = codec.values(wire.single_value_extended_properties)
    return codec.decode(wire, extended, CUSTOM)


@given(contacts)
def test_a_contact_comes_back_as_what_graph_can_show_of_it(contact: Contact) -> None:
    assert read(codec.encode(contact, CUSTOM)) == shown(contact)


@given(contacts)
def test_a_second_round_trip_changes_nothing(contact: Contact) -> None:
    once = read(codec.encode(contact, CUSTOM))
    assert codec.encode(read(codec.encode(once, CUSTOM)), CUSTOM) == codec.encode(once, CUSTOM)


@given(contacts, line)
def test_a_stamp_is_put_in_without_touching_the_rest(contact: Contact, key: str) -> None:
    body = codec.encode(contact, CUSTOM)
    stamped = codec.with_stamp(body, key)
    wire = CONTACT.decode(b'{"id":"x",' + stamped[1:])
    assert codec.values(wire.single_value_extended_properties)[properties.STAMP] == key
    assert read(stamped) == shown(contact)


@given(contacts, contacts)
def test_an_update_turns_one_contact_into_the_other(before: Contact, after: Contact) -> None:
    patch, kept = codec.split_changes(codec.encode_changes(before, after, CUSTOM))
    held = msgspec.json.decode(codec.encode(before, CUSTOM))
    changed = msgspec.json.decode(patch)
    merged = {each["id"]: each for each in held.pop("singleValueExtendedProperties")}
    merged |= {each["id"]: each for each in changed.pop("singleValueExtendedProperties", [])}
    held |= changed
    held["singleValueExtendedProperties"] = list(merged.values())
    assert read(msgspec.json.encode(held)) == shown(after)
    assert codec.decode(CONTACT.decode(msgspec.json.encode(held | {"id": "x"})), kept, CUSTOM) == (
        shown(after)
    )


@given(contacts)
def test_an_update_without_a_change_writes_nothing(contact: Contact) -> None:
    patch, _ = codec.split_changes(codec.encode_changes(contact, contact, CUSTOM))
    assert patch == b"{}"


def test_an_update_names_the_changed_field_only() -> None:
    before = Contact(display_name="Ada", surname="L", job_title="Analyst", notes="n")
    after = msgspec.structs.replace(before, job_title="Engineer")
    patch, _ = codec.split_changes(codec.encode_changes(before, after, CUSTOM))
    assert msgspec.json.decode(patch) == {"jobTitle": "Engineer"}


def test_a_change_of_a_name_repeats_what_graph_would_generate_from_it() -> None:
    before = Contact(display_name="Ada (work)", given_name="Ada", file_as="Lovelace")
    after = msgspec.structs.replace(before, given_name="Augusta")
    patch, _ = codec.split_changes(codec.encode_changes(before, after, CUSTOM))
    assert msgspec.json.decode(patch) == {
        "givenName": "Augusta",
        "displayName": "Ada (work)",
        "fileAs": "Lovelace",
    }


def test_an_emptied_field_is_sent_as_empty() -> None:
    before = Contact(
        display_name="Ada",
        file_as="Ada",
        job_title="Analyst",
        emails=(Email("ada@a.example"),),
        addresses=(PostalAddress(AddressKind.HOME, city="London"),),
        phones=(Phone(PhoneKind.PAGER, "1"), Phone(PhoneKind.MOBILE, "2")),
    )
    patch, kept = codec.split_changes(
        codec.encode_changes(before, Contact(display_name="Ada", file_as="Ada"), CUSTOM)
    )
    sent = msgspec.json.decode(patch)
    assert sent["jobTitle"] is None
    assert sent["mobilePhone"] is None
    assert sent["emailAddresses"] == []
    assert set(sent["homeAddress"].values()) == {None}
    assert sent["singleValueExtendedProperties"] == [{"id": "String 0x3a21", "value": ""}]
    assert kept == {}


@pytest.mark.parametrize(
    ("timestamp", "day"),
    [
        ("1815-12-10T00:00:00Z", "1815-12-10"),
        ("1990-05-01T11:59:00Z", "1990-05-01"),
        ("1990-05-01T12:00:00Z", "1990-05-01"),
        ("1990-04-30T22:00:00Z", "1990-05-01"),
        ("1990-05-01T08:00:00.0000000Z", "1990-05-01"),
        ("9999-12-31T23:00:00Z", "9999-12-31"),
    ],
)
def test_a_birthday_is_the_day_of_the_nearest_midnight(timestamp: str, day: str) -> None:
    wire = CONTACT.decode(msgspec.json.encode({"id": "x", "birthday": timestamp}))
    assert codec.decode(wire, {}).birthday == day


def test_property_ids_are_compared_as_exchange_compares_them() -> None:
    assert properties.canonical("string 0x3A24") == "String 0x3a24"
    assert properties.canonical(properties.STAMP.replace("6d0d4d5c", "6D0D4D5C")) == (
        properties.STAMP
    )
    assert properties.canonical(properties.custom_id("EmployeeId")) != properties.canonical(
        properties.custom_id("employeeid")
    )


def test_everything_null_is_an_empty_contact() -> None:
    names = [name for name in CONTACT.type.__struct_encode_fields__ if name != "id"]
    nulls = dict.fromkeys(name for name in names if not name.startswith("@odata"))
    wire = CONTACT.decode(msgspec.json.encode({"id": "x", **nulls}))
    assert codec.decode(wire, {}) == Contact()
