"""Reading items: by id, by stamp, and where they are."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime

import msgspec

from cirahub_sync.endpoints.base import RemoteItem, Unreadable, Whereabouts
from cirahub_sync.endpoints.carddav import codec, wire
from cirahub_sync.endpoints.carddav.answers import read
from cirahub_sync.endpoints.carddav.books import Book, Terms, terms_of
from cirahub_sync.endpoints.carddav.card import Card, CardError, parse
from cirahub_sync.endpoints.carddav.session import Call, CardDavSession
from cirahub_sync.endpoints.carddav.wire import Found
from cirahub_sync.errors import EndpointUnavailableError, ProtocolError

PAGE_SIZE = 100
"""Items that are asked for at once."""
_ITEMS = uuid.UUID("0d2a4c11-1be3-5f0e-8a3f-5d8c1f0f9b77")
"""Of the names of items that we make."""


def uid_of(stamp: str) -> str:
    """Of a card that we make: the same for every attempt at one create, so that a server takes it
    once (`If-None-Match: *`)."""
    return str(uuid.uuid5(_ITEMS, stamp))


def id_of(stamp: str) -> str:
    return f"{uid_of(stamp)}.vcf"


class Held(msgspec.Struct, frozen=True):
    """An item as the server holds it, whole."""

    card: Card
    item: RemoteItem


class Refused(Unreadable, frozen=True):
    """The server has it, and did not give it."""


class Listed(msgspec.Struct, frozen=True):
    """An item's etag, from a listing."""

    id: str
    etag: str


class ItemReader:
    """The items of one address book."""

    def __init__(
        self, session: CardDavSession, book: Book, what: str, custom_names: tuple[str, ...]
    ) -> None:
        self.what = what
        self._session = session
        self._book = book
        self._custom_names = custom_names
        self._terms: Terms | None = None

    async def terms(self) -> Terms:
        if self._terms is None:
            self._terms = await terms_of(self._session, self._book, self.what)
        return self._terms

    async def held(self, ids: Sequence[str]) -> Mapping[str, Held | Unreadable | None]:
        """Items by id; None for those that are gone, and for lists of members."""
        version = self._terms.version if self._terms is not None else "3.0"
        found: dict[str, Held | Unreadable | None] = dict.fromkeys(ids)
        for some in _chunks(ids, PAGE_SIZE):
            body = wire.multiget(map(self._book.item, some), version)
            call = Call.dav("REPORT", self._book.path, body)
            answer = await self._session.ask(call, what=self.what, lane=self._book.lane)
            for one in read(answer, self.what).found:
                id_ = self.id_of(one)
                if id_ in found:
                    found[id_] = self._held(id_, one)
        return found

    async def fetch(self, ids: Sequence[str]) -> Mapping[str, RemoteItem | Unreadable | None]:
        held = await self.held(ids)
        return {id_: one.item if isinstance(one, Held) else one for id_, one in held.items()}

    async def find(self, keys: Sequence[str]) -> Mapping[str, Sequence[RemoteItem]]:
        """By the names that their stamps give them."""
        found = await self.fetch([id_of(key) for key in keys])
        items = {key: found[id_of(key)] for key in keys}
        return {
            key: [item] if isinstance(item, RemoteItem) and item.stamp == key else []
            for key, item in items.items()
        }

    async def stamped(self) -> AsyncIterator[RemoteItem]:
        """All cards are read: no server need know a filter for a property of ours, and one that
        finds nothing by it would have copies made a second time."""
        ids = [one.id for one in await self.listing()]
        for some in _chunks(ids, PAGE_SIZE):
            for item in (await self.fetch(some)).values():
                if isinstance(item, Refused):
                    raise EndpointUnavailableError(
                        f"{self.what}: nobody can say whether an item there is a copy of ours "
                        f"({item.why}); will be tried again"
                    )
                if isinstance(item, RemoteItem) and item.stamp:
                    yield item

    async def locate(self, ids: Sequence[str]) -> Mapping[str, Whereabouts]:
        """There is no bin, and what was moved away has another id there."""
        there = await self.held(ids)
        return {id_: Whereabouts.GONE if there[id_] is None else Whereabouts.HERE for id_ in ids}

    async def listing(self) -> list[Listed]:
        """Every item with its etag, sorted by id."""
        answer = await self._session.find(
            self._book.path, [wire.ETAG], what=self.what, lane=self._book.lane, depth="1"
        )
        return sorted(self.listed(answer.found), key=lambda one: one.id)

    def listed(self, found: Sequence[Found]) -> Iterator[Listed]:
        for one in found:
            id_ = self.id_of(one)
            if id_ and one.status == 200:
                yield Listed(id_, one.text(wire.ETAG))

    def id_of(self, found: Found) -> str:
        """Blank for the address book itself. Raises ProtocolError for a link that leads out of it:
        taken for nothing, such links would make it one that reads empty."""
        if not found.path.startswith(self._book.path.rstrip("/")):
            raise ProtocolError(
                f"{self.what}: the server calls its items by another path than the address book's; "
                "name the path that it uses itself, or correct what stands between here and it"
            )
        return self._book.id_of(found.path)

    def _held(self, id_: str, found: Found) -> Held | Unreadable | None:
        if found.status in (404, 410):
            return None
        if found.status != 200 or wire.DATA not in found.properties:
            return Refused(id_, f"the server answered {found.status} for it")
        element = found.properties[wire.DATA]
        try:
            card = parse(element.text or "")
        except CardError as error:
            return Unreadable(id_, str(error))
        if codec.is_group(card):
            return None
        item = RemoteItem(
            id=id_,
            etag=found.text(wire.ETAG),
            content=codec.decode(card, self._custom_names),
            stamp=codec.stamp_of(card),
            modified=_moment(found.text(wire.MODIFIED)),
        )
        return Held(card, item)


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
