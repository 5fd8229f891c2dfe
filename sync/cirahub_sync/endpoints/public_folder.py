"""A public folder as it is listed, whatever service tells of it."""

from __future__ import annotations

import msgspec


class PublicFolder(msgspec.Struct, frozen=True):
    path: str
    """Display names below the root, separated by `/`: what a Spoke's `publicFolder.path` takes."""
    folder_class: str
    """Its container class, `IPF.Contact` for contacts: [MS-OXOSFLD] 2.2.5. May be blank."""
    items: int | None
    """None: the service does not say."""
