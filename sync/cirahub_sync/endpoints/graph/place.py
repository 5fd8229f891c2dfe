"""Which folder of which mailbox: the paths below `/v1.0` that all requests of an endpoint use."""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec

from cirahub_sync.endpoints.graph import properties

ROLES = "Contacts.ReadWrite (or Contacts.Read, for a spoke that only contributes)"
"""What a mailbox answers 403 without: https://learn.microsoft.com/graph/permissions-reference"""
WRITE_ROLE = "Contacts.ReadWrite"
DIRECTORY_ROLES = "User.ReadBasic.All (or User.Read.All)"
DIRECTORY_LANE = "directory"
"""The throttle's, for requests that reach no mailbox."""


class Place(msgspec.Struct, frozen=True):
    mailbox: str
    """The user's id."""
    folder: str

    def __str__(self) -> str:
        return f"mailbox {self.mailbox}, folder {self.folder}"

    @property
    def mailbox_path(self) -> str:
        return f"/users/{segment(self.mailbox)}"

    @property
    def folder_path(self) -> str:
        return f"{self.mailbox_path}/contactFolders/{segment(self.folder)}"

    def item_path(self, item: str) -> str:
        """The item wherever it is in the mailbox."""
        return f"{self.mailbox_path}/contacts/{segment(item)}"

    def item_here_path(self, item: str) -> str:
        """The item, if it is in this folder."""
        return f"{self.folder_path}/contacts/{segment(item)}"


def segment(text: str) -> str:
    """A path segment, percent-encoded. `quote` goes through it a letter at a time: that was a
    tenth of what a pass took in which little had changed."""
    return text.replace("=", "%3D") if _PLAIN(text) else quote(text, safe="@")


def query(**options: str | int) -> str:
    """OData's query options, percent-encoded: `$select=id&$top=50`."""
    return "&".join(f"${name}={quote(str(value), safe=_SAFE)}" for name, value in options.items())


_SAFE = "(),:/='$"
_PLAIN = re.compile(r"[A-Za-z0-9_.~@=-]*").fullmatch
"""What is unreserved (RFC 3986 2.3) or left as it is besides; and what Graph's ids end with."""


def expand(custom_names: tuple[str, ...]) -> str:
    """The query option that completes items with their extended properties."""
    return query(expand=properties.expansion(properties.read_ids(custom_names)))
