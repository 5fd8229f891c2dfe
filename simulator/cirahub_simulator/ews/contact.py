"""A contact's properties as EWS has them: [MS-OXWSCONT] 2.2.4.2, over the fields that Graph has.

What Graph's contact has no field for is kept as the MAPI property that it is (`mapi`). In the order
of the schema, which is the order of answers.
"""

from __future__ import annotations

from collections.abc import Callable

from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.attachment import has_photo
from cirahub_simulator.ews.draft import Draft, slots_of
from cirahub_simulator.ews.errors import EwsError, not_settable, schema_violation
from cirahub_simulator.ews.item_properties import read_strings, strings
from cirahub_simulator.ews.markup import (
    Element,
    add,
    children,
    element,
    find,
    local_name,
    text_of,
)
from cirahub_simulator.ews.moments import read_moment, write_moment
from cirahub_simulator.ews.property import Property, Reading, Value
from cirahub_simulator.graph.contact import Contact, EmailAddress, PhysicalAddress

EMAIL_KEYS = ("EmailAddress1", "EmailAddress2", "EmailAddress3")
IM_KEYS = ("ImAddress1", "ImAddress2", "ImAddress3")
PHONE_SLOTS = {
    "BusinessPhone": ("business_phones", 0),
    "BusinessPhone2": ("business_phones", 1),
    "HomePhone": ("home_phones", 0),
    "HomePhone2": ("home_phones", 1),
}
PHONE_KEYS = tuple(sorted((*PHONE_SLOTS, *mapi.PHONES, "MobilePhone")))
ADDRESSES = {"Business": "business_address", "Home": "home_address", "Other": "other_address"}
ADDRESS_PARTS = {
    "Street": "street",
    "City": "city",
    "State": "state",
    "CountryOrRegion": "country_or_region",
    "PostalCode": "postal_code",
}
INDEXES = ("None", "Home", "Business", "Other")
FILE_AS_MAPPINGS = {
    "None": 0,
    "LastCommaFirst": 0x8017,
    "FirstSpaceLast": 0x8037,
    "Company": 0x3A16,
    "LastCommaFirstCompany": 0x8019,
    "CompanyLastCommaFirst": 0x8018,
    "LastFirst": 0x8030,
    "LastSpaceFirst": 0x8031,
    "CompanyLastFirst": 0x8032,
    "LastFirstCompany": 0x8033,
    "LastSpaceFirstCompany": 0x8034,
    "CompanyLastSpaceFirst": 0x8035,
    "LastFirstSuffix": 0x8036,
    "LastFirstMiddleSuffix": 0x8038,
    "DisplayName": 0x3001,
    "FirstName": 0x3A06,
    "LastName": 0x3A11,
    "Empty": 0xFFFE,
}
"""FileAsMappingType and PidLidFileUnderId ([MS-OXOCNTC] 2.2.1.1.12); where that has no number for a
mapping, one that is free."""


def _text(name: str, attribute: str) -> Property[Draft]:
    def read(reading: Reading) -> Value:
        return getattr(reading.contact.fields, attribute) or None

    def write(draft: Draft, node: Element | None) -> None:
        draft.put(attribute, None if node is None else text_of(node))

    return Property(f"contacts:{name}", read, write)


def _mapi_text(name: str, canonical: str) -> Property[Draft]:
    def read(reading: Reading) -> Value:
        return reading.contact.extended.get(canonical)

    def write(draft: Draft, node: Element | None) -> None:
        draft.put_extended(canonical, None if node is None else text_of(node))

    return Property(f"contacts:{name}", read, write)


def _read_only(name: str, read: Callable[[Reading], Value]) -> Property[Draft]:
    return Property(f"contacts:{name}", read)


def _choice(
    name: str, canonical: str, numbers: dict[str, int], default: str | None
) -> Property[Draft]:
    """An enumeration that MAPI keeps as a number."""
    names = {str(number): choice for choice, number in reversed(numbers.items())}

    def read(reading: Reading) -> Value:
        number = reading.contact.extended.get(canonical)
        return default if number is None else names.get(number, default)

    def write(draft: Draft, node: Element | None) -> None:
        if node is None:
            draft.put_extended(canonical, None)
            return
        number = numbers.get(text_of(node))
        if number is None:
            raise schema_violation(f"The '{name}' element is invalid: '{text_of(node)}'.")
        draft.put_extended(canonical, str(number))

    return Property(f"contacts:{name}", read, write)


