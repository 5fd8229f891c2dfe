"""What is written and read where: of each kind of item, contents that a place can show whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cirahub_sync.endpoints.carddav.capabilities import LIMITS as ADDRESS_BOOK_LIMITS
from cirahub_sync.endpoints.exchange_admin.codec import LIMITS as MAIL_CONTACT_LIMITS
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    CustomField,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.event import SHARED, Event, Occurrence
from cirahub_sync.model.kind import Content, as_contact, as_event
from cirahub_sync.model.limits import project


@dataclass(frozen=True, kw_only=True)
class Samples:
    one: Callable[[int], Content]
    """A small one; numbers tell them apart."""
    full: Content
    """With everything, in characters of many scripts."""
    bare: Content
    """With nothing that can be left out."""
    changes: Mapping[str, Any]
    """Fields of the full one as an update leaves them: some other, some with less, some blank."""
    overwriting: Mapping[str, Any]
    """The same, for an update that does not know what is there."""
    crowd: Content | None
    """More than there is room for. None: there is room for whatever there is."""
    text: str
    """A field that people edit."""
    name: str
    """A field that says of an item which one it is."""
    shared: Callable[[Content], Content]
    """What of a content two places have in common, in an order of ours."""

    def changed(self, content: Content) -> Content:
        return msgspec.structs.replace(content, **self.changes)

    def overwritten(self) -> Content:
        return msgspec.structs.replace(self.full, **self.overwriting)

    def edited(self, content: Content, text: str) -> Content:
        return msgspec.structs.replace(content, **{self.text: text})

    def called(self, content: Content) -> str:
        return str(getattr(content, self.name))


def _ordered(content: Content) -> Contact:
    """Kinds of numbers come in an order of the service's own."""
    contact = as_contact(content)
    phones = sorted(contact.phones, key=lambda one: (one.kind, one.number))
    return msgspec.structs.replace(contact, phones=tuple(phones))


def contact(number: int) -> Contact:
    return Contact(
        display_name=f"Péson {number} 人",
        given_name="Péson",
        surname=str(number),
        file_as=f"{number}, Péson",
    )


_FULL = Contact(
    display_name="Dr. Ada Ängström-O'Neil 人 🌍",
    given_name="Ada",
    middle_name="Byron & <King>",
    surname="Ängström-O'Neil",
    title="Dr.",
    generation="II.",
    nickname='"Ad"',
    initials="A.",
    file_as="Ängström-O'Neil, Ada",
    yomi_given_name="エイダ",
    yomi_surname="オングストローム",
    yomi_company="コントソ",
    company="Contoso & Söhne",
    department="R&D",
    job_title="Mathematikerin",
    profession="Mathématicienne",
    manager="Charles",
    assistant="Luigi",
    office_location="1. OG <links>",
    business_home_page="https://contoso.example/?a=1&b=2",
    spouse="William",
    birthday="1815-12-10",
    notes="Zeile eins\nZeile zwei\n\tmit Tabulator & <Klammern>",
    emails=(Email("ada@contoso.example", "Ada Ä"), Email("ada@home.example")),
    phones=(
        Phone(PhoneKind.BUSINESS, "+49 30 1"),
        Phone(PhoneKind.BUSINESS, "+49 30 2"),
        Phone(PhoneKind.HOME, "+49 30 3"),
        Phone(PhoneKind.MOBILE, "+49 170 1"),
        Phone(PhoneKind.BUSINESS_FAX, "+49 30 4"),
        Phone(PhoneKind.HOME_FAX, "+49 30 5"),
        Phone(PhoneKind.OTHER_FAX, "+49 30 6"),
        Phone(PhoneKind.PAGER, "7"),
        Phone(PhoneKind.OTHER, "8"),
    ),
    addresses=(
        PostalAddress(AddressKind.BUSINESS, "Straße 1\nHaus B", "Köln", "NRW", "50667", "Germany"),
        PostalAddress(AddressKind.HOME, city="Öhringen"),
    ),
    im_addresses=("sip:ada@contoso.example",),
    categories=("Großkunde", "A & B"),
    children=("Ralph", "Ånne"),
    custom=(CustomField("EmployeeId", "007 <geheim>"),),
)
_CROWD = msgspec.structs.replace(
    _FULL,
    emails=tuple(Email(f"a{at}@contoso.example") for at in range(5)),
    im_addresses=tuple(f"sip:{at}" for at in range(5)),
    phones=tuple(Phone(kind, f"{kind} {at}") for kind in PhoneKind for at in range(3)),
)

