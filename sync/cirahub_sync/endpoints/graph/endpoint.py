"""A contact folder of a Microsoft 365 mailbox, as the engine's protocol wants it.

The parts do the work: `folders` resolves, `delta` pulls, `items` reads, `outbox` writes what
`letters` says, `codec` translates, `session` talks. Idempotency key: the stamp, an extended
property that a create carries; the delta does not show it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

from cirahub_sync.configuration import MailboxTarget
from cirahub_sync.endpoints.base import (
    Capabilities,
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    Target,
)
from cirahub_sync.endpoints.graph import codec
from cirahub_sync.endpoints.graph.album import GraphAlbum
from cirahub_sync.endpoints.graph.delta import DeltaReader
from cirahub_sync.endpoints.graph.folders import FolderFinder
from cirahub_sync.endpoints.graph.items import ItemReader
from cirahub_sync.endpoints.graph.letters import ContactLetters
from cirahub_sync.endpoints.graph.outbox import Outbox
from cirahub_sync.endpoints.graph.place import WRITE_ROLE, Place
from cirahub_sync.endpoints.graph.session import BATCH_SIZE, GraphSession
from cirahub_sync.endpoints.mailbox_contact import LIMITS
from cirahub_sync.endpoints.opened import Opened
from cirahub_sync.model.contact import FIELDS
from cirahub_sync.model.kind import Content, as_contact


class GraphEndpoint(Opened[Place, ItemReader]):
    """Implements `endpoints.base.Endpoint`. `open` comes first."""

    capabilities = Capabilities(
        limits=LIMITS, permanent_delete=True, honours_if_match=False, batch=BATCH_SIZE
    )

    def __init__(
        self,
        session: GraphSession,
        target: MailboxTarget,
        fence: Fence,
        *,
        custom_names: Sequence[str] = (),
    ) -> None:
        """`custom_names` are the custom fields that are read and written (their case counts)."""
        self._session = session
        self._fence = fence
        self._finder = FolderFinder(session, target, fence)
        self._custom_names = tuple(custom_names)

    @property
    def album(self) -> GraphAlbum:
        return GraphAlbum(self._session, self._opened()[0], self._fence)

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        # In small letters, so that a target is the same through two connections to one tenant.
        tenant = self._session.connection.tenant_id.lower()
        if known is not None and known.tenant == tenant:
            place = Place(known.mailbox, known.folder)
        else:
            place = await self._finder.place(create=create)
        self._here = (place, ItemReader(self._session, place, self._custom_names))
        return Target(tenant, place.mailbox, place.folder)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        place, items = self._opened()
        reader = DeltaReader(self._session, place, items, self._custom_names)
        return reader.pages(resume, known)

    def encode(self, content: Content) -> bytes:
        return codec.encode(as_contact(content), self._custom_names)

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        return codec.encode_changes(
            None if before is None else as_contact(before),
            as_contact(after),
            self._custom_names,
            FIELDS if fields is None else fields,
        )

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        place, items = self._opened()
        what = f"connection {self._session.connection.name}: {place}"
        letters = ContactLetters(place, items)
        return Outbox(
            self._session, place.mailbox, letters, self._fence, what=what, role=WRITE_ROLE
        ).push(operations)
