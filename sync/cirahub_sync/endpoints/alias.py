"""The alias of a mail contact that we made: as much of our stamp as Exchange has room for.

An alias is unique in its organisation, set when the contact is made, and read back as `Alias` from
Exchange and as `mailNickname` from Graph. It has at most 64 characters
(https://learn.microsoft.com/powershell/module/exchangepowershell/new-mailcontact), so it names the
item whole, installation and hub by a digest, and neither spoke nor attempt: a hub has one copy of
an item in an address list, whichever attempt made it. A create that is sent again is refused
because its alias is taken.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b32decode, b32encode

from cirahub_sync.endpoints.base import Stamp

_PREFIX = "cirahub-"
_OURS = re.compile(_PREFIX + "[a-z2-7]{13}-[a-z2-7]{26}")
_BASE32_BLOCK = 8


def alias_of(stamp: Stamp) -> str:
    """48 characters. The stamp's item is the id of an item of a hub: 32 hexadecimal digits."""
    return aliases_begin(stamp.installation, stamp.hub) + _base32(bytes.fromhex(stamp.item))


def aliases_begin(installation: str, hub: str) -> str:
    """What the aliases of all contacts begin with that a hub of an installation has made."""
    owner = hashlib.blake2b(f"{installation}\0{hub}".encode(), digest_size=8).digest()
    return f"{_PREFIX}{_base32(owner)}-"


def made_by_us(alias: str) -> bool:
    """Whether any installation made the contact: a copy then, and nobody's own."""
    return _OURS.fullmatch(alias.lower()) is not None


def item_of(alias: str) -> str | None:
    """The id of the item that the contact is a copy of; None if it is no copy of ours."""
    if not made_by_us(alias):
        return None
    text = alias[-26:].upper()
    return b32decode(text + "=" * (-len(text) % _BASE32_BLOCK)).hex()


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=").lower()
