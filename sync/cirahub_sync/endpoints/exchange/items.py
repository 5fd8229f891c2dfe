"""Reading items: by id, by stamp, and whether they are where they were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cirahub_sync.endpoints.base import RemoteItem, Unreadable, Whereabouts
from cirahub_sync.endpoints.exchange import codec, properties, wire
from cirahub_sync.endpoints.exchange.answers import GONE, Reply, failure
from cirahub_sync.endpoints.exchange.decoding import decode
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.exchange.wire import Element, UnreadableError
from cirahub_sync.errors import ProtocolError
from cirahub_sync.model.contact import Contact
from cirahub_sync.model.kind import Content

FETCHED = 100
"""Items in one GetItem."""
_SOUGHT = 20
"""Stamps in one restriction."""
_LISTED = 500
"""Items in a page of a search; FindItem gives 1,000 at most."""


class Codec(Protocol):
    """How items of one kind are read."""

    element: str
    """What EWS calls one, `Contact` say."""

    def paths(self) -> Sequence[str]:
        """Every property that makes an item complete."""
        ...

    def decode(self, item: Element) -> Content: ...

    def blank(self) -> Content: ...


class ContactCodec:
    """Implements Codec."""

    element = "Contact"

    def __init__(self, custom_names: tuple[str, ...]) -> None:
        self.custom_names = custom_names
        self._paths = codec.paths(custom_names)

    def paths(self) -> Sequence[str]:
        return self._paths

    def decode(self, item: Element) -> Contact:
        return decode(item, self.custom_names)

    def blank(self) -> Contact:
        return Contact()


class ItemReader:
    """The items of one place."""

    def __init__(self, session: ExchangeSession, place: Place, kind: Codec) -> None:
        self._session = session
        self._place = place
        self._kind = kind
        self.shape = wire.shape(kind.paths())
        self._what = f"connection {session.connection.name}: {place}"

    def item(self, element: Element) -> RemoteItem:
        """Raises UnreadableError, and ValueError for fields that make no sense."""
        id_, key = wire.id_of(element)
        return RemoteItem(
            id=id_,
            etag=key,
            content=self._kind.decode(element),
            stamp=properties.values(element).get(properties.STAMP_KEY, ""),
            created=seconds(wire.text_at(element, "DateTimeCreated")),
            modified=seconds(wire.text_at(element, "LastModifiedTime")),
        )

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        """One request for 100 items, wherever they are. What is none of this kind is gone."""
        found: dict[str, RemoteItem | Unreadable | None] = {}
        for chunk, reply in await self.got(ids, self.shape):
            for each, message in zip(chunk, reply.messages, strict=True):
                if message.code in GONE:
                    found[each] = None
                elif not message.ok:
                    found[each] = Unreadable(each, f"Exchange answered {reply.told(message)}")
                else:
                    element = next(iter(message.items()), None)
                    found[each] = self._read(each, element, reply)
        return found

    def _read(
        self,
        item: str,
        element: Element | None,
        reply: Reply,
    ) -> RemoteItem | Unreadable | None:
        if element is None or wire.name_of(element) != self._kind.element:
            return None
        try:
            return self.item(element)
        except (UnreadableError, ValueError, TypeError):
            return Unreadable(
                item, f"fields that an item of this kind does not have: request {reply.request_id}"
            )

    async def keys(self, ids: Sequence[str]) -> Mapping[str, str | None]:
        """The change keys that items have now; None for those that are gone."""
        found: dict[str, str | None] = {}
        for chunk, reply in await self.got(ids, wire.shape()):
            for each, message in zip(chunk, reply.messages, strict=True):
                if message.code in GONE:
                    found[each] = None
                elif message.ok and (element := next(iter(message.items()), None)) is not None:
                    found[each] = wire.id_of(element)[1]
                else:
                    raise failure(reply, self._what, self._place.seat.rights, message)
        return found

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        """Exchange gives an item another id when it moves, into the bin as well: one whose id is
        still known is here, every other is gone from here."""
        found: dict[str, Whereabouts] = {}
        shape = wire.shape((wire.field("item:ParentFolderId"),))
        for chunk, reply in await self.got(ids, shape):
            for each, message in zip(chunk, reply.messages, strict=True):
                found[each] = self._whereabouts(reply, message)
        return found

    def _whereabouts(self, reply: Reply, message: wire.Message) -> Whereabouts:
        if message.code in GONE:
            return Whereabouts.GONE
        element = next(iter(message.items()), None) if message.ok else None
        if element is None:
            raise failure(reply, self._what, self._place.seat.rights, message)
        parent = element.find(f"{wire.TYPES}ParentFolderId")
        here = parent is not None and parent.get("Id") == self._place.folder
        return Whereabouts.HERE if here else Whereabouts.MOVED

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """Two requests for 20 stamps."""
        found: dict[str, list[RemoteItem]] = {key: [] for key in keys}
        for start in range(0, len(keys), _SOUGHT):
            sought = list(keys[start : start + _SOUGHT])
            async for item in self._search(properties.stamp_equals(sought)):
                if item.stamp in found:
                    found[item.stamp].append(item)
        return found

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        async for item in self._search(properties.stamp_exists()):
            if item.stamp:
                yield item

    async def _search(self, restriction: str) -> AsyncIterator[RemoteItem]:
        """Items of this folder. One whose fields can't be read comes without content: that it
        exists is what counts here, lest it be created once more."""
        shape = wire.shape((properties.STAMP,))
        offset: int | None = 0
        while offset is not None:
            operation = (
                f'<m:FindItem Traversal="Shallow">{shape}<m:IndexedPageItemView '
                f'MaxEntriesReturned="{_LISTED}" Offset="{offset}" BasePoint="Beginning"/>'
                f"<m:Restriction>{restriction}</m:Restriction>"
                f"<m:ParentFolderIds>{self._place.folder_id}</m:ParentFolderIds></m:FindItem>"
            ).encode()
            reply = await self._session.read(self._place.seat, operation, what=self._what)
            message = reply.messages[0]
            if not message.ok:
                raise failure(reply, self._what, self._place.seat.rights, message)
            listed = {
                wire.id_of(element)[0]: element
                for element in message.items()
                if wire.name_of(element) == self._kind.element
            }
            for id_, item in (await self.fetch(list(listed))).items():
                if isinstance(item, RemoteItem):
                    yield item
                elif item is not None:
                    stamp = properties.values(listed[id_]).get(properties.STAMP_KEY, "")
                    key = wire.id_of(listed[id_])[1]
                    yield RemoteItem(id=id_, etag=key, content=self._kind.blank(), stamp=stamp)
            offset = wire.next_offset(message)

    async def got(
        self, ids: Sequence[str], shape: str, *, written: Callable[[str], str] = wire.item_id
    ) -> Sequence[tuple[Sequence[str], Reply]]:
        """A GetItem for each 100 ids, and its reply, which has a message for each. `written`: an id
        as a request has it."""
        found: list[tuple[Sequence[str], Reply]] = []
        for start in range(0, len(ids), FETCHED):
            chunk = ids[start : start + FETCHED]
            operation = (
                f"<m:GetItem>{shape}<m:ItemIds>{''.join(map(written, chunk))}</m:ItemIds>"
                "</m:GetItem>"
            ).encode()
            reply = await self._session.read(self._place.seat, operation, what=self._what)
            if len(reply.messages) != len(chunk):
                raise ProtocolError(
                    f"{self._what}: {len(reply.messages)} answers to {len(chunk)} questions "
                    f"({reply.summary}); will be tried again"
                )
            found.append((chunk, reply))
        return found


def seconds(timestamp: str) -> float | None:
    """POSIX seconds of an xs:dateTime; None for none, or for one that makes no sense."""
    if not timestamp:
        return None
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return None
