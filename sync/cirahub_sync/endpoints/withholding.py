"""An endpoint that never shows certain fields: what it reads of them goes no further than here, so
that nothing can keep it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.album import Album
from cirahub_sync.endpoints.base import (
    Change,
    Endpoint,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    RemoteItem,
    Target,
    Unreadable,
    Whereabouts,
)
from cirahub_sync.model.kind import Content, without

_replace = msgspec.structs.replace


class Withholding:
    """Implements `endpoints.base.Endpoint` over another one. What is written is the engine's
    affair: its lenses let no such field pass."""

    def __init__(self, inner: Endpoint, fields: Collection[str]) -> None:
        self._inner = inner
        self._fields = frozenset(fields)
        self.capabilities = inner.capabilities

    @property
    def album(self) -> Album | None:
        return self._inner.album

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        return await self._inner.open(create=create, known=known)

    async def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        async for page in self._inner.changes(resume, known=known):
            yield _replace(page, changes=[self._change(change) for change in page.changes])

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        return await self._inner.locate(ids)

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        found = await self._inner.fetch(ids)
        return {
            remote: self._item(item) if isinstance(item, RemoteItem) else item
            for remote, item in found.items()
        }

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        found = await self._inner.find(keys)
        return {key: [self._item(item) for item in items] for key, items in found.items()}

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        async for item in self._inner.stamped():
            yield self._item(item)

    def encode(self, content: Content) -> bytes:
        return self._inner.encode(content)

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        return self._inner.encode_changes(before, after, fields)

    async def push(
        self, operations: Sequence[Operation]
    ) -> AsyncGenerator[Sequence[Outcome], None]:
        sent = self._inner.push(operations)
        try:
            async for outcomes in sent:
                yield [self._outcome(outcome) for outcome in outcomes]
        finally:
            await sent.aclose()

    async def close(self) -> None:
        await self._inner.close()

    def _item(self, item: RemoteItem) -> RemoteItem:
        content = without(item.content, self._fields)
        return item if content is item.content else _replace(item, content=content)

    def _change(self, change: Change) -> Change:
        return self._item(change) if isinstance(change, RemoteItem) else change

    def _outcome(self, outcome: Outcome) -> Outcome:
        if outcome.item is None:
            return outcome
        return _replace(outcome, item=self._item(outcome.item))
