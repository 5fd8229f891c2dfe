"""A collection that has been opened: where it is, and what reads its items."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from cirahub_sync.endpoints.base import RemoteItem, Unreadable, Whereabouts


class Reader(Protocol):
    """What `base.Endpoint` reads by ids and by stamps."""

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]: ...

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]: ...

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]: ...

    def stamped(self) -> AsyncIterator[RemoteItem]: ...


At = TypeVar("At")
Items = TypeVar("Items", bound=Reader)


class Opened(Generic[At, Items]):
    """The part of an endpoint that is the same wherever its `open` leads."""

    _here: tuple[At, Items] | None = None

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        return await self._opened()[1].locate(ids)

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        return await self._opened()[1].fetch(ids)

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        return await self._opened()[1].find(keys)

    def stamped(self) -> AsyncIterator[RemoteItem]:
        return self._opened()[1].stamped()

    async def close(self) -> None:
        """Leaves the session open: it belongs to the connection."""
        self._here = None

    def _opened(self) -> tuple[At, Items]:
        if self._here is None:
            raise RuntimeError("the endpoint has not been opened")
        return self._here
