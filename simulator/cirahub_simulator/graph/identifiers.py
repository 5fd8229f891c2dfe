"""Ids, change keys and etags as Exchange makes them: opaque, long, case-sensitive."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

CONTACT_SUFFIX = "AAA="
FOLDER_SUFFIX = "AAA="


class Numbering:
    """The ids of one mailbox, made of its user's id and running numbers.

    The regular id of an item contains its folder and changes when it moves; the immutable id does
    not. https://learn.microsoft.com/graph/outlook-immutable-id
    """

    def __init__(self, user_id: str) -> None:
        self._store = sha256(user_id.encode()).digest()
        self._immutable = "AAkALgAA" + urlsafe_b64encode(self._store).decode().rstrip("=")
        self._change = "EQAAABYAAA" + b64encode(self._store[:15]).decode()

    def folder_id(self, number: int) -> str:
        """The id of the mailbox's folder of this number."""
        store = urlsafe_b64encode(self._store[:24]).decode()
        return f"AAMkAG{store}AuAAA{_digits(number)}{FOLDER_SUFFIX}"

    def item_prefix(self, folder_number: int) -> str:
        """What the regular ids of a folder's items begin with."""
        store = urlsafe_b64encode(self._store[:24]).decode()
        return f"AAMkAG{store}BGAAA{_digits(folder_number)}"

    def item_id(self, prefix: str, number: int) -> str:
        """A regular id."""
        return f"{prefix}{_digits(number)}{CONTACT_SUFFIX}"

    def immutable_id(self, number: int) -> str:
        """An immutable id."""
        return f"{self._immutable}{_digits(number)}{CONTACT_SUFFIX}"

    def change_key(self, sequence: int) -> str:
        """The change key that a write of this sequence number leaves."""
        return f"{self._change}{_digits(sequence)}"


def _digits(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(9, "big")).decode()


def number_of(item_id: str) -> int:
    """The running number in an id of an item."""
    digits = item_id.removesuffix(CONTACT_SUFFIX)[-12:]
    return int.from_bytes(urlsafe_b64decode(digits), "big")


def etag(change_key: str) -> str:
    """The weak etag of a change key, as in https://learn.microsoft.com/graph/api/contact-get"""
    return f'W/"{change_key}"'


def looks_like_id(text: str) -> bool:
    """Whether Exchange would read it as an id, of whatever object."""
    return text.startswith(("AAMkA", "AQMkA", "AAkA")) and len(text) > 20
