"""A calendar of a mailbox on an Exchange Server, as the engine's protocol wants it.

The parts do the work: the finder of folders resolves, `delta` pulls, `items` reads, the outbox
writes what `letters` says, `codec` and `recurrence` translate; `exchange.session` talks. Its
idempotency key is the stamp.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence

from cirahub_sync.configuration import CalendarTarget
from cirahub_sync.endpoints.base import (
    Fence,
    KnownEtags,
    Operation,
    Outcome,
    Page,
    Target,
)
from cirahub_sync.endpoints.exchange.calendars import codec
from cirahub_sync.endpoints.exchange.calendars.delta import WindowReader
from cirahub_sync.endpoints.exchange.calendars.items import EventReader
from cirahub_sync.endpoints.exchange.calendars.letters import EventLetters
from cirahub_sync.endpoints.exchange.capabilities import CALENDAR_CAPABILITIES
from cirahub_sync.endpoints.exchange.folders import FolderFinder
from cirahub_sync.endpoints.exchange.outbox import Outbox
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.opened import Opened
from cirahub_sync.model.kind import EVENTS, Content, as_event
from cirahub_sync.model.window import Span


class CalendarEndpoint(Opened[Place, EventReader]):
    """Implements `endpoints.base.Endpoint`. `open` comes first."""

    capabilities = CALENDAR_CAPABILITIES
    album = None

    def __init__(
        self,
        session: ExchangeSession,
        target: CalendarTarget,
        fence: Fence,
        span: Span,
    ) -> None:
        """`span`: what its changes are looked for in."""
        self._session = session
        self._target = target
        self._fence = fence
        self._span = span

    async def open(self, *, create: bool, known: Target | None = None) -> Target:
        finder = FolderFinder(self._session, self._target, self._fence)
        place = await finder.place(create=create, known=known)
        self._here = (place, EventReader(self._session, place))
        return place.target(self._session.server.host)

    def changes(self, resume: str | None, *, known: KnownEtags) -> AsyncIterator[Page]:
        place, events = self._opened()
        return WindowReader(self._session, place, events, self._span).pages(resume, known)

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
        return Outbox(self._session, place, events, letters, self._fence).push(operations)