def _children() -> Property[Draft]:
    def read(reading: Reading) -> Value:
        return strings(reading.contact.fields.children) or None

    def write(draft: Draft, node: Element | None) -> None:
        draft.put("children", read_strings(node))

    return Property("contacts:Children", read, write)


def _companies() -> Property[Draft]:
    def read(reading: Reading) -> Value:
        stored = reading.contact.extended.get(mapi.COMPANIES)
        return None if stored is None else strings(mapi.read_array(stored))

    def write(draft: Draft, node: Element | None) -> None:
        values = read_strings(node)
        draft.put_extended(mapi.COMPANIES, mapi.write_array(values) if values else None)

    return Property("contacts:Companies", read, write)


def _birthday() -> Property[Draft]:
    def read(reading: Reading) -> Value:
        return reading.contact.fields.birthday

    def write(draft: Draft, node: Element | None) -> None:
        draft.put("birthday", None if node is None else read_moment(text_of(node)))

    return Property("contacts:Birthday", read, write)


def _wedding() -> Property[Draft]:
    def read(reading: Reading) -> Value:
        stored = reading.contact.extended.get(mapi.WEDDING)
        return None if stored is None else write_moment(stored)

    def write(draft: Draft, node: Element | None) -> None:
        draft.put_extended(mapi.WEDDING, None if node is None else read_moment(text_of(node)))

    return Property("contacts:WeddingAnniversary", read, write)


def _complete_name(reading: Reading) -> Value:
    """[MS-OXWSCONT] 2.2.4.3: read-only, made of the other names."""
    fields = reading.contact.fields
    parts = [
        ("Title", fields.title),
        ("FirstName", fields.given_name),
        ("MiddleName", fields.middle_name),
        ("LastName", fields.surname),
        ("Suffix", fields.generation),
        ("Initials", fields.initials),
        ("FullName", fields.display_name),
        ("Nickname", fields.nick_name),
        ("YomiFirstName", fields.yomi_given_name),
        ("YomiLastName", fields.yomi_surname),
    ]
    return [element(f"t:{name}", value) for name, value in parts if value] or None


# What has keys


def _emails(reading: Reading) -> Value:
    entries = []
    for place, address in sorted(slots_of(reading.contact, "email_addresses").items()):
        if place < len(EMAIL_KEYS) and isinstance(address, EmailAddress) and address.address:
            entry = element("t:Entry", address.address, Key=EMAIL_KEYS[place])
            if address.name:
                entry.set("Name", address.name)
            entry.set("RoutingType", "SMTP")
            entries.append(entry)
    return entries or None


def _im_addresses(reading: Reading) -> Value:
    return [
        element("t:Entry", str(value), Key=IM_KEYS[place])
        for place, value in sorted(slots_of(reading.contact, "im_addresses").items())
        if place < len(IM_KEYS)
    ] or None


def _phone(contact: Contact, key: str) -> str | None:
    if key == "MobilePhone":
        return contact.fields.mobile_phone or None
    slot = PHONE_SLOTS.get(key)
    if slot is not None:
        found = slots_of(contact, slot[0]).get(slot[1])
        return None if found is None else str(found)
    return contact.extended.get(mapi.PHONES[key])


def _phones(reading: Reading) -> Value:
    found = ((key, _phone(reading.contact, key)) for key in PHONE_KEYS)
    return [element("t:Entry", value, Key=key) for key, value in found if value] or None


def _physical_addresses(reading: Reading) -> Value:
    entries = []
    for key, attribute in ADDRESSES.items():
        address: PhysicalAddress = getattr(reading.contact.fields, attribute)
        parts = [(tag, getattr(address, part)) for tag, part in ADDRESS_PARTS.items()]
        if any(value for _, value in parts):
            entry = element("t:Entry", Key=key)
            for tag, value in parts:
                if value:
                    add(entry, f"t:{tag}", value)
            entries.append(entry)
    return entries or None


