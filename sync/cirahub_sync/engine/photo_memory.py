"""What a process knows of a hub's photos, lest it look for work where nothing moved."""

from __future__ import annotations

import msgspec


class PhotoMemory(msgspec.Struct):
    settled: dict[str, object] = {}
    """Spokes, by uid, in which nothing was left to do, with what that depends on."""
    state: object = None
    """Of the hub, when nothing was left to do there."""
