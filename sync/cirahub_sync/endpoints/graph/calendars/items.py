"""Reading events: by id, by stamp, and where they are. A series is read as one item.

A master tells of its exceptions only when it is asked for by its id, in a request of its own:
https://learn.microsoft.com/graph/api/resources/event, `exceptionOccurrences` and
`cancelledOccurrences`.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from cirahub_sync.endpoints.base import RemoteItem, Unreadable, Whereabouts
from cirahub_sync.endpoints.graph import properties
from cirahub_sync.endpoints.graph.answers import Answer, failure, read
from cirahub_sync.endpoints.graph.calendars import codec, wire
from cirahub_sync.endpoints.graph.calendars.place import (
    OCCURRENCES,
    ROLES,
    STAMPED,
    TEXT,
    CalendarPlace,
)
from cirahub_sync.endpoints.graph.codec import seconds, values
from cirahub_sync.endpoints.graph.place import query
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.model.event import Event

_FIND_TOP = 50
_LIST_TOP = 250
SERIES = "seriesMaster"


class Held(NamedTuple):
    """Implements `writing.Held`."""

    wire: wire.WireEvent
    etag: str
    item: RemoteItem | Unreadable

    @property
    def attended(self) -> bool:
        return bool(codec.role_of(self.wire))


class EventReader:
    """The events of one calendar."""

    def __init__(self, session: GraphSession, place: CalendarPlace) -> None:
        self._session = session
        self._place = place
        self.what = f"connection {session.connection.name}: {place}"

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        """Items by id with their stamps, wherever they are; None if gone."""
        held = await self.held(ids)
        return {each: got.item if isinstance(got, Held) else got for each, got in held.items()}

    async def held(
        self, ids: Sequence[str], *, here: bool = False
    ) -> Mapping[str, Held | Unreadable | None]:
        """One request an event, two a series; 20 in a batch. `here`: None also for what is
        elsewhere in the mailbox."""
        path = self._place.event_here_path if here else self._place.event_path
        answers = await self._ask([f"{path(each)}?{STAMPED}" for each in ids])
        read = {each: _event(each, got) for each, got in zip(ids, answers, strict=True)}
        masters = [
            each
            for each, got in read.items()
            if isinstance(got, wire.WireEvent) and got.type == SERIES
        ]
        occurrences = await self._occurrences(masters)
        held: dict[str, Held | Unreadable | None] = {}
        for each, got in read.items():
            if isinstance(got, wire.WireEvent):
                told = occurrences.get(each, got)
                held[each] = _held(got, told) if isinstance(told, wire.WireEvent) else told
            else:
                held[each] = got
        return held

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """One request a key, 20 in a batch, and those that complete what was found."""
        answers = await self._ask(
            [
                f"{self._place.events_path}?"
                f"{query(filter=properties.stamp_equals(key), top=_FIND_TOP)}&{STAMPED}"
                for key in keys
            ]
        )
        stamps: dict[str, str] = {}
        for key, answer in zip(keys, answers, strict=True):
            if not answer.ok:
                raise failure(answer, self.what, role=ROLES)
            page: wire.StubPage | None = read(wire.STUB_PAGE, answer, self.what)
            while page is not None:
                stamps |= {event: stamp for event, stamp in _stamps(page) if stamp == key}
                page = await self._page(self._session.path(page.next)) if page.next else None
        found: dict[str, list[RemoteItem]] = {key: [] for key in keys}
        for item in await self._complete(stamps):
            found[item.stamp].append(item)
        return found

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        """One request for 250 stamped events, those that complete them, and none for others."""
        path: str | None = (
            f"/v1.0{self._place.events_path}?"
            f"{query(filter=properties.stamp_exists(), top=_LIST_TOP)}&{STAMPED}"
        )
        while path is not None:
            page = await self._page(path)
            for item in await self._complete(dict(_stamps(page))):
                yield item
            path = self._session.path(page.next) if page.next else None

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        """One request an id, 20 in a batch, and one more for what is not in this calendar. An event
        has no id of its folder, so that the bin can't be told from another calendar: who asks
        wants to know what is here."""
        answers = await self._looked_for([self._place.event_here_path(each) for each in ids])
        found = {
            each: Whereabouts.HERE
            for each, answer in zip(ids, answers, strict=True)
            if answer is not None
        }
        rest = [each for each in ids if each not in found]
        elsewhere = await self._looked_for([self._place.event_path(each) for each in rest])
        for each, answer in zip(rest, elsewhere, strict=True):
            found[each] = Whereabouts.GONE if answer is None else Whereabouts.MOVED
        return found

    async def instances(
        self, master: str, days: Mapping[str, tuple[float, float]]
    ) -> Mapping[str, str]:
        """The ids of occurrences, by the days that their series has them on; those that there are.
        `days`: when the rule has them begin and end, in POSIX seconds. One request a day."""
        answers = await self._ask(
            [self._place.instances_path(master, first, last) for first, last in days.values()]
        )
        found: dict[str, str] = {}
        for (day, (first, last)), answer in zip(days.items(), answers, strict=True):
            if not answer.ok:
                raise failure(answer, self.what, role=ROLES)
            for raw in read(wire.EVENT_PAGE, answer, self.what).value:
                one = wire.EVENT.decode(raw)
                if one.type == "occurrence" and codec.is_at(one, first, last):
                    found[day] = one.id
        return found

    def item(self, event: wire.WireEvent) -> RemoteItem:
        """A lone event as it came. Raises codec.UNREADABLE."""
        return _item(event, etag_of(event))

    async def _occurrences(
        self, masters: Collection[str]
    ) -> Mapping[str, wire.WireEvent | Unreadable | None]:
        paths = [f"{self._place.event_path(each)}?{OCCURRENCES}" for each in masters]
        answers = await self._ask(paths)
        return {each: _event(each, got) for each, got in zip(masters, answers, strict=True)}

    async def _looked_for(self, paths: Sequence[str]) -> Sequence[Answer | None]:
        """The answers; None for what is not there."""
        answers = await self._ask([f"{path}?{query(select='id')}" for path in paths])
        for answer in answers:
            if not (answer.ok or _is_gone(answer)):
                raise failure(answer, self.what, role=ROLES)
        return [None if _is_gone(answer) else answer for answer in answers]

    async def _ask(self, paths: Sequence[str]) -> Sequence[Answer]:
        return await self._session.get_each(
            self._place.mailbox, paths, what=self.what, role=ROLES, prefer=(TEXT,)
        )

    async def _page(self, path: str) -> wire.StubPage:
        answer = await self._session.get(self._place.mailbox, path, what=self.what, role=ROLES)
        return read(wire.STUB_PAGE, answer, self.what)

    async def _complete(self, stamps: Mapping[str, str]) -> Sequence[RemoteItem]:
        """Events by their ids, as they are. One that can't be read comes without content: that it
        exists is what counts here, lest it be created once more."""
        found: list[RemoteItem] = []
        for event, got in (await self.held(list(stamps))).items():
            item = got.item if isinstance(got, Held) else got
            if isinstance(item, Unreadable):
                item = RemoteItem(id=event, etag="", content=Event())
            if item is not None:
                found.append(msgspec.structs.replace(item, stamp=stamps[event]))
        return found


def _stamps(page: wire.StubPage) -> Iterator[tuple[str, str]]:
    """By event; an exception has its series' stamp, and may be listed beside it."""
    for stub in page.value:
        stamp = values(stub.single_value_extended_properties).get(properties.STAMP, "")
        if stamp and not stub.series_master_id:
            yield stub.id, stamp


