"""A contact's two forms: ours, and the parameters and properties of Exchange's cmdlets. Pure.

New-MailContact takes names and the address, Set-Contact the rest; Set-MailContact changes what
Set-Contact can't. Properties of the two halves, Get-MailContact's and Get-Contact's, are called as
the parameters are (https://learn.microsoft.com/powershell/module/exchangepowershell/set-contact).

What an address list can't show: a second e-mail address (a mail contact has one external address),
more than one phone of a kind, a private postal address, and every field that has no parameter. How
long texts may be is their attributes' rangeUpper in Active Directory's schema
(https://learn.microsoft.com/windows/win32/adschema/attributes-all).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec

from cirahub_sync.endpoints.base import Limits
from cirahub_sync.model.contact import (
    AddressKind,
    Contact,
    Email,
    Phone,
    PhoneKind,
    PostalAddress,
)
from cirahub_sync.model.visibility import as_hidden, is_hidden

_TEXTS: Mapping[str, tuple[str, int]] = {
    "given_name": ("FirstName", 64),
    "surname": ("LastName", 64),
    "initials": ("Initials", 6),
    "company": ("Company", 64),
    "department": ("Department", 64),
    "job_title": ("Title", 128),
    "office_location": ("Office", 128),
    "assistant": ("AssistantName", 256),
    "business_home_page": ("WebPage", 2048),
    "notes": ("Notes", 1024),
}
"""By our field: the parameter, and how many characters it takes."""
_DISPLAY_NAME = 256
_PHONES: Mapping[PhoneKind, str] = {
    PhoneKind.BUSINESS: "Phone",
    PhoneKind.MOBILE: "MobilePhone",
    PhoneKind.HOME: "HomePhone",
    PhoneKind.BUSINESS_FAX: "Fax",
    PhoneKind.PAGER: "Pager",
}
_ADDRESS: Mapping[str, str] = {
    "street": "StreetAddress",
    "city": "City",
    "state": "StateOrProvince",
    "postal_code": "PostalCode",
    "country": "CountryOrRegion",
}
_NEW = ("FirstName", "LastName", "Initials")
"""Parameters of Set-Contact that New-MailContact takes already."""
_HIDDEN = "HiddenFromAddressListsEnabled"
COUNTRY = "CountryOrRegion"
"""It takes the codes and names of countries that Exchange knows, and no other text."""

LIMITS = Limits(
    fields=frozenset({"display_name", "emails", "phones", "addresses", *_TEXTS}),
    emails=1,
    phones=dict.fromkeys(_PHONES, 1),
    addresses={AddressKind.BUSINESS: 1},
    lengths={
        "display_name": _DISPLAY_NAME,
        **{field: most for field, (_, most) in _TEXTS.items()},
    },
    required=frozenset({"emails"}),
)

Values = dict[str, str | None]
"""Parameters by name; None: `$null`."""


class Letter(msgspec.Struct, frozen=True):
    """What is to be set of a contact, by the cmdlet that sets it when the contact is there."""

    mail: Values
    """Set-MailContact's."""
    contact: Values
    """Set-Contact's."""
    hidden: bool | None = None
    """Set-MailContact's HiddenFromAddressListsEnabled. None: it stays as it is."""


class MailHalf(msgspec.Struct, rename="pascal", kw_only=True):
    """Of Get-MailContact, as far as it is read."""

    alias: str
    guid: str
    external_email_address: str | None = None
    display_name: str | None = None
    hidden_from_address_lists_enabled: bool | None = None
    when_changed_u_t_c: str | None = msgspec.field(default=None, name="WhenChangedUTC")
    when_created_u_t_c: str | None = msgspec.field(default=None, name="WhenCreatedUTC")


class ContactHalf(msgspec.Struct, rename="pascal", kw_only=True):
    """Of Get-Contact."""

    guid: str
    first_name: str | None = None
    last_name: str | None = None
    initials: str | None = None
    company: str | None = None
    department: str | None = None
    title: str | None = None
    office: str | None = None
    assistant_name: str | None = None
    web_page: str | None = None
    notes: str | None = None
    phone: str | None = None
    mobile_phone: str | None = None
    home_phone: str | None = None
    fax: str | None = None
    pager: str | None = None
    street_address: str | None = None
    city: str | None = None
    state_or_province: str | None = None
    postal_code: str | None = None
    country_or_region: str | None = None
    when_changed_u_t_c: str | None = msgspec.field(default=None, name="WhenChangedUTC")


_letters = msgspec.json.Decoder(Letter)
_mail_halves = msgspec.json.Decoder(list[MailHalf])
_encode = msgspec.json.Encoder().encode


def encode(content: Contact, *, hides: bool = False) -> bytes:
    """`hides`: whether it is ours to say if address lists show it."""
    return _encode(_letter(content, hides=hides))


