"""The contact that the elements of EWS are. Pure; the way back is `codec`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lxml import etree

from cirahub_sync.endpoints.birthday import day_of
from cirahub_sync.endpoints.exchange import properties
from cirahub_sync.endpoints.exchange.codec import ADDRESSES, PARTS, PHONES, SCALARS
from cirahub_sync.endpoints.exchange.wire import TYPES, Element
from cirahub_sync.model.contact import Contact, CustomField, Email, Phone, PostalAddress

_FIELDS = {f"{TYPES}{name}": attribute_ for name, attribute_ in SCALARS.items()}


def decode(item: Element, custom_names: Sequence[str] = ()) -> Contact:
    """The contact that an item's elements are."""
    fields: dict[str, object] = {}
    for each in item.iterchildren(etree.Element):
        scalar = _FIELDS.get(str(each.tag))
        if scalar is not None:
            if each.text:
                fields[scalar] = each.text
            continue
        read = _READERS.get(str(each.tag))
        if read is not None:
            read(each, fields)
    extended = properties.values(item)
    if extended:
        if title := extended.get(properties.TITLE_KEY):
            fields["title"] = title
        for key, name in properties.YOMI_KEYS.items():
            if text := extended.get(key):
                fields[name] = text
        fields["custom"] = tuple(
            CustomField(name, text)
            for name in custom_names
            if (text := extended.get(properties.custom_key(name)))
        )
    return Contact(**fields)  # type: ignore[arg-type]


def decode_sent(body: bytes, custom_names: Sequence[str]) -> Contact:
    """The contact that an item as we write it is."""
    return decode(
        etree.fromstring(b'<t:x xmlns:t="' + TYPES[1:-1].encode() + b'">' + body + b"</t:x>")[0],
        custom_names,
    )


def _entries(element: Element) -> list[Element]:
    return list(element.iterchildren(f"{TYPES}Entry"))


def _read_emails(element: Element, fields: dict[str, object]) -> None:
    placed = sorted(_entries(element), key=lambda one: one.get("Key") or "")
    fields["emails"] = tuple(
        Email(one.text, name if (name := one.get("Name") or "") != one.text else "")
        for one in placed
        if one.text
    )


def _read_ims(element: Element, fields: dict[str, object]) -> None:
    placed = sorted(_entries(element), key=lambda one: one.get("Key") or "")
    fields["im_addresses"] = tuple(one.text for one in placed if one.text)


def _read_phones(element: Element, fields: dict[str, object]) -> None:
    texts = {one.get("Key"): one.text for one in _entries(element)}
    fields["phones"] = tuple(
        Phone(kind, text) for key, kind in PHONES.items() if (text := texts.get(key))
    )


def _read_addresses(element: Element, fields: dict[str, object]) -> None:
    entries = {one.get("Key"): one for one in _entries(element)}
    found: list[PostalAddress] = []
    for kind, key in ADDRESSES.items():
        entry = entries.get(key)
        if entry is None:
            continue
        parts = {name: entry.findtext(f"{TYPES}{tag}") or "" for name, tag in PARTS}
        if any(parts.values()):
            parts["street"] = parts["street"].replace("\r\n", "\n")
            found.append(PostalAddress(kind, **parts))
    fields["addresses"] = tuple(found)


def _read_birthday(element: Element, fields: dict[str, object]) -> None:
    if element.text:
        fields["birthday"] = day_of(element.text)


def _read_strings(name: str) -> Callable[[Element, dict[str, object]], None]:
    def read(element: Element, fields: dict[str, object]) -> None:
        found = element.iterchildren(f"{TYPES}String")
        fields[name] = tuple(one.text for one in found if one.text)

    return read


def _read_notes(element: Element, fields: dict[str, object]) -> None:
    fields["notes"] = (element.text or "").replace("\r\n", "\n")


_READERS: Mapping[str, Callable[[Element, dict[str, object]], None]] = {
    f"{TYPES}Body": _read_notes,
    f"{TYPES}Categories": _read_strings("categories"),
    f"{TYPES}EmailAddresses": _read_emails,
    f"{TYPES}PhysicalAddresses": _read_addresses,
    f"{TYPES}PhoneNumbers": _read_phones,
    f"{TYPES}Birthday": _read_birthday,
    f"{TYPES}Children": _read_strings("children"),
    f"{TYPES}ImAddresses": _read_ims,
}
