"""A contact's photo, as far as a mailbox looks into it.

https://learn.microsoft.com/graph/api/resources/profilephoto and
https://learn.microsoft.com/graph/api/profilephoto-update: JPEG, under 4 MB. A size that is no
profile size is kept as it is (https://learn.microsoft.com/graph/api/profilephoto-get).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

MAX_BYTES = 4 * 1024 * 1024
"""Of a request: the photo has to be smaller."""

_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF))
"""Start-of-frame markers: ITU-T T.81, table B.1."""
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length."""


@dataclass(frozen=True, slots=True)
class Photo:
    """A JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int

    @property
    def id(self) -> str:
        """Its size, as Graph names it."""
        return f"{self.width}x{self.height}"

    @property
    def etag(self) -> str:
        """The strong etag of the picture."""
        return f'"{sha256(self.data).hexdigest()[:8].upper()}"'


def read_photo(data: bytes) -> Photo | None:
    """The photo of a request's bytes; None for what is no JPEG."""
    if not data.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in _FRAMES and at + 9 <= len(data):
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            width = int.from_bytes(data[at + 7 : at + 9], "big")
            return Photo(data, width, height) if width and height else None
        at += 2 + length
    return None
