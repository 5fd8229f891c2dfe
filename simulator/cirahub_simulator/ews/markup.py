"""The XML of Exchange Web Services: its namespaces, and how elements are made and read.

Namespaces: [MS-OXWSCDATA] 2.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
_PREFIXES = {"s": SOAP, "m": MESSAGES, "t": TYPES, "e": ERRORS}
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NAMESPACES: dict[str | None, str] = {"s": SOAP, "m": MESSAGES, "t": TYPES}


def name(prefixed: str) -> str:
    """`t:Contact` as lxml spells it. The prefixes are s, m, t and e."""
    prefix, _, local = prefixed.partition(":")
    return f"{{{_PREFIXES[prefix]}}}{local}"


def element(prefixed: str, text: str | None = None, **attributes: str) -> Element:
    """An element by itself."""
    made = etree.Element(name(prefixed), attributes, NAMESPACES)
    if text is not None:
        made.text = printable(text)
    return made


def add(parent: Element, prefixed: str, text: str | None = None, **attributes: str) -> Element:
    """An element as the last child of another."""
    made = etree.SubElement(parent, name(prefixed), attributes)
    if text is not None:
        made.text = printable(text)
    return made


def printable(text: str) -> str:
    """A text without the characters that XML 1.0 can't carry (section 2.2)."""
    if text.isprintable():
        return text
    return _UNSPEAKABLE.sub("", text)


def local_name(node: Element) -> str:
    """The name without its namespace."""
    return etree.QName(node).localname


def children(node: Element) -> Iterator[Element]:
    """The child elements, without comments and processing instructions."""
    return (child for child in node if isinstance(child.tag, str))


def find(node: Element, prefixed: str) -> Element | None:
    """The first child of a name."""
    return node.find(name(prefixed))


def text_of(node: Element) -> str:
    """All the text in an element."""
    return "".join(node.itertext())


def is_true(text: str | None) -> bool:
    """An xs:boolean; nothing is false."""
    return text is not None and text.strip() in ("true", "1")


def boolean(value: bool) -> str:
    """An xs:boolean."""
    return "true" if value else "false"
