"""What changed in a calendar since a sync state, within a window.

SyncFolderItems tells of lone events and of masters, whenever they are; an occurrence that changes
is a change of its master
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/mailbox-synchronization-and-ews-in-exchange).
What is known is told wherever it has moved to. Of what is not, lone events out of the window are
passed over by their times, unread, and series when they have been read.

When the window has moved, the state counts as expired, and the round starts from nothing: once a
day, as over Graph. What has come into the window is found then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from cirahub_sync.endpoints.base import Change, KnownEtags, Page, RemoteItem
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.calendars import codec
from cirahub_sync.endpoints.exchange.calendars.items import EventCodec, EventReader
from cirahub_sync.endpoints.exchange.calendars.recurrence import moment_of
from cirahub_sync.endpoints.exchange.delta import DeltaReader
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.exchange.wire import Element
from cirahub_sync.errors import CursorExpiredError
from cirahub_sync.model.event import Event
from cirahub_sync.model.kind import as_event
from cirahub_sync.model.schedule import ScheduleError
from cirahub_sync.model.window import Span

_PATHS = tuple(
    wire.field(f"calendar:{name}") for name in ("Start", "End", "CalendarItemType", "IsAllDayEvent")
)
_SLACK = 86_400.0
"""Seconds: days are days in every zone."""


class WindowReader:
    """Rounds of changes in the window of one calendar."""

    def __init__(
        self, session: ExchangeSession, place: Place, events: EventReader, span: Span
    ) -> None:
        self._span = span
        self._what = f"connection {session.connection.name}: {place}"
        self._delta = DeltaReader(
            session,
            place,
            events,
            element=EventCodec.element,
            blank=Event(),
            paths=_PATHS,
            passes=self._passes,
        )

    async def pages(self, resume: str | None, known: KnownEtags) -> AsyncIterator[Page]:
        """See DeltaReader."""
        state = None if resume is None else self._resumed(resume)
        async for page in self._delta.pages(state, known):
            ours = known([one.id for one in page.changes])
            yield msgspec.structs.replace(
                page,
                changes=[one for one in page.changes if one.id in ours or self._counts(one)],
                next=self._token(page.next),
                cursor=self._token(page.cursor),
            )

    def _passes(self, item: Element) -> bool:
        """Whether an event that is not known is worth reading."""
        if codec.is_series(item):
            return True
        try:
            start, end = (moment_of(item, name).timestamp() for name in ("Start", "End"))
        except ScheduleError:
            return True
        return end + _SLACK >= self._span.first and start - _SLACK <= self._span.last

    def _counts(self, change: Change) -> bool:
        return not isinstance(change, RemoteItem) or self._span.holds(as_event(change.content))

    @property
    def _window(self) -> str:
        return f"{self._span.first:.0f}-{self._span.last:.0f}"

    def _token(self, state: str | None) -> str | None:
        """Bound to the window, so that it can't be used for another."""
        return None if state is None else f"{self._window} {state}"

    def _resumed(self, token: str) -> str:
        window, _, state = token.partition(" ")
        if window != self._window:
            raise CursorExpiredError(
                f"{self._what}: the window has moved; the round starts from nothing"
            )
        return state
