"""A contact's two forms: ours and Graph's. Pure.

What Graph can't show as it is: see `mailbox_contact`; of e-mail addresses it takes three, too
(github.com/microsoftgraph/microsoft-graph-docs, issue 15276). A name beside an e-mail address that
equals the address is none: Graph may write the address there when no name was given.

`displayName` and `fileAs` are always written, also with every change of a name: Graph generates
what is left out (https://learn.microsoft.com/graph/api/resources/contact), and a copy has to equal
its source.

An extended property is emptied by writing a blank string. Documents name no way to remove one
through its item (github.com/microsoftgraph/msgraph-sdk-dotnet, issue 719), a string value is always
allowed, and a blank one reads as absent here and in Outlook.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from cirahub_sync.endpoints.birthday import day_of, moment_of
from cirahub_sync.endpoints.graph import properties
from cirahub_sync.endpoints.graph.wire import WireAddress, WireContact, WireEmail, WireProperty
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

_SCALARS: tuple[tuple[str, str], ...] = (
    ("display_name", "displayName"),
    ("given_name", "givenName"),
    ("middle_name", "middleName"),
    ("surname", "surname"),
    ("title", "title"),
    ("generation", "generation"),
    ("nickname", "nickName"),
    ("initials", "initials"),
    ("file_as", "fileAs"),
    ("yomi_given_name", "yomiGivenName"),
    ("yomi_surname", "yomiSurname"),
    ("yomi_company", "yomiCompanyName"),
    ("company", "companyName"),
    ("department", "department"),
    ("job_title", "jobTitle"),
    ("profession", "profession"),
    ("manager", "manager"),
    ("assistant", "assistantName"),
    ("office_location", "officeLocation"),
    ("business_home_page", "businessHomePage"),
    ("spouse", "spouseName"),
    ("notes", "personalNotes"),
)
_ALWAYS = ("displayName", "fileAs")
_NAMES: Mapping[str, tuple[str, ...]] = {
    **{field: (name,) for field, name in _SCALARS},
    "birthday": ("birthday",),
    "emails": ("emailAddresses",),
    "phones": ("businessPhones", "homePhones", "mobilePhone"),
    "addresses": ("businessAddress", "homeAddress", "otherAddress"),
    "im_addresses": ("imAddresses",),
    "categories": ("categories",),
    "children": ("children",),
}
"""Graph's names of our fields, but for extended properties."""
_GENERATED_FROM = frozenset(
    {"givenName", "middleName", "surname", "title", "generation", "initials", "nickName"}
)
"""A change of these may have Graph generate `displayName` or `fileAs` anew."""

_ADDRESSES: tuple[tuple[AddressKind, str], ...] = (
    (AddressKind.BUSINESS, "businessAddress"),
    (AddressKind.HOME, "homeAddress"),
    (AddressKind.OTHER, "otherAddress"),
)
_NO_ADDRESS: dict[str, str | None] = dict.fromkeys(
    ("street", "city", "state", "countryOrRegion", "postalCode")
)
"""All members are named in a PATCH, so that it does not matter whether Graph merges an address
with the one it has or replaces it."""

_encoder = msgspec.json.Encoder()
_envelope = msgspec.json.Decoder(tuple[msgspec.Raw, dict[str, str]])

Fields = dict[str, object]
"""Members of Graph's JSON: the wire form has no fixed set in a PATCH."""


def encode(content: Contact, custom_names: Sequence[str]) -> bytes:
    """The body of a create, without its stamp. Ends with the list of extended properties."""
    fields = _fields(content)
    for name, value in tuple(fields.items()):
        if name not in _ALWAYS and value in (None, [], _NO_ADDRESS):
            del fields[name]
    for name in _ALWAYS:
        fields[name] = fields[name] or ""
    return _with_properties(fields, _extended(content, custom_names))


def with_stamp(body: bytes, key: str) -> bytes:
    """The body of a create with its stamp put in: bytes only, nothing is parsed."""
    stamp = _encoder.encode(WireProperty(properties.STAMP, key))
    return b"".join((body[:-2], b"" if body.endswith(b"[]}") else b",", stamp, b"]}"))