CONTACTS = Samples(
    one=contact,
    full=_FULL,
    bare=Contact(display_name="Ada", file_as="Ada"),
    changes={
        "given_name": "Augusta",
        "phones": (Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.PAGER, "5")),
        "emails": (Email("ada@home.example"),),
        "addresses": (PostalAddress(AddressKind.BUSINESS, "Straße 2", "Köln"),),
        "job_title": "",
        "title": "",
        "custom": (CustomField("EmployeeId", "8"),),
        "categories": (),
    },
    overwriting={"notes": "neu", "emails": (), "phones": _FULL.phones[:1]},
    crowd=_CROWD,
    text="job_title",
    name="display_name",
    shared=_ordered,
)


def _listed(content: Contact) -> Contact:
    """What an address list shows of it; addresses have no names of their own there."""
    shown = as_contact(project(content, MAIL_CONTACT_LIMITS, None))
    emails = tuple(Email(one.address) for one in shown.emails)
    return msgspec.structs.replace(shown, emails=emails)


MAIL_CONTACTS = Samples(
    one=lambda number: msgspec.structs.replace(
        _listed(contact(number)), emails=(Email(f"person-{number}@fabrikam.example"),)
    ),
    full=_listed(_FULL),
    bare=Contact(display_name="Ada", emails=(Email("ada@contoso.example"),)),
    changes={
        "given_name": "Augusta",
        "phones": (Phone(PhoneKind.MOBILE, "+49 170 1"), Phone(PhoneKind.PAGER, "5")),
        "emails": (Email("ada@home.example"),),
        "addresses": (PostalAddress(AddressKind.BUSINESS, "Straße 2", "Köln"),),
        "job_title": "",
        "office_location": "",
    },
    overwriting={"notes": "neu", "company": "", "phones": _FULL.phones[:1]},
    crowd=msgspec.structs.replace(_CROWD, notes="ä" * 5000),
    text="job_title",
    name="display_name",
    shared=_ordered,
)


def _carded(content: Contact) -> Contact:
    """What an address book shows of it; e-mail addresses have no names of their own there."""
    shown = as_contact(project(content, ADDRESS_BOOK_LIMITS, None))
    emails = tuple(Email(one.address) for one in shown.emails)
    return msgspec.structs.replace(shown, emails=emails)


ADDRESS_BOOKS = Samples(
    one=lambda number: _carded(contact(number)),
    full=_carded(_FULL),
    bare=Contact(display_name="Ada"),
    changes=CONTACTS.changes,
    overwriting=CONTACTS.overwriting,
    crowd=_CROWD,
    text="job_title",
    name="display_name",
    shared=_ordered,
)

NINE = "DTSTART;TZID=Europe/Berlin:20261201T090000\nDTEND;TZID=Europe/Berlin:20261201T100000"
WEEKLY = f"{NINE}\nRRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=8"
_CANCELLED = Occurrence("2026-12-15", cancelled=True)


def shared_event(content: Content) -> Event:
    event = as_event(content)
    return Event(**{field: getattr(event, field) for field in SHARED})


EVENTS = Samples(
    one=lambda number: Event(subject=f"Péson {number} 人", schedule=NINE),
    full=Event(
        subject="Dr. Ada Ängström-O'Neil 人 🌍",
        body="Zeile eins\nZeile zwei & <Klammern>",
        location="1. OG <links> & Söhne",
        schedule=WEEKLY,
        exceptions=(
            Occurrence("2026-12-08", start="2026-12-08T11:00:00", end="2026-12-08T11:30:00"),
            _CANCELLED,
            Occurrence("2026-12-22", subject="Schluß 🌍", body="Kuchen & <Tee>", location="Küche"),
        ),
    ),
    bare=Event(subject="Ada", schedule=NINE),
    changes={
        "subject": "Augusta",
        "body": "",
        "exceptions": (
            _CANCELLED,
            Occurrence("2026-12-22", start="2026-12-22T08:00:00", end="2026-12-22T08:30:00"),
            Occurrence("2026-12-29", cancelled=True),
        ),
    },
    overwriting={"body": "neu", "location": ""},
    crowd=None,
    text="location",
    name="subject",
    shared=shared_event,
)
