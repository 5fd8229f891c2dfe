"""An address book of a CardDAV server, as the engine's protocol wants it.

The parts do the work: `books` resolves, `delta` pulls, `items` reads, `outbox` writes, `codec`
translates, `session` talks. Idempotency key: the stamp, a property of the card, from which the
card's UID and the name of its resource are made too; a create says `If-None-Match: *`, so that one
that is sent again makes nothing.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

from cirahub_sync.configuration import AddressBookTarget
from cirahub_sync.endpoints.base import Fence, KnownEtags, Operation, Outcome, Page, Target
from cirahub_sync.endpoints.carddav import codec
from cirahub_sync.endpoints.carddav.books import Book, BookFinder
from cirahub_sync.endpoints.carddav.capabilities import CAPABILITIES
from cirahub_sync.endpoints.carddav.delta import DeltaReader
from cirahub_sync.endpoints.carddav.items import PAGE_SIZE, ItemReader
from cirahub_sync.endpoints.carddav.outbox import Outbox
from cirahub_sync.endpoints.carddav.session import CardDavSession
from cirahub_sync.endpoints.opened import Opened
from cirahub_sync.model.kind import Content, as_contact


class CardDavEndpoint(Opened[Book, ItemReader]):
    """Implements `endpoints.base.Endpoint`. `open` comes first."""

    capabilities = CAPABILITIES
    album = None
    """A photo is part of its card, and no resource of its own: it stays as it is."""

    def __init__(
        self,
        session: CardDavSession,
        target: AddressBookTarget,
        fence: Fence,
        *,
        custom_names: Sequence[str] = (),
        page: int = PAGE_SIZE,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`custom_names` are the custom fields that are read and written."""
        self._session = session
        self._target = target
        self._fence = fence
        self._custom_names = tuple(custom_names)
        self._page = page
        self._clock = clock

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        host = self._session.server.host
        if known is not None and known.tenant == host:
            book = Book.named(known.folder)
        else:
            book = await BookFinder(self._session, self._target, self._fence).book(create=create)
        what = f"{self._session.what}: {self._target.told}"
        self._here = (book, ItemReader(self._session, book, what, self._custom_names))
        return book.target(host)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        book, items = self._opened()
        return DeltaReader(self._session, book, items, page=self._page).pages(resume, known)

    def encode(self, content: Content) -> bytes:
        return codec.encode(as_contact(content), self._custom_names)

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        return codec.encode_changes(
            None if before is None else as_contact(before), as_contact(after), fields
        )

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        book, items = self._opened()
        return Outbox(
            self._session,
            book,
            items,
            self._fence,
            custom_names=self._custom_names,
            clock=self._clock,
        ).push(operations)