def etag_of(event: wire.WireEvent) -> str:
    """The etag; made of the change key where the annotation is missing. That of a series is also
    one of its occurrences: whether a master's own changes with them is not said anywhere."""
    etag = event.etag or (f'W/"{event.change_key}"' if event.change_key else "")
    inner = [f"{one.id} {etag_of(one)}" for one in event.exception_occurrences or ()]
    inner += event.cancelled_occurrences or ()
    if not inner:
        return etag
    digest = hashlib.blake2b("\n".join(sorted(inner)).encode(), digest_size=12).hexdigest()
    return f"{etag} {digest}"


def if_match(etag: str) -> str:
    """The service's own part of an etag."""
    return etag.partition(" ")[0]


def _held(event: wire.WireEvent, told: wire.WireEvent) -> Held:
    """`told`: the same, with what it tells of its occurrences."""
    event.exception_occurrences = told.exception_occurrences
    event.cancelled_occurrences = told.cancelled_occurrences
    etag = etag_of(event)
    try:
        return Held(event, etag, _item(event, etag))
    except codec.UNREADABLE as error:
        return Held(event, etag, Unreadable(event.id, _why(error)))


def _item(event: wire.WireEvent, etag: str) -> RemoteItem:
    extended = values(event.single_value_extended_properties)
    return RemoteItem(
        id=event.id,
        etag=etag,
        content=codec.decode(event),
        stamp=extended.get(properties.STAMP, ""),
        created=seconds(event.created_date_time),
        modified=seconds(event.last_modified_date_time),
    )


def _is_gone(answer: Answer) -> bool:
    return answer.status in (404, 410)


def _event(event: str, answer: Answer) -> wire.WireEvent | Unreadable | None:
    if _is_gone(answer):
        return None
    if not answer.ok:
        return Unreadable(event, f"Graph answered {answer.summary}")
    try:
        return wire.EVENT.decode(answer.body)
    except UNREADABLE:
        return Unreadable(event, f"fields of a kind that an event does not have: {answer.summary}")


def _why(error: Exception) -> str:
    return "a date beyond all calendars" if isinstance(error, OverflowError) else str(error)