def encode_changes(
    before: Contact | None,
    after: Contact,
    custom_names: Sequence[str],
    fields: Collection[str] = FIELDS,
) -> bytes:
    """An update: the body of the PATCH, and beside it the properties that `after` has. Without
    `before`, every one of `fields` is written, the blank ones too.

    The answer to a PATCH has no extended properties, so what they are by then has to be carried
    along; `split_changes` takes the two apart again.
    """
    new = _fields(after)
    changed: Fields = new
    if before is not None:
        old = _fields(before)
        changed = {name: value for name, value in new.items() if value != old[name]}
    elif len(fields) < len(FIELDS):
        left_alone = {
            name for field, names in _NAMES.items() if field not in fields for name in names
        }
        new = changed = {name: value for name, value in new.items() if name not in left_alone}
    if not _GENERATED_FROM.isdisjoint(changed):
        changed.update({name: new[name] for name in _ALWAYS if name in new})
    for name in _ALWAYS:
        if name in changed:
            changed[name] = changed[name] or ""
    kept = _extended(after, custom_names)
    if before is not None:
        old_properties: Mapping[str, str | None] = _extended(before, custom_names)
    else:
        phones = properties.PHONES if "phones" in fields else ()
        customs = [properties.custom_id(name) for name in custom_names if "custom" in fields]
        old_properties = dict.fromkeys((*phones, *customs))
    written = {name: kept.get(name, "") for name in (*old_properties, *kept)}
    written = {name: text for name, text in written.items() if old_properties.get(name) != text}
    patch = _with_properties(changed, written) if written else _encoder.encode(changed)
    return b"".join((b"[", patch, b",", _encoder.encode(kept), b"]"))


