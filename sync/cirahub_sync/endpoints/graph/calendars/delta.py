"""What changed in a calendar's window since a delta token.

https://learn.microsoft.com/graph/delta-query-events. A view's delta takes a series apart into its
occurrences, which come with their times only (github.com/microsoftgraph/microsoft-graph-docs,
issue 7632), tells nothing of one that was cancelled but all that are left
(https://stackoverflow.com/q/55641502), and shows no stamps (FACTS). So it tells us *that* an event
or a series changed, and each is then read by its id.

Whether a master is shown beside its occurrences is not said. Where one is not, its deletion, or
that of an occurrence, shows as ids that nobody knows: so the token then carries the masters, and
they are looked at whenever such an id is told as removed.

A view has fixed ends. When the window has moved, its token counts as expired, and the round starts
from nothing: once a day, which also finds what a delta may have kept to itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.base import Change, KnownEtags, Page, Removed
from cirahub_sync.endpoints.graph.answers import Answer, read
from cirahub_sync.endpoints.graph.calendars import codec, wire
from cirahub_sync.endpoints.graph.calendars.items import SERIES, EventReader, Held, etag_of
from cirahub_sync.endpoints.graph.calendars.place import ROLES, CalendarPlace
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.errors import CursorExpiredError, ProtocolError
from cirahub_sync.model.window import Span

PAGE_SIZE = 200
"""Asked for by `odata.maxpagesize`; the service may give less."""


_AND = ","
"""Between the ids in a token."""


class ViewReader:
    """Rounds of changes in the window of one calendar."""

    def __init__(
        self, session: GraphSession, place: CalendarPlace, events: EventReader, span: Span
    ) -> None:
        self._session = session
        self._place = place
        self._events = events
        self._span = span
        self._what = events.what
        self._unshown: set[str] = set()
        """Series of which the delta shows the occurrences alone."""

    async def pages(self, resume: str | None, known: KnownEtags) -> AsyncIterator[Page]:
        """One request a page; and for 20 changed events one, for 20 changed series two."""
        path: str | None = (
            self._resumed(resume)
            if resume is not None
            else f"/v1.0{self._place.view_path(self._span)}"
        )
        while path is not None:
            answer = await self._session.get(
                self._place.mailbox,
                path,
                what=self._what,
                role=ROLES,
                prefer=(f"odata.maxpagesize={PAGE_SIZE}",),
            )
            page = read(wire.EVENT_PAGE, answer, self._what)
            changes = await self._changes(page.value, answer, known)
            path = self._session.path(page.next) if page.next else None
            if path is not None:
                yield Page(changes=changes, next=self._token(path))
            elif page.delta:
                yield Page(changes=changes, cursor=self._token(self._session.path(page.delta)))
            else:
                raise ProtocolError(
                    f"{self._what}: a delta page has neither a next nor a delta link "
                    f"({answer.summary}); will be tried again"
                )

    async def _changes(
        self, raws: Sequence[msgspec.Raw], answer: Answer, known: KnownEtags
    ) -> Sequence[Change]:
        """Of a page, each event and each series once. What is removed is told as it is: it may be
        an occurrence, of which nobody knows, or have left the window only."""
        changes: dict[str, Change | None] = {}
        masters: set[str] = set()
        shown: set[str] = set()
        lost = False
        keys = [self._key(raw, answer) for raw in raws]
        etags = known([key.id for key in keys])
        for raw, key in zip(raws, keys, strict=True):
            if key.removed is not None:
                changes[key.id] = Removed(key.id)
                lost = lost or key.id not in etags
            elif key.series_master_id:
                changes[key.series_master_id] = None
                masters.add(key.series_master_id)
            else:
                changes[key.id] = self._echo(raw, etags)
                shown.add(key.id)
        self._unshown = (self._unshown | masters) - shown
        if lost:
            changes |= dict.fromkeys(self._unshown)
        to_read = [event for event, change in changes.items() if change is None]
        held = await self._events.held(to_read, here=True)
        for event in to_read:
            got = held[event]
            if got is None:
                self._unshown.discard(event)
            changes[event] = got.item if isinstance(got, Held) else got or Removed(event)
        return [change for change in changes.values() if change is not None]

    def _key(self, raw: msgspec.Raw, answer: Answer) -> wire.EventKey:
        try:
            return wire.EVENT_KEY.decode(raw)
        except UNREADABLE as error:
            raise ProtocolError(
                f"{self._what}: an event without an id ({answer.summary}); will be tried again"
            ) from error

    def _echo(self, raw: msgspec.Raw, etags: Mapping[str, str]) -> Change | None:
        """A lone event that is as it was when it was acknowledged."""
        try:
            event = wire.EVENT.decode(raw)
            etag = etag_of(event)
            if event.type == SERIES or not etag or etags.get(event.id) != etag:
                return None
            return self._events.item(event)
        except (*UNREADABLE, *codec.UNREADABLE):
            return None

    def _token(self, path: str) -> str:
        """Bound to the place and the window, so that it can't be used for another. Ids contain no
        blank, and no comma."""
        place = f"{self._place.mailbox} {self._place.calendar}"
        return f"{place} {self._window} {_AND.join(sorted(self._unshown))} {path}"

    @property
    def _window(self) -> str:
        return f"{self._span.first:.0f}-{self._span.last:.0f}"

    def _resumed(self, token: str) -> str:
        mailbox, calendar, window, unshown, path = [*token.split(" ", 4), "", "", "", ""][:5]
        if (mailbox, calendar) != (self._place.mailbox, self._place.calendar) or path[:1] != "/":
            raise CursorExpiredError(
                f"{self._what}: the stored delta token is of another mailbox or calendar; the "
                "round starts from nothing"
            )
        if window != self._window:
            raise CursorExpiredError(
                f"{self._what}: the window has moved; the round starts from nothing"
            )
        self._unshown = set(filter(None, unshown.split(_AND)))
        return path