def encode_changes(
    before: Contact | None,
    after: Contact,
    fields: Collection[str] | None = None,
    *,
    hides: bool = False,
) -> bytes:
    """Without `before`, every parameter of `fields`, the blank ones as `$null`."""
    new = _letter(after, hides=hides)
    if before is not None:
        old = _letter(before, hides=hides)
        return _encode(
            Letter(
                {name: text for name, text in new.mail.items() if text != old.mail[name]},
                {name: text for name, text in new.contact.items() if text != old.contact[name]},
                None if new.hidden == old.hidden else new.hidden,
            )
        )
    if fields is None:
        return _encode(new)
    written = {_TEXTS[field][0] for field in fields if field in _TEXTS}
    if "phones" in fields:
        written.update(_PHONES.values())
    if "addresses" in fields:
        written.update(_ADDRESS.values())
    named = {"display_name": "DisplayName", "emails": "ExternalEmailAddress"}
    mail = {name for field, name in named.items() if field in fields}
    return _encode(
        Letter(
            {name: text for name, text in new.mail.items() if name in mail},
            {name: text for name, text in new.contact.items() if name in written},
            new.hidden,
        )
    )


def read_letter(body: bytes) -> Letter:
    """Of `encode` or `encode_changes`."""
    return _letters.decode(body)


def read_mail_halves(output: bytes) -> Sequence[MailHalf]:
    """What New-MailContact put out; nothing if it can't be read."""
    try:
        return _mail_halves.decode(output)
    except msgspec.DecodeError:
        return ()


def new_parameters(alias: str, letter: Letter) -> Values:
    """New-MailContact's. The name is the alias: both have to be unique, and people see neither."""
    some = {name: letter.contact[name] for name in _NEW if letter.contact.get(name)}
    return {"Name": alias, "Alias": alias, **letter.mail, **some}


def mail_parameters(letter: Letter) -> Mapping[str, str | bool | None]:
    """Set-MailContact's."""
    return letter.mail if letter.hidden is None else letter.mail | {_HIDDEN: letter.hidden}


def hiding_parameters(letter: Letter) -> Mapping[str, bool]:
    """What is left for Set-MailContact after New-MailContact, which shows what it makes."""
    return {_HIDDEN: True} if letter.hidden else {}


def later_parameters(letter: Letter) -> Values:
    """What of a whole letter is left for Set-Contact after New-MailContact."""
    return {name: text for name, text in letter.contact.items() if text and name not in _NEW}


def decode(mail: MailHalf, contact: ContactHalf, *, hides: bool = False) -> Contact:
    values: Values = msgspec.to_builtins(contact)
    texts = {
        field: (values[name] or "").replace("\r\n", "\n") for field, (name, _) in _TEXTS.items()
    }
    phones = ((kind, values[name]) for kind, name in _PHONES.items())
    parts = {part: (values[name] or "").replace("\r\n", "\n") for part, name in _ADDRESS.items()}
    address = (mail.external_email_address or "").removeprefix("SMTP:").removeprefix("smtp:")
    shown = Contact(
        display_name=mail.display_name or "",
        emails=(Email(address),) if address else (),
        phones=tuple(Phone(kind, number) for kind, number in phones if number),
        addresses=(PostalAddress(AddressKind.BUSINESS, **parts),) if any(parts.values()) else (),
    )
    shown = msgspec.structs.replace(shown, **texts)
    return as_hidden(shown) if hides and mail.hidden_from_address_lists_enabled else shown


def decode_letter(letter: Letter) -> Contact:
    """The contact that a whole letter makes, where Exchange changes nothing of it."""
    mail = MailHalf(
        alias="",
        guid="",
        external_email_address=letter.mail.get("ExternalEmailAddress"),
        display_name=letter.mail.get("DisplayName"),
        hidden_from_address_lists_enabled=letter.hidden,
    )
    contact = msgspec.convert({"Guid": "", **letter.contact}, ContactHalf)
    return decode(mail, contact, hides=letter.hidden is not None)


def seconds(moment: str | None) -> float | None:
    """POSIX seconds of a property WhenChangedUTC; None for none, or for one that makes no sense."""
    if not moment:
        return None
    try:
        return datetime.fromisoformat(moment[:19] + "+00:00").timestamp()
    except ValueError:
        return None


def _letter(content: Contact, *, hides: bool) -> Letter:
    """Everything, None where there is nothing."""
    address = content.emails[0].address if content.emails else ""
    full = " ".join(filter(None, (content.given_name, content.surname)))
    name = (content.display_name or full or content.company or address)[:_DISPLAY_NAME]
    contact: Values = {
        parameter: getattr(content, field) or None for field, (parameter, _) in _TEXTS.items()
    }
    numbers: dict[PhoneKind, str] = {}
    for phone in content.phones:
        numbers.setdefault(phone.kind, phone.number)
    contact |= {name: numbers.get(kind) for kind, name in _PHONES.items()}
    business = [one for one in content.addresses if one.kind is AddressKind.BUSINESS]
    contact |= {
        name: (getattr(business[0], part) or None) if business else None
        for part, name in _ADDRESS.items()
    }
    mail: Values = {"DisplayName": name, "ExternalEmailAddress": address}
    return Letter(mail, contact, is_hidden(content) if hides else None)