def indexed_value(contact: Contact, uri: str, index: str) -> str | None:
    """The value of an IndexedFieldURI."""
    kind, _, part = uri.removeprefix("contacts:").partition(":")
    if kind == "PhoneNumber" and index in PHONE_KEYS:
        return _phone(contact, index)
    if kind == "EmailAddress" and index in EMAIL_KEYS:
        address = slots_of(contact, "email_addresses").get(EMAIL_KEYS.index(index))
        return address.address if isinstance(address, EmailAddress) else None
    if kind == "ImAddress" and index in IM_KEYS:
        value = slots_of(contact, "im_addresses").get(IM_KEYS.index(index))
        return None if value is None else str(value)
    if kind == "PhysicalAddress" and index in ADDRESSES and part in ADDRESS_PARTS:
        found: str | None = getattr(getattr(contact.fields, ADDRESSES[index]), ADDRESS_PARTS[part])
        return found or None
    raise _no_such_index(uri, index)


def indexed_element(contact: Contact, uri: str, index: str) -> tuple[str, Element] | None:
    """The dictionary's URI and the entry of an IndexedFieldURI, for a shape that asks for it."""
    value = indexed_value(contact, uri, index)
    kind, _, part = uri.removeprefix("contacts:").partition(":")
    if value is None:
        return None
    if kind == "PhysicalAddress":
        entry = element("t:Entry", Key=index)
        add(entry, f"t:{part}", value)
        return "contacts:PhysicalAddresses", entry
    entry = element("t:Entry", value, Key=index)
    if kind == "EmailAddress":
        return "contacts:EmailAddresses", entry
    return f"contacts:{kind}s" if kind == "PhoneNumber" else "contacts:ImAddresses", entry


def write_indexed(draft: Draft, uri: str, index: str, item: Element | None) -> None:
    """Set one entry from the item of a SetItemField; None deletes it."""
    kind, _, part = uri.removeprefix("contacts:").partition(":")
    entry = None if item is None else _entry(item, index)
    match kind:
        case "EmailAddress" if index in EMAIL_KEYS:
            _write_email(draft, index, entry)
        case "ImAddress" if index in IM_KEYS:
            text = None if entry is None else text_of(entry)
            draft.put_slot("im_addresses", IM_KEYS.index(index), text or None)
        case "PhoneNumber" if index in PHONE_KEYS:
            _write_phone(draft, index, None if entry is None else text_of(entry))
        case "PhysicalAddress" if index in ADDRESSES and part in ADDRESS_PARTS:
            value = None
            if entry is not None:
                node = find(entry, f"t:{part}")
                if node is None:
                    raise EwsError(
                        "ErrorUpdatePropertyMismatch",
                        "The property in the update expression is not in the item.",
                    )
                value = text_of(node)
            setattr(getattr(draft.fields, ADDRESSES[index]), ADDRESS_PARTS[part], value or None)
            draft.touch(ADDRESSES[index])
        case _:
            raise _no_such_index(uri, index)


def _entry(item: Element, index: str) -> Element:
    entries = [e for d in children(item) for e in children(d) if local_name(e) == "Entry"]
    if len(entries) != 1:
        raise EwsError(
            "ErrorIncorrectUpdatePropertyCount",
            "Each change description has to name one property alone.",
        )
    if entries[0].get("Key") != index:
        raise EwsError(
            "ErrorUpdatePropertyMismatch",
            "The property in the update expression is not in the item.",
        )
    return entries[0]


def _write_email(draft: Draft, key: str, entry: Element | None) -> None:
    place = EMAIL_KEYS.index(key)
    text = "" if entry is None else text_of(entry)
    if entry is None or not text:
        draft.put_slot("email_addresses", place, None)
        return
    draft.put_slot("email_addresses", place, EmailAddress(entry.get("Name") or text, text))


def _write_phone(draft: Draft, key: str, value: str | None) -> None:
    slot = PHONE_SLOTS.get(key)
    if key == "MobilePhone":
        draft.put("mobile_phone", value or None)
    elif slot is not None:
        draft.put_slot(slot[0], slot[1], value or None)
    else:
        draft.put_extended(mapi.PHONES[key], value or None)


def _no_such_index(uri: str, index: str) -> EwsError:
    return EwsError("ErrorInvalidPropertyRequest", f"There is no entry {index} of {uri}.")


def _dictionary(
    name: str, read: Callable[[Reading], Value], write_entry: Callable[[Draft, str, Element], None]
) -> Property[Draft]:
    """A dictionary: written whole with a new contact only, later entry by entry."""

    def write(draft: Draft, node: Element | None) -> None:
        if node is None or not draft.is_new:
            raise not_settable(f"contacts:{name}")
        for entry in children(node):
            key = entry.get("Key")
            if local_name(entry) != "Entry" or key is None:
                raise schema_violation(f"The '{name}' element has an entry without a key.")
            write_entry(draft, key, entry)

    return Property(f"contacts:{name}", read, write)


