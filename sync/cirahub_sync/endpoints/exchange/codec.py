"""A contact's two forms: ours and that of Exchange Web Services. Pure.

[MS-OXWSCONT] 2.2.4.2. What EWS can't show as it is: see `mailbox_contact`. A contact is a set of
*parts*, each a path and what stands there: all of them make a new item, the differing ones an
update.

Dictionaries (`EmailAddresses`) have numbered places, of which a user may have left the first one
empty. Ours are in order, so that a list that changes is written whole, place by place.

`DisplayName` and `FileAs` are always written, also with every change of a name: Exchange generates
what is left out, and a copy has to equal its source.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.birthday import moment_of
from cirahub_sync.endpoints.exchange import properties
from cirahub_sync.endpoints.exchange.wire import attribute, escaped, field, indexed
from cirahub_sync.model.contact import (
    FIELDS,
    AddressKind,
    Contact,
    Email,
    PhoneKind,
    PostalAddress,
)

PHONES: Mapping[str, PhoneKind] = {
    "BusinessPhone": PhoneKind.BUSINESS,
    "BusinessPhone2": PhoneKind.BUSINESS,
    "HomePhone": PhoneKind.HOME,
    "HomePhone2": PhoneKind.HOME,
    "MobilePhone": PhoneKind.MOBILE,
    "BusinessFax": PhoneKind.BUSINESS_FAX,
    "HomeFax": PhoneKind.HOME_FAX,
    "OtherFax": PhoneKind.OTHER_FAX,
    "Pager": PhoneKind.PAGER,
    "OtherTelephone": PhoneKind.OTHER,
}
"""PhoneNumberKeyType; those that are not in here we have no kind for, and leave alone."""
ADDRESSES = {
    AddressKind.BUSINESS: "Business",
    AddressKind.HOME: "Home",
    AddressKind.OTHER: "Other",
}
PARTS = (
    ("street", "Street"),
    ("city", "City"),
    ("state", "State"),
    ("country", "CountryOrRegion"),
    ("postal_code", "PostalCode"),
)
_EMAILS = ("EmailAddress1", "EmailAddress2", "EmailAddress3")
_IMS = ("ImAddress1", "ImAddress2", "ImAddress3")

SCALARS: Mapping[str, str] = {
    "FileAs": "file_as",
    "DisplayName": "display_name",
    "GivenName": "given_name",
    "Initials": "initials",
    "MiddleName": "middle_name",
    "Nickname": "nickname",
    "CompanyName": "company",
    "AssistantName": "assistant",
    "BusinessHomePage": "business_home_page",
    "Department": "department",
    "Generation": "generation",
    "JobTitle": "job_title",
    "Manager": "manager",
    "OfficeLocation": "office_location",
    "Profession": "profession",
    "SpouseName": "spouse",
    "Surname": "surname",
}
_ALWAYS = ("FileAs", "DisplayName")
_GENERATED_FROM = frozenset(
    {"given_name", "middle_name", "surname", "title", "generation", "initials", "nickname"}
)
"""A change of these may have Exchange generate `DisplayName` or `FileAs` anew."""
_ORDER = (
    "FileAs",
    "DisplayName",
    "GivenName",
    "Initials",
    "MiddleName",
    "Nickname",
    "CompanyName",
    "EmailAddresses",
    "PhysicalAddresses",
    "PhoneNumbers",
    "AssistantName",
    "Birthday",
    "BusinessHomePage",
    "Children",
    "Department",
    "Generation",
    "ImAddresses",
    "JobTitle",
    "Manager",
    "OfficeLocation",
    "Profession",
    "SpouseName",
    "Surname",
)
"""The schema's."""


def paths(custom_names: Sequence[str]) -> tuple[str, ...]:
    """Every property that makes an item complete, for a shape."""
    return (
        field("item:Body"),
        field("item:Categories"),
        field("item:DateTimeCreated"),
        field("item:LastModifiedTime"),
        *(field(f"contacts:{name}") for name in _ORDER),
        properties.STAMP,
        properties.TITLE,
        *properties.YOMI.values(),
        *map(properties.custom, custom_names),
    )


# To the service

