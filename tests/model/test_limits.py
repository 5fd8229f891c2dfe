"""What a spoke can show, and in which of its slots."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirahub_sync.endpoints.base import Limits
from cirahub_sync.model.contact import (
    FIELDS,
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.event import Event
from cirahub_sync.model.limits import changed_fields, project

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


LIMITS = Limits(
    fields=frozenset(FIELDS) - {"custom", "spouse"},
    emails=3,
    im_addresses=1,
    phones={PhoneKind.BUSINESS: 2, PhoneKind.MOBILE: 1},
    addresses={"home": 1},
)


def emails(*names: str) -> Contact:
    return Contact(emails=tuple(Email(f"{name}@x.example") for name in names))


def shown(contact: Contact, previous: Contact | None = None, limits: Limits = LIMITS) -> str:
    """The first letters of the e-mails that are shown."""
    return "".join(e.address[0] for e in project(contact, limits, previous).emails)


def test_what_fits_is_shown_as_it_is() -> None:
    contact = Contact(company="Acme", emails=(Email("a@x.example"),), categories=("Red", "Blue"))

    assert project(contact, LIMITS, None) is contact


def test_fields_that_the_spoke_does_not_know_are_left_out() -> None:
    contact = Contact(company="Acme", spouse="Bo", custom=(CustomField("site", "1"),))

    assert project(contact, LIMITS, contact) == Contact(company="Acme")


def test_lists_are_cut_to_the_room_there_is() -> None:
    assert shown(emails("a", "b", "c", "d")) == "abc"
    assert project(Contact(im_addresses=("x", "y")), LIMITS, None).im_addresses == ("x",)


def test_phones_and_addresses_have_room_by_kind() -> None:
    business = [Phone(PhoneKind.BUSINESS, f"+1 425 555 010{n}") for n in range(3)]
    mobile = [Phone(PhoneKind.MOBILE, f"+1 425 555 020{n}") for n in range(2)]
    pager = Phone(PhoneKind.PAGER, "+1 425 555 0300")
    home = [PostalAddress(AddressKind.HOME, city=c) for c in ("Bonn", "Kiel")]
    work = PostalAddress(AddressKind.BUSINESS, city="Berlin")
    contact = Contact(
        phones=(pager, business[0], mobile[0], business[1], mobile[1], business[2]),
        addresses=(work, *home),
    )

    projected = project(contact, LIMITS, None)

    assert projected.phones == (business[0], mobile[0], business[1])
    assert projected.addresses == (home[0],)


def test_an_element_that_was_shown_is_not_displaced_by_new_ones() -> None:
    assert shown(emails("n", "a", "b", "c"), emails("a", "b", "c")) == "abc"


def test_a_new_element_takes_the_place_that_became_free() -> None:
    assert shown(emails("b", "c", "n", "m"), emails("a", "b", "c")) == "nbc"


def test_places_that_stay_free_are_closed_up() -> None:
    assert shown(emails("c", "b"), emails("a", "b", "c")) == "bc"


def test_the_spokes_own_order_is_kept() -> None:
    contact = Contact(categories=("Red", "Blue", "Green"))

    projected = project(contact, LIMITS, Contact(categories=("Blue", "Red")))

    assert projected.categories == ("Blue", "Red", "Green")


def test_a_kept_element_is_shown_in_its_present_spelling() -> None:
    contact = Contact(categories=("RED", "Blue"))

    assert project(contact, LIMITS, Contact(categories=("Red",))).categories == ("RED", "Blue")


def test_a_free_place_goes_to_an_element_of_its_kind() -> None:
    old = Phone(PhoneKind.BUSINESS, "+1 425 555 0100")
    mobile = Phone(PhoneKind.MOBILE, "+1 425 555 0200")
    new = Phone(PhoneKind.BUSINESS, "+1 425 555 0101")

    projected = project(Contact(phones=(mobile, new)), LIMITS, Contact(phones=(old, mobile)))

    assert projected.phones == (new, mobile)


def test_when_the_room_shrinks_the_first_slots_stay_and_nothing_new_takes_them() -> None:
    two = msgspec.structs.replace(LIMITS, emails=2)

    assert shown(emails("n", "b", "c"), emails("a", "b", "c"), two) == "bc"
    assert shown(emails("a", "b", "c"), emails("a", "b", "c"), two) == "ab"


names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@UNHURRIED
@given(names, names)
def test_projecting_is_stable_and_never_hides_what_was_shown(
    new: list[str], old: list[str]
) -> None:
    previous = project(emails(*old), LIMITS, None)
    projected = project(emails(*new), LIMITS, previous)

    assert project(emails(*new), LIMITS, projected) == projected
    assert len(projected.emails) == min(3, len(new))
    assert {e for e in previous.emails if e.address[0] in new} <= set(projected.emails)


def test_changed_fields_are_those_that_differ_at_all_in_their_order() -> None:
    before = Contact(company="Acme", title="Dr", categories=("Red", "Blue"))
    after = Contact(company="ACME", title="Dr", categories=("Blue", "Red"), notes="x")

    assert changed_fields(before, after) == ("company", "notes", "categories")
    assert changed_fields(before, msgspec.structs.replace(before)) == ()


BERLIN = "DTSTART;TZID=Europe/Berlin:20261201T090000\nDTEND;TZID=Europe/Berlin:20261201T100000"
VIENNA = BERLIN.replace("Berlin", "Vienna")
LATER = VIENNA.replace("T09", "T08")


def test_a_schedule_is_as_it_comes_back_and_stays_as_it_is_written_there() -> None:
    windows = Limits(
        fields=frozenset({"subject", "schedule"}),
        phones={},
        addresses={},
        schedule=lambda text: text.replace("Vienna", "Berlin"),
    )
    vienna = Event(subject="Review", schedule=VIENNA)

    assert project(vienna, windows, None).schedule == BERLIN
    assert project(vienna, windows, Event(schedule=BERLIN)).schedule == BERLIN
    assert project(vienna, windows, Event(schedule=VIENNA)).schedule == VIENNA
    assert project(vienna, windows, Event(schedule=LATER)).schedule == BERLIN
    assert project(vienna, windows, Event()).schedule == BERLIN
