"""A calendar of a Microsoft 365 mailbox, as the engine's protocol wants it.

The parts do the work: `finder` resolves, `delta` pulls, `items` reads, the outbox writes what
`letters` says, `codec` and `recurrence` translate; `graph.session` talks. Idempotency keys: the
stamp, an extended property, and `transactionId`; the delta shows only the latter, and nothing
filters by it, so the stamp is what is looked for.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.base import (
    Capabilities,
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    Target,
)
from cirahub_sync.endpoints.graph.calendars import codec
from cirahub_sync.endpoints.graph.calendars.delta import ViewReader
from cirahub_sync.endpoints.graph.calendars.finder import CalendarFinder
from cirahub_sync.endpoints.graph.calendars.items import EventReader
from cirahub_sync.endpoints.graph.calendars.letters import EventLetters
from cirahub_sync.endpoints.graph.calendars.place import WRITE_ROLE, CalendarPlace
from cirahub_sync.endpoints.graph.outbox import Outbox
from cirahub_sync.endpoints.graph.session import BATCH_SIZE, GraphSession
from cirahub_sync.endpoints.opened import Opened
from cirahub_sync.model.kind import EVENTS, Content, as_event
from cirahub_sync.model.window import Span


class CalendarEndpoint(Opened[CalendarPlace, EventReader]):
    """Implements `endpoints.base.Endpoint`. `open` comes first."""

    capabilities = Capabilities(
        limits=codec.LIMITS,
        permanent_delete=True,
        honours_if_match=False,
        batch=BATCH_SIZE,
        composed=True,
    )
    album = None

    def __init__(
        self, session: GraphSession, target: CalendarTarget, fence: Fence, span: Span
    ) -> None:
        """`span`: what its changes are looked for in."""
        self._session = session
        self._fence = fence
        self._span = span
        self._finder = CalendarFinder(session, target, fence)

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        tenant = self._session.connection.tenant_id.lower()
        if known is not None and known.tenant == tenant:
            place = CalendarPlace(known.mailbox, known.folder)
        else:
            place = await self._finder.place(create=create)
        self._here = (place, EventReader(self._session, place))
        return Target(tenant, place.mailbox, place.calendar)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        place, events = self._opened()
        return ViewReader(self._session, place, events, self._span).pages(resume, known)

    def encode(self, content: Content) -> bytes:
        return codec.encode(as_event(content))

    def encode_changes(
        self, before: Content | None, after: Content, fields: Collection[str] | None = None
    ) -> bytes:
        return codec.encode_changes(
            None if before is None else as_event(before),
            as_event(after),
            EVENTS.fields if fields is None else fields,
        )

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        place, events = self._opened()
        letters = EventLetters(self._session, place, events, self._fence)
        return Outbox(
            self._session,
            place.mailbox,
            letters,
            self._fence,
            what=events.what,
            role=WRITE_ROLE,
        ).push(operations)