_MARK = "<!--stamp-->"
"""Where a new item's stamp goes: no text can hold it, since `<` is written otherwise there."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[bytes, bytes]).decode


def encode(content: Contact, custom_names: Sequence[str]) -> bytes:
    """A new item without its stamp."""
    return f"<t:Contact>{_inside(content, custom_names)}</t:Contact>".encode()


def with_stamp(body: bytes, key: str) -> bytes:
    """A new item with its stamp put in: bytes only, nothing is parsed."""
    return body.replace(_MARK.encode(), properties.value(properties.STAMP, key).encode(), 1)


def encode_changes(
    before: Contact | None,
    after: Contact,
    custom_names: Sequence[str],
    fields: Collection[str] = FIELDS,
) -> bytes:
    """An update, and beside it the item that it makes: `split_changes` takes the two apart again.

    EWS answers an update with a new change key alone, so what it was meant to make of the item has
    to be carried along. Without `before`, every one of `fields` is written, the blank ones too.
    """
    changed = {
        name for name in fields if before is None or getattr(before, name) != getattr(after, name)
    }
    if before is not None and not _GENERATED_FROM.isdisjoint(changed):
        changed |= {"display_name", "file_as"}
    updates: list[str] = []
    for name, write in _WRITERS.items():
        if name in changed:
            updates += write(after, custom_names)
    return _pack(("".join(updates).encode(), encode(after, custom_names)))


def split_changes(body: bytes) -> tuple[bytes, bytes]:
    """The `Updates` of an ItemChange, and the item as it is meant to be, of `encode_changes`."""
    return _unpack(body)


def _inside(content: Contact, custom_names: Sequence[str]) -> str:
    parts: dict[str, str] = {}
    for name, attribute_ in SCALARS.items():
        text = getattr(content, attribute_)
        if text or name in _ALWAYS:
            parts[name] = f"<t:{name}>{escaped(text)}</t:{name}>"
    if content.emails:
        parts["EmailAddresses"] = _dictionary(
            "EmailAddresses", map(_email, _EMAILS, content.emails)
        )
    if content.im_addresses:
        parts["ImAddresses"] = _dictionary("ImAddresses", map(_entry, _IMS, content.im_addresses))
    numbers = [_entry(key, number) for key, number in _numbers(content).items() if number]
    if numbers:
        parts["PhoneNumbers"] = _dictionary("PhoneNumbers", numbers)
    addresses = [_postal(kind, one) for kind, one in _postals(content).items() if one is not None]
    if addresses:
        parts["PhysicalAddresses"] = _dictionary("PhysicalAddresses", addresses)
    if content.birthday:
        parts["Birthday"] = f"<t:Birthday>{escaped(moment_of(content.birthday))}</t:Birthday>"
    if content.children:
        parts["Children"] = _strings("Children", content.children)
    extended = [
        properties.value(path, text) for path, text in _extended(content, custom_names) if text
    ]
    return "".join(
        (
            _body(content.notes) if content.notes else "",
            _strings("Categories", content.categories) if content.categories else "",
            _MARK,
            *extended,
            *(parts[name] for name in _ORDER if name in parts),
        )
    )


def _body(notes: str) -> str:
    return f'<t:Body BodyType="Text">{escaped(notes)}</t:Body>'


def _strings(name: str, texts: Sequence[str]) -> str:
    return (
        f"<t:{name}>{''.join(f'<t:String>{escaped(one)}</t:String>' for one in texts)}</t:{name}>"
    )


def _dictionary(name: str, entries: Collection[str] | map[str]) -> str:
    return f"<t:{name}>{''.join(entries)}</t:{name}>"


def _entry(key: str, text: str) -> str:
    return f'<t:Entry Key="{key}">{escaped(text)}</t:Entry>'


def _email(key: str, email: Email) -> str:
    name = attribute(email.name or email.address)
    return (
        f'<t:Entry Key="{key}" Name="{name}" RoutingType="SMTP">{escaped(email.address)}</t:Entry>'
    )


def _postal(kind: str, address: PostalAddress) -> str:
    inside = "".join(
        f"<t:{tag}>{escaped(text)}</t:{tag}>"
        for name, tag in PARTS
        if (text := getattr(address, name))
    )
    return f'<t:Entry Key="{kind}">{inside}</t:Entry>'


def _postals(content: Contact) -> dict[str, PostalAddress | None]:
    found: dict[str, PostalAddress | None] = dict.fromkeys(ADDRESSES.values())
    for one in content.addresses:
        kind = ADDRESSES[one.kind]
        found[kind] = found[kind] or one
    return found


def _numbers(content: Contact) -> dict[str, str]:
    """By key; blank where there is none."""
    left: dict[PhoneKind, list[str]] = {}
    for phone in content.phones:
        left.setdefault(phone.kind, []).append(phone.number)
    return {key: left[kind].pop(0) if left.get(kind) else "" for key, kind in PHONES.items()}


def _extended(content: Contact, custom_names: Sequence[str]) -> list[tuple[str, str]]:
    """Paths and texts, blank ones too."""
    return [
        (properties.TITLE, content.title),
        *((path, getattr(content, name)) for name, path in properties.YOMI.items()),
        *_customs(content, custom_names),
    ]


def _customs(content: Contact, custom_names: Sequence[str]) -> list[tuple[str, str]]:
    texts: dict[str, str] = {}
    for one in content.custom:
        texts.setdefault(one.name.casefold(), one.value)
    return [(properties.custom(name), texts.get(name.casefold(), "")) for name in custom_names]


_Writer = Callable[[Contact, Sequence[str]], list[str]]


def _set(path: str, inside: str) -> str:
    return f"<t:SetItemField>{path}<t:Contact>{inside}</t:Contact></t:SetItemField>"


def _put(path: str, inside: str | None) -> str:
    if inside is None:
        return f"<t:DeleteItemField>{path}</t:DeleteItemField>"
    return _set(path, inside)


def _write_scalar(name: str, attribute_: str) -> _Writer:
    def write(after: Contact, _: Sequence[str]) -> list[str]:
        text = getattr(after, attribute_)
        inside = f"<t:{name}>{escaped(text)}</t:{name}>" if text or name in _ALWAYS else None
        return [_put(field(f"contacts:{name}"), inside)]

    return write


def _write_extended(name: str, path: str) -> _Writer:
    def write(after: Contact, _: Sequence[str]) -> list[str]:
        text = getattr(after, name)
        return [_put(path, properties.value(path, text) if text else None)]

    return write


def _write_customs(after: Contact, custom_names: Sequence[str]) -> list[str]:
    return [
        _put(path, properties.value(path, text) if text else None)
        for path, text in _customs(after, custom_names)
    ]


def _write_emails(after: Contact, _: Sequence[str]) -> list[str]:
    shown = [*after.emails[:3], *[None] * 3][:3]
    return [
        _put(
            indexed("contacts:EmailAddress", key),
            None if email is None else _dictionary("EmailAddresses", [_email(key, email)]),
        )
        for key, email in zip(_EMAILS, shown, strict=True)
    ]


def _write_ims(after: Contact, _: Sequence[str]) -> list[str]:
    shown = [*after.im_addresses[:3], *[""] * 3][:3]
    return [
        _put(
            indexed("contacts:ImAddress", key),
            _dictionary("ImAddresses", [_entry(key, text)]) if text else None,
        )
        for key, text in zip(_IMS, shown, strict=True)
    ]


def _write_phones(after: Contact, _: Sequence[str]) -> list[str]:
    return [
        _put(
            indexed("contacts:PhoneNumber", key),
            _dictionary("PhoneNumbers", [_entry(key, number)]) if number else None,
        )
        for key, number in _numbers(after).items()
    ]


def _write_addresses(after: Contact, _: Sequence[str]) -> list[str]:
    updates: list[str] = []
    for kind, address in _postals(after).items():
        for name, tag in PARTS:
            text = "" if address is None else getattr(address, name)
            entry = f'<t:Entry Key="{kind}"><t:{tag}>{escaped(text)}</t:{tag}></t:Entry>'
            updates.append(
                _put(
                    indexed(f"contacts:PhysicalAddress:{tag}", kind),
                    _dictionary("PhysicalAddresses", [entry]) if text else None,
                )
            )
    return updates


def _write_birthday(after: Contact, _: Sequence[str]) -> list[str]:
    moment = escaped(moment_of(after.birthday)) if after.birthday else ""
    inside = f"<t:Birthday>{moment}</t:Birthday>" if moment else None
    return [_put(field("contacts:Birthday"), inside)]


def _write_children(after: Contact, _: Sequence[str]) -> list[str]:
    inside = _strings("Children", after.children) if after.children else None
    return [_put(field("contacts:Children"), inside)]


def _write_categories(after: Contact, _: Sequence[str]) -> list[str]:
    inside = _strings("Categories", after.categories) if after.categories else None
    return [_put(field("item:Categories"), inside)]


def _write_notes(after: Contact, _: Sequence[str]) -> list[str]:
    return [_put(field("item:Body"), _body(after.notes) if after.notes else None)]


_WRITERS: Mapping[str, _Writer] = {
    "title": _write_extended("title", properties.TITLE),
    **{name: _write_extended(name, path) for name, path in properties.YOMI.items()},
    "custom": _write_customs,
    "emails": _write_emails,
    "im_addresses": _write_ims,
    "phones": _write_phones,
    "addresses": _write_addresses,
    "birthday": _write_birthday,
    "children": _write_children,
    "categories": _write_categories,
    "notes": _write_notes,
    **{
        attribute_: _write_scalar(name, attribute_)
        for name, attribute_ in reversed(list(SCALARS.items()))
    },
}
"""By field; those that Exchange may generate from others come last."""
