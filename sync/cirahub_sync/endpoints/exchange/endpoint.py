"""The contacts of one folder of an Exchange Server: of a mailbox, or public ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

from cirahub_sync.configuration import MailboxTarget, PublicFolderTarget
from cirahub_sync.endpoints.base import (
    Capabilities,
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    Target,
)
from cirahub_sync.endpoints.exchange import codec
from cirahub_sync.endpoints.exchange.delta import DeltaReader
from cirahub_sync.endpoints.exchange.folders import FolderFinder
from cirahub_sync.endpoints.exchange.items import ContactCodec, ItemReader
from cirahub_sync.endpoints.exchange.letters import ContactLetters
from cirahub_sync.endpoints.exchange.outbox import Outbox
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.opened import Opened
from cirahub_sync.model.contact import FIELDS
from cirahub_sync.model.kind import Content, as_contact


class ExchangeEndpoint(Opened[Place, ItemReader]):
    """Implements `endpoints.base.Endpoint`. `open` comes first."""

    album = None

    def __init__(
        self,
        session: ExchangeSession,
        target: MailboxTarget | PublicFolderTarget,
        fence: Fence,
        *,
        capabilities: Capabilities,
        custom_names: Sequence[str] = (),
    ) -> None:
        """`custom_names` are the custom fields that are read and written (their case counts)."""
        self.capabilities = capabilities
        self._session = session
        self._target = target
        self._fence = fence
        self._kind = ContactCodec(tuple(custom_names))

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        finder = FolderFinder(self._session, self._target, self._fence)
        place = await finder.place(create=create, known=known)
        self._here = (place, ItemReader(self._session, place, self._kind))
        return place.target(self._session.server.host)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        place, items = self._opened()
        reader = DeltaReader(
            self._session, place, items, element=self._kind.element, blank=self._kind.blank()
        )
        return reader.pages(resume, known)

    def encode(self, content: Content) -> bytes:
        return codec.encode(as_contact(content), self._kind.custom_names)

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        return codec.encode_changes(
            None if before is None else as_contact(before),
            as_contact(after),
            self._kind.custom_names,
            FIELDS if fields is None else fields,
        )

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        place, items = self._opened()
        letters = ContactLetters(items, self._kind.custom_names)
        return Outbox(self._session, place, items, letters, self._fence).push(operations)
