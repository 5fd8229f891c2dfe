"""The words of Exchange Web Services: envelopes as bytes, and what an answer says.

[MS-OXWSCDATA]; https://learn.microsoft.com/exchange/client-developer/web-service-reference.
Requests are joined from bytes, so that an item is serialised once for all of its receivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from lxml import etree

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
MESSAGES = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
TYPES = "{http://schemas.microsoft.com/exchange/services/2006/types}"
ERRORS = "{http://schemas.microsoft.com/exchange/services/2006/errors}"

VERSION = "Exchange2013_SP1"
"""The schema that requests are written in: the oldest of a server that is still in use, and
understood by all later ones."""
NO_ERROR = "NoError"

Element = etree._Element

_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope '
    f'xmlns:s="{SOAP[1:-1]}" xmlns:m="{MESSAGES[1:-1]}" xmlns:t="{TYPES[1:-1]}"><s:Header>'
    f'<t:RequestServerVersion Version="{VERSION}"/>'
).encode()
_BODY = b"</s:Header><s:Body>"
_TAIL = b"</s:Body></s:Envelope>"
_END = re.compile(rb"</[\w.-]+:Envelope>\s*$")

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not have, in whatever spelling (2.2, Char)."""
_SPECIAL = re.compile('[&<>"\r\n\t]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def escaped(text: str) -> str:
    """Text between tags or in an attribute. What XML can't say is left out."""
    if not text.isprintable():
        text = _FORBIDDEN.sub("", text)
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], found[0]), text)


def attribute(text: str) -> str:
    """As `escaped`, and blanks of all kinds come back as they are (3.3.3)."""
    return escaped(text).replace("\n", "&#10;").replace("\t", "&#9;")


def envelope(operation: bytes, *, impersonated: str = "") -> bytes:
    """A request. With an address, as the owner of that mailbox."""
    header = b""
    if impersonated:
        header = (
            "<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>"
            f"{escaped(impersonated)}</t:SmtpAddress></t:ConnectingSID>"
            "</t:ExchangeImpersonation>"
        ).encode()
    return b"".join((_HEAD, header, _BODY, operation, _TAIL))


class UnreadableError(Exception):
    """An answer that is none of this service's, or not whole. Without its text."""


class Message(msgspec.Struct, frozen=True):
    """What became of one part of a request: [MS-OXWSCDATA] 2.2.4.67, ResponseMessageType."""

    code: str
    element: Element
    back_off: float | None = None
    """Seconds to wait, where a busy server says so."""

    @property
    def ok(self) -> bool:
        return self.code == NO_ERROR

    def items(self) -> Iterator[Element]:
        """Items, or folders, that it has."""
        for name in ("Items", "Folders", "RootFolder"):
            found = self.element.find(f"{MESSAGES}{name}")
            if found is None:
                continue
            if name == "RootFolder":
                found = next(iter(found.iterchildren(f"{TYPES}Items", f"{TYPES}Folders")), None)
            if found is not None:
                yield from found.iterchildren(etree.Element)


class Fault(msgspec.Struct, frozen=True):
    """A request that failed as a whole."""

    code: str
    back_off: float | None = None


_CODE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,79}")
_WAIT = re.compile(r"[0-9]{1,9}")


def read(body: bytes) -> Sequence[Message] | Fault:
    """Raises UnreadableError."""
    root = _parsed(body)
    inside = root.find(f"{SOAP}Body")
    answer = next(inside.iterchildren(etree.Element), None) if inside is not None else None
    if root.tag != f"{SOAP}Envelope" or answer is None:
        raise UnreadableError
    if answer.tag == f"{SOAP}Fault":
        return _fault(answer)
    messages = answer.find(f"{MESSAGES}ResponseMessages")
    if messages is None:
        raise UnreadableError
    return [
        Message(_code(each.find(f"{MESSAGES}ResponseCode")), each, _back_off(each))
        for each in messages.iterchildren(etree.Element)
    ]


def _parsed(body: bytes) -> Element:
    """Exchange writes characters of users' texts that XML does not allow (`&#x0;`). Those are left
    out; an answer that is cut off stays unreadable."""
    try:
        return etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        if not _END.search(body):
            raise UnreadableError from error
    root = etree.fromstring(body, _parser(recover=True))
    if root is None:
        raise UnreadableError
    return root


def _parser(*, recover: bool = False) -> etree.XMLParser:
    """One a request: parsers belong to one thread."""
    return etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, recover=recover)


def _fault(answer: Element) -> Fault:
    code = answer.find(f"detail/{ERRORS}ResponseCode")
    if code is None:
        code = answer.find("faultcode")
    return Fault(_code(code), _back_off(answer))


def _code(element: Element | None) -> str:
    text = "" if element is None else (element.text or "").strip().rpartition(":")[2]
    return text if _CODE.fullmatch(text) else "none"


def _back_off(element: Element) -> float | None:
    """https://learn.microsoft.com/exchange/client-developer/exchange-web-services/ews-throttling-in-exchange"""
    for value in element.iter(f"{TYPES}Value"):
        text = (value.text or "").strip()
        if value.get("Name") == "BackOffMilliseconds" and _WAIT.fullmatch(text):
            return int(text) / 1000
    return None


def next_offset(message: Message) -> int | None:
    """Where the next page of a FindItem or FindFolder begins; None after the last one."""
    root = message.element.find(f"{MESSAGES}RootFolder")
    if root is None or root.get("IncludesLastItemInRange") != "false":
        return None
    text = root.get("IndexedPagingOffset") or ""
    return int(text) if _WAIT.fullmatch(text) else None


def name_of(element: Element) -> str:
    """Without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_at(element: Element, path: str) -> str:
    """The text of the first element at a path of types; blank if there is none."""
    found = element.find("/".join(f"{TYPES}{step}" for step in path.split("/")))
    return "" if found is None else found.text or ""


def id_of(element: Element, name: str = "ItemId") -> tuple[str, str]:
    """Id and change key. Raises UnreadableError."""
    found = element.find(f"{TYPES}{name}")
    if found is None or not found.get("Id"):
        raise UnreadableError
    return str(found.get("Id")), str(found.get("ChangeKey") or "")


def item_id(id: str, change_key: str = "") -> str:  # noqa: A002 (what EWS calls it)
    key = f' ChangeKey="{attribute(change_key)}"' if change_key else ""
    return f'<t:ItemId Id="{attribute(id)}"{key}/>'


def folder_id(id: str) -> str:  # noqa: A002
    return f'<t:FolderId Id="{attribute(id)}"/>'


def shape(paths: Sequence[str] = (), *, kind: str = "ItemShape") -> str:
    """Ids, and what `paths` name; texts as plain text."""
    more = f"<t:AdditionalProperties>{''.join(paths)}</t:AdditionalProperties>" if paths else ""
    body = "<t:BodyType>Text</t:BodyType>" if kind == "ItemShape" else ""
    return f"<m:{kind}><t:BaseShape>IdOnly</t:BaseShape>{body}{more}</m:{kind}>"


def field(uri: str) -> str:
    return f'<t:FieldURI FieldURI="{uri}"/>'


def indexed(uri: str, index: str) -> str:
    return f'<t:IndexedFieldURI FieldURI="{uri}" FieldIndex="{index}"/>'


def tag(name: str, text: str) -> str:
    """An element of the types, with text."""
    return f"<t:{name}>{escaped(text)}</t:{name}>"


def element(name: str, content: str) -> str:
    """An element of the types, around others."""
    return f"<t:{name}>{content}</t:{name}>"
