"""The photos of an endpoint's items, where it has any: the protocol, as `base` is for the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from cirahub_sync.endpoints.base import Result

NO_PHOTO = ""
"""In place of a photo's etag."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a photo that was written, or taken away. STALE: another one is there."""

    result: Result
    error: str = ""
    """A code and request id, no content."""
    retry_after: float | None = None


class Album(Protocol):
    """Reads may be repeated by the endpoint, writes never are. All methods raise what concerns the
    whole collection, in errors of `cirahub_sync.errors`."""

    async def etags(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The etag of each item's photo, without the photo: it changes with the picture. NO_PHOTO
        where there is none, or no item any more; what can't be told now is left out."""
        ...

    async def read(self, id: str) -> bytes | None:  # noqa: A002
        """The photo as it is there; None if there is none."""
        ...

    async def write(self, id: str, jpeg: bytes) -> Sent:  # noqa: A002
        """Put this photo in the place of whatever is there. GONE: the item is no more."""
        ...

    async def remove(self, id: str, etag: str) -> Sent:  # noqa: A002
        """Take the photo away, if it is still the one of that etag, as far as the service sees to
        that. One that is gone already is DONE."""
        ...
