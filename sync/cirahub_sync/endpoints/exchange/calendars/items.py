"""Reading events: by id, by stamp, and where they are. A series is read as one item.

A master names its exceptions and says when they are (`ModifiedOccurrences`), no more: each is an
item with an id of its own, and read by it
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-access-recurring-series-by-using-ews-in-exchange).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cirahub_sync.endpoints.base import RemoteItem, Unreadable
from cirahub_sync.endpoints.exchange import properties, wire
from cirahub_sync.endpoints.exchange.answers import GONE
from cirahub_sync.endpoints.exchange.calendars import codec
from cirahub_sync.endpoints.exchange.calendars.recurrence import original_day
from cirahub_sync.endpoints.exchange.items import ItemReader, seconds
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.exchange.wire import TYPES, Element
from cirahub_sync.model.event import Event
from cirahub_sync.model.schedule import parse

_OCCURRENCE = wire.shape(codec.OCCURRENCE_PATHS)
_DAY = wire.shape((wire.field("calendar:OriginalStart"),))


class EventCodec:
    """Implements `items.Codec`."""

    element = "CalendarItem"

    def paths(self) -> Sequence[str]:
        return codec.PATHS

    def decode(self, item: Element) -> Event:
        """Of a lone event."""
        return codec.decode(item, {})

    def blank(self) -> Event:
        return Event()


class Held(NamedTuple):
    """Implements `writing.Held`."""

    element: Element
    exceptions: Mapping[str, Element]
    """Of a master: those that could be read, by id."""
    etag: str
    item: RemoteItem | Unreadable

    @property
    def attended(self) -> bool | None:
        if codec.role_of(self.element, self.exceptions):
            return True
        whole = all(each in self.exceptions for each, _ in codec.modified(self.element))
        return False if whole else None


class EventReader(ItemReader):
    """The events of one calendar."""

    def __init__(self, session: ExchangeSession, place: Place) -> None:
        super().__init__(session, place, EventCodec())
        self.element = EventCodec.element

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        """One request for 100 events, and one for 100 exceptions."""
        held = await self.held(ids)
        return {each: got.item if isinstance(got, Held) else got for each, got in held.items()}

    async def held(self, ids: Sequence[str]) -> Mapping[str, Held | Unreadable | None]:
        """The same, with what they are made of."""
        read = await self._elements(ids, self.shape)
        inside = [
            each
            for element in read.values()
            if isinstance(element, Element)
            for each, _ in codec.modified(element)
        ]
        occurrences = {
            each: element
            for each, element in (await self._elements(inside, _OCCURRENCE)).items()
            if isinstance(element, Element)
        }
        return {
            each: self._held(each, got, occurrences) if isinstance(got, Element) else got
            for each, got in read.items()
        }

    async def instances(self, master: Held, indexes: Mapping[str, int]) -> Mapping[str, str]:
        """The ids of occurrences by the days that their series has them on; those that there are.
        `indexes`: the numbers that the rule gives them, from one. What the service counts
        otherwise is left out: an occurrence says of which day it is. One request for 100."""
        id_ = wire.id_of(master.element)[0]
        when = parse(codec.decode(master.element, master.exceptions).schedule)
        found: dict[str, str] = {}
        for days, reply in await self.got(
            list(indexes), _DAY, written=lambda day: _occurrence_id(id_, indexes[day])
        ):
            for day, message in zip(days, reply.messages, strict=True):
                element = next(iter(message.items()), None) if message.ok else None
                if element is not None and original_day(element, "OriginalStart", when) == day:
                    found[day] = wire.id_of(element)[0]
        return found

    async def _elements(
        self, ids: Sequence[str], shape: str
    ) -> Mapping[str, Element | Unreadable | None]:
        found: dict[str, Element | Unreadable | None] = {}
        for chunk, reply in await self.got(ids, shape):
            for each, message in zip(chunk, reply.messages, strict=True):
                element = next(iter(message.items()), None)
                found[each] = None
                if not message.ok and message.code not in GONE:
                    found[each] = Unreadable(each, f"Exchange answered {reply.told(message)}")
                elif element is not None and wire.name_of(element) == self.element:
                    found[each] = element
        return found

    def _held(self, event: str, element: Element, read: Mapping[str, Element]) -> Held:
        own = {each: read[each] for each, _ in codec.modified(element) if each in read}
        found = element.find(f"{TYPES}ItemId")
        etag = "" if found is None else str(found.get("ChangeKey") or "")
        try:
            item: RemoteItem | Unreadable = RemoteItem(
                id=wire.id_of(element)[0],
                etag=etag,
                content=codec.decode(element, own),
                stamp=properties.values(element).get(properties.STAMP_KEY, ""),
                created=seconds(wire.text_at(element, "DateTimeCreated")),
                modified=seconds(wire.text_at(element, "LastModifiedTime")),
            )
        except codec.UNREADABLE as error:
            item = Unreadable(event, codec.why(error))
        return Held(element, own, etag, item)


def _occurrence_id(master: str, index: int) -> str:
    return (
        f'<t:OccurrenceItemId RecurringMasterId="{wire.attribute(master)}" '
        f'InstanceIndex="{index}"/>'
    )
