"""The canonical contact.

A blank string or an empty tuple means that the field is absent. Values keep the spelling of
their source; normalisation is for comparing only and lives in `model.normalise`.

Element structs encode as tagged arrays (`["email", "a@b.example", "A"]`), so that an edit can
hold any of them and be decoded again; new attributes go to their ends, with defaults. Values
form trees, never cycles, so the garbage collector need not follow them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class PhoneKind(StrEnum):
    """What a number is for. Services map these to slots of their own."""

    BUSINESS = "business"
    HOME = "home"
    MOBILE = "mobile"
    OTHER = "other"
    BUSINESS_FAX = "businessFax"
    HOME_FAX = "homeFax"
    OTHER_FAX = "otherFax"
    PAGER = "pager"


class AddressKind(StrEnum):
    BUSINESS = "business"
    HOME = "home"
    OTHER = "other"


class Email(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="email"):
    """An address as RFC 5322 addr-spec, with the name shown beside it."""

    address: str
    name: str = ""


class Phone(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="phone"):
    kind: PhoneKind
    number: str


class PostalAddress(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="address"):
    kind: AddressKind
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class CustomField(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="custom"):
    """A named property outside the fixed fields, for example an employee number. Names compare
    case-folded, values exactly; a source may give one name several values."""

    name: str
    value: str


Element = Email | Phone | PostalAddress | CustomField | str
"""One member of a list field."""


class Contact(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    display_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    surname: str = ""
    title: str = ""
    generation: str = ""
    nickname: str = ""
    initials: str = ""
    file_as: str = ""
    yomi_given_name: str = ""
    yomi_surname: str = ""
    yomi_company: str = ""
    company: str = ""
    department: str = ""
    job_title: str = ""
    profession: str = ""
    manager: str = ""
    assistant: str = ""
    office_location: str = ""
    business_home_page: str = ""
    spouse: str = ""
    birthday: str = ""
    """ISO 8601 calendar date, `YYYY-MM-DD`; no time and no zone."""
    notes: str = ""
    emails: tuple[Email, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[PostalAddress, ...] = ()
    im_addresses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    custom: tuple[CustomField, ...] = ()


LIST_FIELDS: frozenset[str] = frozenset(
    {"emails", "phones", "addresses", "im_addresses", "categories", "children", "custom"}
)
SCALAR_FIELDS: frozenset[str] = frozenset(Contact.__struct_fields__) - LIST_FIELDS
FIELDS: tuple[str, ...] = Contact.__struct_fields__

_BLANK = Contact()


def without(contact: Contact, fields: Iterable[str]) -> Contact:
    """The contact with these fields blank: the same object if they are."""
    blank = {field: getattr(_BLANK, field) for field in fields if getattr(contact, field)}
    return msgspec.structs.replace(contact, **blank) if blank else contact
