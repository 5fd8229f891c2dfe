"""Ids and change keys as EWS writes them.

Graph's regular id of an object is EWS's in the URL-safe alphabet of base64
(https://learn.microsoft.com/graph/api/user-translateexchangeids, restId and ewsId), so that one
object has the same id in both. The other formats of ConvertId ([MS-OXWSCVTID] 2.2.5.1) are made of
the same text: they are as opaque as Exchange's own, and lead back.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from urllib.parse import quote, unquote

from cirahub_simulator.ews.errors import malformed_id
from cirahub_simulator.graph.identifiers import looks_like_id

_TO_EWS = str.maketrans("-_", "/+")
_TO_GRAPH = str.maketrans("/+", "-_")


def ews_id(graph_id: str) -> str:
    """Graph's regular id as EWS writes it."""
    return graph_id.translate(_TO_EWS)


def graph_id(text: str) -> str:
    """An id of EWS as the mailbox knows it. Raises EwsError for what is none."""
    found = text.translate(_TO_GRAPH)
    if not looks_like_id(found):
        raise malformed_id()
    return found


def decode(text: str, form: str) -> str:
    """The mailbox's id of an id in one of ConvertId's formats. Raises EwsError."""
    try:
        match form:
            case "HexEntryId":
                plain = bytes.fromhex(text).decode()
            case "EntryId" | "StoreId":
                plain = b64decode(text, validate=True).decode()
            case "OwaId":
                plain = unquote(text)
            case _:
                plain = text
    except (ValueError, Base64Error) as error:
        raise malformed_id() from error
    return graph_id(plain)


def encode(item_id: str, form: str) -> str:
    """A mailbox's id in one of ConvertId's formats."""
    plain = ews_id(item_id)
    match form:
        case "HexEntryId":
            return plain.encode().hex().upper()
        case "EntryId" | "StoreId":
            return b64encode(plain.encode()).decode()
        case "OwaId":
            return quote(plain, safe="")
        case _:
            return plain
