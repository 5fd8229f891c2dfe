"""The words of WebDAV: requests as bytes, and what an answer says.

RFC 4918, RFC 6352 (CardDAV), RFC 6578 (sync-collection), RFC 5397 (current-user-principal), RFC
5689 (a collection that is made with its properties). `getctag` is older than RFC 6578, and of
Apple's Calendar Server: caldav-ctag.txt in its extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from html import escape as escaped
from urllib.parse import quote, unquote, urlsplit

import msgspec
from lxml import etree

from cirahub_sync.endpoints.carddav.card import plain

DAV = "{DAV:}"
CARDDAV = "{urn:ietf:params:xml:ns:carddav}"
SERVER = "{http://calendarserver.org/ns/}"

ETAG = f"{DAV}getetag"
MODIFIED = f"{DAV}getlastmodified"
DATA = f"{CARDDAV}address-data"
TYPE = f"{DAV}resourcetype"
NAME = f"{DAV}displayname"
PRINCIPAL = f"{DAV}current-user-principal"
HOME = f"{CARDDAV}addressbook-home-set"
CTAG = f"{SERVER}getctag"
FORMS = f"{CARDDAV}supported-address-data"
LARGEST = f"{CARDDAV}max-resource-size"

Element = etree._Element

_PREFIXES = {DAV: "d", CARDDAV: "c", SERVER: "s"}
_OPEN = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav" '
    'xmlns:s="http://calendarserver.org/ns/"'
)
escape = partial(escaped, quote=False)
"""Text between tags."""
_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})")
_SEGMENT = "!$&'()*+,;=:@~"
"""What a segment of a path may hold as it is (RFC 3986 3.3)."""


class UnreadableError(Exception):
    """An answer that is none of WebDAV's, or not whole. Without its text."""


class Found(msgspec.Struct, frozen=True):
    """What a multistatus says of one resource."""

    path: str
    """Unquoted, without its origin."""
    status: int
    """200 where it has properties; else why it has none."""
    properties: Mapping[str, Element]
    """Those that it has, by their names."""

    def text(self, name: str) -> str:
        element = self.properties.get(name)
        return "" if element is None else (element.text or "").strip()

    def href(self, name: str) -> str:
        """Of a property that leads elsewhere; blank if there is none."""
        element = self.properties.get(name)
        return "" if element is None else (element.findtext(f"{DAV}href") or "").strip()

    @property
    def is_book(self) -> bool:
        kind = self.properties.get(TYPE)
        return kind is not None and kind.find(f"{CARDDAV}addressbook") is not None


class Multistatus(msgspec.Struct, frozen=True):
    found: list[Found]
    token: str = ""
    """Of a sync-collection."""


def segment(text: str) -> str:
    return quote(text, safe=_SEGMENT)


def path_of(path: str) -> str:
    """An unquoted path as a request has it."""
    return quote(path, safe=f"/{_SEGMENT}")


def propfind(names: Iterable[str]) -> bytes:
    return _request("d:propfind", _prop(names))


def multiget(paths: Iterable[str], version: str) -> bytes:
    """`version` of the cards: a server converts those that it has in another one, if it can (RFC
    6352 10.4)."""
    kind = "" if version == "3.0" else f' content-type="text/vcard" version="{version}"'
    asked = f"<d:prop><d:getetag/><d:getlastmodified/><c:address-data{kind}/></d:prop>"
    hrefs = "".join(f"<d:href>{escape(path_of(path))}</d:href>" for path in paths)
    return _request("c:addressbook-multiget", asked + hrefs)


def sync_collection(token: str) -> bytes:
    return _request(
        "d:sync-collection",
        f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
        + _prop([ETAG]),
    )


def mkcol(name: str) -> bytes:
    return _request(
        "d:mkcol",
        "<d:set><d:prop><d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>"
        f"<d:displayname>{escape(plain(name))}</d:displayname></d:prop></d:set>",
    )


def read(body: bytes) -> Multistatus:
    """Raises UnreadableError."""
    root = _parsed(body)
    if root.tag != f"{DAV}multistatus":
        raise UnreadableError
    found = [_found(one) for one in root.iterchildren(f"{DAV}response")]
    return Multistatus(found, (root.findtext(f"{DAV}sync-token") or "").strip())


def conditions(body: bytes) -> frozenset[str]:
    """What was not met, of a refused request: the names in its DAV:error (RFC 4918 16)."""
    try:
        root = _parsed(body)
    except UnreadableError:
        return frozenset()
    return frozenset(_names(root)) if root.tag == f"{DAV}error" else frozenset()


def _names(element: Element) -> Iterator[str]:
    for child in element.iterchildren(etree.Element):
        yield str(child.tag).rpartition("}")[2]


def _found(response: Element) -> Found:
    href = (response.findtext(f"{DAV}href") or "").strip()
    properties: dict[str, Element] = {}
    status = _status(response)
    for part in response.iterchildren(f"{DAV}propstat"):
        held = part.find(f"{DAV}prop")
        if held is not None and _status(part) == 200:
            status = 200
            properties.update({str(one.tag): one for one in held.iterchildren(etree.Element)})
        elif not status:
            status = _status(part)
    try:
        path = unquote(urlsplit(href).path, errors="strict")
    except ValueError as error:
        raise UnreadableError from error
    return Found(path, status, properties)


def _status(element: Element) -> int:
    found = _STATUS.match((element.findtext(f"{DAV}status") or "").strip())
    return int(found[1]) if found else 0


def _request(name: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><{name} {_OPEN}>{inside}</{name}>'.encode()


def _prop(names: Iterable[str]) -> str:
    asked = []
    for name in names:
        space, _, local = name.rpartition("}")
        asked.append(f"<{_PREFIXES[space + '}']}:{local}/>")
    return f"<d:prop>{''.join(asked)}</d:prop>"


def _parsed(body: bytes) -> Element:
    """Without entities of its own and without a look at anything else: no answer of WebDAV has a
    document type."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableError
    return root
