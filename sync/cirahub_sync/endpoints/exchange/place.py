"""Which folder: as an answer names it, and as our store keeps it."""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.base import Target
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.session import Seat

PUBLIC_FOLDERS = "publicFolders"
"""In the place of a mailbox's id."""
_PLAIN = str.maketrans("/+", "_-")
_EWS = str.maketrans("_-", "/+")


class Place(msgspec.Struct, frozen=True):
    seat: Seat
    mailbox: str
    """The id of its root folder, which is the same through each of its addresses; or
    PUBLIC_FOLDERS. In the URL-safe alphabet of base64."""
    folder: str
    """As EWS writes ids."""

    def __str__(self) -> str:
        return f"folder {plain(self.folder)}"

    @property
    def folder_id(self) -> str:
        return wire.folder_id(self.folder)

    def target(self, host: str) -> Target:
        return Target(host, self.mailbox, plain(self.folder))


def known_place(seat: Seat, target: Target) -> Place:
    """The place of a target that was resolved earlier."""
    return Place(seat, target.mailbox, target.folder.translate(_EWS))


def plain(id: str) -> str:  # noqa: A002 (what EWS calls it)
    """An id without a slash, which parts the text of a Target."""
    return id.translate(_PLAIN)