def split_changes(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The PATCH and the item's properties after it, of `encode_changes`."""
    patch, kept = _envelope.decode(body)
    return bytes(patch), kept


class _Properties(msgspec.Struct, rename="camel"):
    single_value_extended_properties: list[WireProperty] = []


_properties_decoder = msgspec.json.Decoder(_Properties)


def sent_properties(body: bytes) -> dict[str, str]:
    """The extended properties in the body of a create."""
    return values(_properties_decoder.decode(body).single_value_extended_properties)


def values(wire: Iterable[WireProperty] | None) -> dict[str, str]:
    """Extended properties by canonical id; blank ones are absent."""
    return {properties.canonical(each.id): each.value for each in wire or () if each.value}


def decode(
    wire: WireContact, extended: Mapping[str, str], custom_names: Sequence[str] = ()
) -> Contact:
    """The contact that Graph's fields and extended properties (by canonical id) are."""
    phones = [Phone(PhoneKind.BUSINESS, number) for number in wire.business_phones or () if number]
    phones += [Phone(PhoneKind.HOME, number) for number in wire.home_phones or () if number]
    if wire.mobile_phone:
        phones.append(Phone(PhoneKind.MOBILE, wire.mobile_phone))
    custom: tuple[CustomField, ...] = ()
    if extended:
        for tag, kind in properties.PHONES.items():
            if number := extended.get(tag):
                phones.append(Phone(kind, number))
        custom = tuple(
            CustomField(name, value)
            for name in custom_names
            if (value := extended.get(properties.custom_id(name)))
        )
    return Contact(
        display_name=wire.display_name or "",
        given_name=wire.given_name or "",
        middle_name=wire.middle_name or "",
        surname=wire.surname or "",
        title=wire.title or "",
        generation=wire.generation or "",
        nickname=wire.nick_name or "",
        initials=wire.initials or "",
        file_as=wire.file_as or "",
        yomi_given_name=wire.yomi_given_name or "",
        yomi_surname=wire.yomi_surname or "",
        yomi_company=wire.yomi_company_name or "",
        company=wire.company_name or "",
        department=wire.department or "",
        job_title=wire.job_title or "",
        profession=wire.profession or "",
        manager=wire.manager or "",
        assistant=wire.assistant_name or "",
        office_location=wire.office_location or "",
        business_home_page=wire.business_home_page or "",
        spouse=wire.spouse_name or "",
        birthday=day_of(wire.birthday) if wire.birthday else "",
        notes=wire.personal_notes.replace("\r\n", "\n") if wire.personal_notes else "",
        emails=tuple(
            Email(each.address, each.name if each.name and each.name != each.address else "")
            for each in wire.email_addresses or ()
            if each.address
        ),
        phones=tuple(phones),
        addresses=tuple(
            _address(kind, address)
            for kind, address in (
                (AddressKind.BUSINESS, wire.business_address),
                (AddressKind.HOME, wire.home_address),
                (AddressKind.OTHER, wire.other_address),
            )
            if address is not None and _is_address(address)
        ),
        im_addresses=tuple(wire.im_addresses or ()),
        categories=tuple(wire.categories or ()),
        children=tuple(wire.children or ()),
        custom=custom,
    )


def seconds(timestamp: str | None) -> float | None:
    """POSIX seconds of a DateTimeOffset; None for none, or for one that makes no sense."""
    if not timestamp:
        return None
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return None


def _is_address(wire: WireAddress) -> bool:
    return bool(
        wire.street or wire.city or wire.state or wire.postal_code or wire.country_or_region
    )


def _address(kind: AddressKind, wire: WireAddress) -> PostalAddress:
    return PostalAddress(
        kind,
        wire.street.replace("\r\n", "\n") if wire.street else "",
        wire.city or "",
        wire.state or "",
        wire.postal_code or "",
        wire.country_or_region or "",
    )


def _fields(content: Contact) -> Fields:
    """Every field in Graph's terms, cut to what it can show; None or [] where there is none."""
    fields: Fields = {name: getattr(content, field) or None for field, name in _SCALARS}
    fields["birthday"] = moment_of(content.birthday) if content.birthday else None
    fields["emailAddresses"] = [
        WireEmail(each.address, each.name or each.address) for each in content.emails[:3]
    ]
    numbers: dict[PhoneKind, list[str]] = {}
    for phone in content.phones:
        numbers.setdefault(phone.kind, []).append(phone.number)
    fields["businessPhones"] = numbers.get(PhoneKind.BUSINESS, [])[:2]
    fields["homePhones"] = numbers.get(PhoneKind.HOME, [])[:2]
    fields["mobilePhone"] = next(iter(numbers.get(PhoneKind.MOBILE, ())), None)
    first: dict[AddressKind, PostalAddress] = {}
    for address in content.addresses:
        first.setdefault(address.kind, address)
    for kind, name in _ADDRESSES:
        found = first.get(kind)
        fields[name] = (
            _NO_ADDRESS
            if found is None
            else {
                "street": found.street or None,
                "city": found.city or None,
                "state": found.state or None,
                "countryOrRegion": found.country or None,
                "postalCode": found.postal_code or None,
            }
        )
    fields["imAddresses"] = list(content.im_addresses[:3])
    fields["categories"] = list(content.categories)
    fields["children"] = list(content.children)
    return fields


def _extended(content: Contact, custom_names: Sequence[str]) -> dict[str, str]:
    """The extended properties that the contact has, by canonical id."""
    found: dict[str, str] = {}
    for phone in content.phones:
        tag = properties.PHONE_IDS.get(phone.kind)
        if tag is not None:
            found.setdefault(tag, phone.number)
    spelled = {name.casefold(): name for name in custom_names}
    for field in content.custom:
        name = spelled.get(field.name.casefold())
        if name is not None and field.value:
            found.setdefault(properties.custom_id(name), field.value)
    return found


def _with_properties(fields: Fields, extended: Mapping[str, str]) -> bytes:
    head = _encoder.encode(fields)[:-1]
    tail = _encoder.encode([WireProperty(name, value) for name, value in extended.items()])
    separator = b"," if len(head) > 1 else b""
    return b"".join((head, separator, b'"singleValueExtendedProperties":', tail, b"}"))
