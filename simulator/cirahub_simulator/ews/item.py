"""Items as they are answered: shapes, and what fills them.

[MS-OXWSCORE] 2.2.4.26 (ItemResponseShapeType);
https://learn.microsoft.com/exchange/client-developer/exchange-web-services/property-sets-and-response-shapes-in-ews-in-exchange
"""

from __future__ import annotations

from dataclasses import dataclass

from cirahub_simulator.ews import contact as contacts
from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.absent import is_absent
from cirahub_simulator.ews.errors import (
    EwsError,
    SoapFaultError,
    not_requestable,
    schema_violation,
)
from cirahub_simulator.ews.kinds import CONTACT, KINDS, Kind, extended_value, kind_of
from cirahub_simulator.ews.markup import (
    Element,
    add,
    children,
    element,
    find,
    local_name,
    text_of,
)
from cirahub_simulator.ews.moments import read_moment
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.property_path import Path, read_path
from cirahub_simulator.ews.schema_version import later_than

LONGEST_FOUND = 255
"""Characters of a text that FindItem answers.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/finditem-operation
"""
_PARTS = tuple(contacts.ADDRESS_PARTS)


@dataclass(frozen=True, slots=True)
class ItemShape:
    """What of an item is answered."""

    base: str
    asked: frozenset[str]
    """URIs of additional properties."""
    indexed: tuple[Path, ...]
    extended: tuple[Path, ...]
    body_type: str
    found: bool
    """Whether it is FindItem's, which leaves things out and cuts long texts."""
    unknown: frozenset[str]
    """URIs that the version of the request does not have."""

    def render(self, reading: Reading) -> Element:
        """The item."""
        kind = kind_of(reading.item)
        uris = kind.base(self.base) - self.unknown
        if self.found:
            uris -= kind.not_found
        uris |= self.asked & kind.properties.keys()
        early, late = kind.in_order(uris)
        made = element(f"t:{kind.element}")
        for uri in early:
            self._append(made, kind, uri, reading)
        for path in self.extended:
            value = extended_value(reading.item, path.uri)
            if value is not None:
                made.append(self._extended(path, value))
        entries = self._entries(reading, uris) if kind is CONTACT else {}
        for uri in kind.in_order({*late, *entries})[1]:
            if uri in entries:
                made.append(entries[uri])
            else:
                self._append(made, kind, uri, reading)
        return made

    def _append(self, made: Element, kind: Kind, uri: str, reading: Reading) -> None:
        node = kind.properties[uri].render(reading)
        if node is None:
            return
        if self.found and node.text is not None and len(node.text) > LONGEST_FOUND:
            node.text = node.text[:LONGEST_FOUND]
        made.append(node)

    def _entries(self, reading: Reading, whole: set[str]) -> dict[str, Element]:
        """Dictionaries of which only some entries are asked for."""
        entries: dict[str, Element] = {}
        for path in self.indexed:
            entry = contacts.indexed_element(reading.contact, path.uri, path.key or "")
            if entry is not None and entry[0] not in whole:
                _merge(entries, entry[0], entry[1])
        return entries

    def _extended(self, path: Path, value: str) -> Element:
        made = element("t:ExtendedProperty")
        made.append(path.to_element())
        if path.uri.partition(" ")[0] in mapi.ARRAYS:
            values = add(made, "t:Values")
            for one in mapi.read_array(value):
                add(values, "t:Value", one)
        else:
            text = path.uri.startswith("String ") and self.found
            add(made, "t:Value", value[:LONGEST_FOUND] if text else value)
        return made


def _merge(entries: dict[str, Element], uri: str, entry: Element) -> None:
    dictionary = entries.setdefault(uri, element(f"t:{uri.partition(':')[2]}"))
    for there in dictionary:
        if there.get("Key") == entry.get("Key"):
            there.extend(list(entry))
            there[:] = sorted(there, key=lambda part: _PARTS.index(local_name(part)))
            return
    dictionary.append(entry)


def read_shape(
    node: Element, version: str, *, found: bool = False, bodies: bool = False
) -> ItemShape:
    """An ItemShape. Raises EwsError, SoapFaultError.

    `version` is the one that the request targets. `found` is FindItem's and SyncFolderItems'; with
    `bodies`, what these leave out is answered when it is asked for by name.
    """
    base = find(node, "t:BaseShape")
    shape = "" if base is None else text_of(base)
    if shape not in ("IdOnly", "Default", "AllProperties"):
        raise schema_violation(f"The 'BaseShape' element is invalid: '{shape}'.")
    body = find(node, "t:BodyType")
    more = find(node, "t:AdditionalProperties")
    asked, indexed, extended = [], [], []
    for path in [] if more is None else [read_path(child) for child in children(more)]:
        if path.extended:
            extended.append(path)
        elif path.key is not None:
            indexed.append(path)
        elif path.uri in asked:
            continue
        elif any(path.uri in kind.properties for kind in KINDS):
            if found and not bodies and any(path.uri in kind.not_found for kind in KINDS):
                raise not_requestable(str(path))
            asked.append(path.uri)
        elif not is_absent(path.uri):
            raise not_requestable(str(path))
    return ItemShape(
        shape,
        frozenset(asked),
        tuple(indexed),
        tuple(dict.fromkeys(extended)),
        "Best" if body is None else text_of(body),
        found,
        later_than(version),
    )


def read_extended_value(node: Element) -> tuple[Path, str]:
    """An ExtendedProperty: its path, and its value as the mailbox keeps it."""
    path: Path | None = None
    value: str | None = None
    for child in children(node):
        match local_name(child):
            case "ExtendedFieldURI":
                path = read_path(child)
            case "Value":
                value = text_of(child)
            case "Values":
                value = mapi.write_array([text_of(one) for one in children(child)])
            case other:
                raise schema_violation(f"The element 'ExtendedProperty' has '{other}' in it.")
    if path is None or value is None:
        raise schema_violation("The element 'ExtendedProperty' has no path or no value.")
    array = path.uri.partition(" ")[0] in mapi.ARRAYS
    if array != (find(node, "t:Values") is not None):
        raise EwsError(
            "ErrorInvalidExtendedPropertyValue",
            "The value of the extended property does not fit its type.",
        )
    return path, _checked(path, value)


def _checked(path: Path, value: str) -> str:
    """A value that its type allows. Raises EwsError."""
    try:
        match path.uri.partition(" ")[0]:
            case "Integer" | "Short" | "Long":
                return str(int(value))
            case "SystemTime":
                return read_moment(value)
            case "Boolean":
                return {"true": "true", "1": "true", "false": "false", "0": "false"}[value.lower()]
            case "Double" | "Float":
                float(value)
            case _:
                return value
    except (ValueError, KeyError, SoapFaultError) as error:
        raise EwsError(
            "ErrorInvalidExtendedPropertyValue",
            "The value of the extended property does not fit its type.",
        ) from error
    return value
