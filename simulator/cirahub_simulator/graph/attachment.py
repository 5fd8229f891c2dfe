"""An attachment of an item, as far as a mailbox looks into it.

[MS-OXWSATT]; a contact's photo is one too ([MS-OXOCNTC] 2.2.1.8), and kept as `Contact.photo`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file."""

    number: int
    """Tells it from the others of its item."""
    name: str
    content: bytes
    modified: str
    content_type: str | None = None
    content_id: str | None = None
    content_location: str | None = None
    is_inline: bool = False
    is_photo: bool = False
    """Whether it was given as a contact's photo, and is no JPEG that Graph could show."""
