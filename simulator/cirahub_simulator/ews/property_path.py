"""Paths to properties: FieldURI, IndexedFieldURI and ExtendedFieldURI.

[MS-OXWSCDATA] 2.2.4.50 and [MS-OXWSXPROP] 2.1.5: an extended property is named by a tag, or by a
property set with a name or a number, never by a mixture; the tags of named properties (0x8000 to
0xFFFE) are refused.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cirahub_simulator.ews.errors import EwsError, schema_violation
from cirahub_simulator.ews.mapi import KINDS, PROPERTY_SETS
from cirahub_simulator.ews.markup import Element, children, element, local_name

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Path(NamedTuple):
    """What a request names."""

    uri: str
    """FieldURI; of an extended property, its canonical id."""
    key: str | None = None
    """FieldIndex, such as EmailAddress1."""
    extended: tuple[tuple[str, str], ...] = ()
    """The attributes of an ExtendedFieldURI, as they are answered."""

    def __str__(self) -> str:
        return self.uri if self.key is None else f"{self.uri}:{self.key}"

    def to_element(self) -> Element:
        """The path as a request or an answer writes it."""
        if self.extended:
            return element("t:ExtendedFieldURI", **dict(self.extended))
        if self.key is not None:
            return element("t:IndexedFieldURI", FieldURI=self.uri, FieldIndex=self.key)
        return element("t:FieldURI", FieldURI=self.uri)


PATHS = ("FieldURI", "IndexedFieldURI", "ExtendedFieldURI")


def read_path(node: Element) -> Path:
    """The path of one of the three elements. Raises EwsError, SoapFaultError."""
    kind = local_name(node)
    if kind == "ExtendedFieldURI":
        return _extended(node)
    uri = node.get("FieldURI")
    if kind not in PATHS or not uri:
        raise schema_violation(f"The element '{kind}' is no path to a property.")
    if kind == "IndexedFieldURI":
        index = node.get("FieldIndex")
        if index is None:
            raise schema_violation("The required attribute 'FieldIndex' is missing.")
        return Path(uri, index)
    return Path(uri)


def find_path(node: Element) -> Path:
    """The path among an element's children. Raises EwsError, SoapFaultError."""
    for child in children(node):
        if local_name(child) in PATHS:
            return read_path(child)
    raise schema_violation(f"The element '{local_name(node)}' names no property.")


def _extended(node: Element) -> Path:
    kind = node.get("PropertyType", "")
    if kind not in KINDS:
        raise EwsError(
            "ErrorInvalidExtendedProperty", f"The extended property's type {kind!r} is invalid."
        )
    tag, name, number = node.get("PropertyTag"), node.get("PropertyName"), node.get("PropertyId")
    distinguished, guid = node.get("DistinguishedPropertySetId"), node.get("PropertySetId")
    if tag is not None:
        if name is not None or number is not None or distinguished or guid:
            raise _mixed("PropertyTag goes with PropertyType alone")
        value = _number(tag)
        if not 0 < value < 0x8000:
            raise _mixed("PropertyTag lies in the range of named properties")
        return Path(f"{kind} 0x{value:x}", extended=_attributes(node))
    if (distinguished is None) == (guid is None):
        raise _mixed("one of DistinguishedPropertySetId and PropertySetId is needed")
    if (name is None) == (number is None):
        raise _mixed("one of PropertyName and PropertyId is needed")
    if distinguished is not None:
        guid = PROPERTY_SETS.get(distinguished)
        if guid is None:
            raise schema_violation(f"'{distinguished}' is no DistinguishedPropertySetId.")
    if guid is None or _GUID.fullmatch(guid) is None:
        raise schema_violation(f"'{guid}' is no PropertySetId.")
    where = f"{kind} {{{guid.lower()}}}"
    if number is not None:
        return Path(f"{where} Id 0x{_number(number):x}", extended=_attributes(node))
    return Path(f"{where} Name {name}", extended=_attributes(node))


def _attributes(node: Element) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(value)) for name, value in node.attrib.items())


def _number(text: str) -> int:
    try:
        return int(text, 16) if text.lower().startswith("0x") else int(text)
    except ValueError as error:
        raise schema_violation(f"'{text}' is no number.") from error


def _mixed(why: str) -> EwsError:
    return EwsError(
        "ErrorInvalidExtendedProperty",
        f"The extended property attribute combination is invalid: {why}.",
    )