def _create_email(draft: Draft, key: str, entry: Element) -> None:
    if key not in EMAIL_KEYS:
        raise schema_violation(f"'{key}' is no key of an e-mail address.")
    _write_email(draft, key, entry)


def _create_im(draft: Draft, key: str, entry: Element) -> None:
    if key not in IM_KEYS:
        raise schema_violation(f"'{key}' is no key of an instant messaging address.")
    draft.put_slot("im_addresses", IM_KEYS.index(key), text_of(entry) or None)


def _create_phone(draft: Draft, key: str, entry: Element) -> None:
    if key not in PHONE_KEYS:
        raise schema_violation(f"'{key}' is no key of a phone number.")
    _write_phone(draft, key, text_of(entry))


def _create_address(draft: Draft, key: str, entry: Element) -> None:
    if key not in ADDRESSES:
        raise schema_violation(f"'{key}' is no key of a postal address.")
    values = {}
    for part in children(entry):
        attribute = ADDRESS_PARTS.get(local_name(part))
        if attribute is None:
            raise schema_violation(f"'{local_name(part)}' is no part of a postal address.")
        values[attribute] = text_of(part) or None
    draft.put(ADDRESSES[key], PhysicalAddress(**values))


PROPERTIES = (
    _text("FileAs", "file_as"),
    _choice("FileAsMapping", mapi.FILE_AS_MAPPING, FILE_AS_MAPPINGS, "None"),
    _text("DisplayName", "display_name"),
    _text("GivenName", "given_name"),
    _text("Initials", "initials"),
    _text("MiddleName", "middle_name"),
    _text("Nickname", "nick_name"),
    _read_only("CompleteName", _complete_name),
    _text("CompanyName", "company_name"),
    _dictionary("EmailAddresses", _emails, _create_email),
    _dictionary("PhysicalAddresses", _physical_addresses, _create_address),
    _dictionary("PhoneNumbers", _phones, _create_phone),
    _text("AssistantName", "assistant_name"),
    _birthday(),
    _text("BusinessHomePage", "business_home_page"),
    _children(),
    _companies(),
    _read_only("ContactSource", lambda _: None),
    _text("Department", "department"),
    _text("Generation", "generation"),
    _dictionary("ImAddresses", _im_addresses, _create_im),
    _text("JobTitle", "job_title"),
    _text("Manager", "manager"),
    _mapi_text("Mileage", mapi.MILEAGE),
    _text("OfficeLocation", "office_location"),
    _choice(
        "PostalAddressIndex",
        mapi.POSTAL_ADDRESS_INDEX,
        {name: number for number, name in enumerate(INDEXES)},
        None,
    ),
    _text("Profession", "profession"),
    _text("SpouseName", "spouse_name"),
    _text("Surname", "surname"),
    _wedding(),
    _read_only("HasPicture", lambda r: has_photo(r.mailbox, r.item)),
    _read_only("PhoneticFullName", lambda _: None),
    _read_only("PhoneticFirstName", lambda r: r.contact.fields.yomi_given_name),
    _read_only("PhoneticLastName", lambda r: r.contact.fields.yomi_surname),
    _read_only("Alias", lambda _: None),
    _read_only("Notes", lambda _: None),
    _read_only("Photo", lambda _: None),
    _read_only("UserSMIMECertificate", lambda _: None),
    _read_only("MSExchangeCertificate", lambda _: None),
    _read_only("DirectoryId", lambda _: None),
    _read_only("ManagerMailbox", lambda _: None),
    _read_only("DirectReports", lambda _: None),
)
"""From Alias on they are of contacts of the directory, which ResolveNames answers, and of no item
in a folder ([MS-OXWSCONT] 2.2.4.2)."""

DEFAULT = frozenset(
    f"contacts:{name}"
    for name in (
        "FileAs",
        "FileAsMapping",
        "DisplayName",
        "GivenName",
        "CompanyName",
        "EmailAddresses",
        "PhysicalAddresses",
        "PhoneNumbers",
        "JobTitle",
        "Surname",
    )
)
"""Of the Default shape: what the example of
https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation-contact
and the table of "Web Service Response Shapes in Exchange 2010" agree on."""
