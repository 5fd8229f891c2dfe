"""Delta queries on a calendar view.

https://learn.microsoft.com/graph/api/event-delta, https://learn.microsoft.com/graph/delta-query-events.
A token holds the window, the position in the calendar's change log and how much of a series was
told already; it keeps nothing on the server. A change of a series is told as the series: its master
and its instances in the window, and as removed those that a look at the window could have shown
before and can't any more.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import msgspec

from cirahub_simulator.calendar.event import Event, Instance, Series, instance_id
from cirahub_simulator.calendar.zone import Moment, Window
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.changes import Change
from cirahub_simulator.graph.delta import DELAY, INCREMENTAL, Token, read_token, write_token
from cirahub_simulator.graph.delta_requests import PAGE_SIZE, applied, removed, unsupported
from cirahub_simulator.graph.event import PROPERTIES, TYPE, etag_of, short_values_of, values_of
from cirahub_simulator.graph.event_requests import find_calendar, read_window
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.query import MAX_TOP
from cirahub_simulator.wire import Response

_REFUSED = ("filter", "orderby", "search", "skip")


@dataclass(frozen=True, slots=True)
class _Told:
    """An entry of an answer."""

    id: str
    body: bytes


@dataclass(slots=True)
class _Page:
    entries: list[_Told]
    position: int
    offset: int
    done: bool
    last: int = 0
    """The sequence number of the last change of which something was answered."""


def view_delta(call: Call, mailbox: Mailbox, world_id: str) -> Response:
    """The changes of a calendar view."""
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    calendar = find_calendar(call, mailbox)
    now = call.world.clock.time()
    scope = f"view {calendar.id}"
    given = query.skip_token or query.delta_token or None
    if given is None:
        refused = [name for name in _REFUSED if name in query.given]
        if query.expand and call.switches.delta_expand == "refused":
            refused.append("expand")
        if query.select and call.switches.view_delta_select == "refused":
            refused.append("select")
        if refused:
            raise unsupported(refused, "CalendarView")
        window = read_window(call)
        token = Token(
            scope=scope,
            world=world_id,
            generation=mailbox.token_generation,
            issued=now,
            position=0,
            started=mailbox.sequence,
            window=(window.start.isoformat(), window.end.isoformat()),
        )
    else:
        token = read_token(
            given,
            scope=scope,
            world=world_id,
            generation=mailbox.token_generation,
            now=now,
            switches=call.switches,
        )
    wanted = call.preferences.max_page_size
    page = _Reader(call, token, calendar).read(
        min(wanted, MAX_TOP) if wanted is not None else PAGE_SIZE, now
    )
    following = msgspec.structs.replace(
        token,
        issued=now,
        position=page.position,
        offset=page.offset,
        began=page.position if page.done else token.began,
        started=INCREMENTAL if page.done else token.started,
        page=0 if page.done else token.page + 1,
        last=0 if page.done else page.last,
    )
    text = write_token(following)
    return call.page(
        "Collection(event)",
        [entry.body for entry in page.entries],
        next_link=None if page.done else call.link(f"$skiptoken={text}"),
        delta_link=call.link(f"$deltatoken={text}") if page.done else None,
        applied=applied(wanted),
    )


class _Reader:
    """One page of a round."""

    def __init__(self, call: Call, token: Token, calendar: Calendar) -> None:
        self._call = call
        self._token = token
        self._calendar = calendar
        self._log = calendar.changes
        start, end = token.window
        self._window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))

    def read(self, size: int, now: float) -> _Page:
        """Read on from the token."""
        switches, token = self._call.switches, self._token
        if switches.delta_empty_first_page and token.page == 0:
            return _Page([], token.position, token.offset, done=False)
        horizon = now - DELAY[switches.delta_delay]
        page = _Page([], token.position, token.offset, done=True)
        if switches.delta_repeats and token.last:
            page.entries += self._last_told()
            size += len(page.entries)
        for index in range(self._log.after(token.position), len(self._log)):
            change = self._log[index]
            if change.time > horizon:
                break
            entries = list(self._entries(change))
            room = size - len(page.entries)
            rest = entries[page.offset :]
            page.entries += rest[:room]
            if rest[:room]:
                page.last = change.sequence
            if len(rest) > room:
                page.offset += room
                page.done = False
                break
            page.position, page.offset = change.sequence, 0
        if switches.delta_order == "newest-first":
            page.entries.reverse()
        elif switches.delta_order == "shuffled":
            random.Random(page.position).shuffle(page.entries)  # noqa: S311 - repeatable disorder
        return page

    def _last_told(self) -> list[_Told]:
        """The last entry of the page before, if there still is such a thing to tell."""
        told = list(self._entries(self._log[self._log.after(self._token.last) - 1]))
        return told[: self._token.offset or len(told)][-1:]

    def _entries(self, change: Change[Event]) -> Iterator[_Told]:
        event, news = change.item, change.sequence > self._token.started
        here = event.immutable_id in self._calendar.events
        if change.removed:
            if news and not (here and self._call.preferences.immutable_ids):
                yield from self._gone(event, change.id, frozenset())
            return
        if not here or event.sequence != change.sequence:
            return
        if event.series is None:
            shown: list[Event] | list[Instance] = [event] if event.in_window(self._window) else []
            days: frozenset[date] = frozenset()
        else:
            shown = list(event.instances(self._window))
            days = frozenset(instance.day for instance in shown)
        if shown and (event.series is None or self._call.switches.view_delta_masters):
            yield self._whole(event)
        for item in shown:
            if isinstance(item, Instance) and self._is_told(event, item):
                yield self._instance(item)
        if news and not shown:
            yield from self._gone(event, event.id, days)
        elif news:
            yield from self._days_gone(event, event.id, days)

    def _is_told(self, event: Event, instance: Instance) -> bool:
        if self._token.started != INCREMENTAL:
            return True
        if self._call.switches.view_delta_series == "whole":
            return True
        return instance.sequence > self._token.began or event.master_sequence > self._token.began

    def _gone(self, event: Event, event_id: str, shown: frozenset[date]) -> Iterator[_Told]:
        """What is to be removed of an event that is not in the window any more, or never was."""
        if self._call.switches.view_delta_outside or self._was_shown(event):
            yield self._removed(event_id, event.immutable_id)
        yield from self._days_gone(event, event_id, shown)

    def _was_shown(self, event: Event) -> bool:
        return any(
            any(True for _ in shape.days(self._window))
            if isinstance(shape, Series)
            else self._window.holds(shape[0].instant, shape[1].instant)
            for shape in self._shapes(event)
        )

    def _days_gone(self, event: Event, event_id: str, shown: frozenset[date]) -> Iterator[_Told]:
        """Instances that were in the window since the round's beginning, and are not there now."""
        shapes = [shape for shape in self._shapes(event) if isinstance(shape, Series)]
        days = {day for shape in shapes for day in shape.days(self._window)}
        for day in sorted(days - shown):
            yield self._removed(instance_id(event_id, day), instance_id(event.immutable_id, day))

    def _shapes(self, event: Event) -> Iterator[Series | tuple[Moment, Moment]]:
        """When an event was and is, since the round's beginning."""
        yield from (shape for at, shape in event.history if at > self._token.began)
        yield event.series or (event.fields.start, event.fields.end)

    def _whole(self, item: Event | Instance) -> _Told:
        head = {"@odata.type": f"#{TYPE}", "@odata.etag": etag_of(item)}
        return _Told(item.id, msgspec.json.encode(head | values_of(self._call, item)))

    def _instance(self, instance: Instance) -> _Told:
        short = self._call.switches.view_delta_occurrences == "short"
        if instance.kind == "exception" or not short:
            return self._whole(instance)
        head = {"@odata.type": f"#{TYPE}", "@odata.etag": etag_of(instance)}
        return _Told(instance.id, msgspec.json.encode(head | short_values_of(self._call, instance)))

    def _removed(self, event_id: str, immutable_id: str) -> _Told:
        told = immutable_id if self._call.preferences.immutable_ids else event_id
        return _Told(told, removed(TYPE, told))
