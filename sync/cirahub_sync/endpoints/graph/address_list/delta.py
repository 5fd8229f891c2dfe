"""What changed in the address list since a cursor: the deltas of its kinds, one after the other.

https://learn.microsoft.com/graph/delta-query-overview. A cursor has a link for each kind. One
document says that an object which changed comes with all that was selected but what was never set,
another one that it comes at least with what has changed: what an entry leaves out is read from the
object itself, and what it tells counts before that, since the object may be answered by a replica
that lags. In a round from nothing, what is left out was never set; and who is not in the list is
passed over, so that a list in which nobody is left reads as empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence

import msgspec

from cirahub_sync.configuration import AddressListTarget, Listed
from cirahub_sync.endpoints.base import Change, Page, Removed
from cirahub_sync.endpoints.graph.address_list import wire
from cirahub_sync.endpoints.graph.address_list.listing import LISTINGS, Listing
from cirahub_sync.endpoints.graph.address_list.objects import ObjectReader
from cirahub_sync.endpoints.graph.answers import Answer, read
from cirahub_sync.endpoints.graph.place import DIRECTORY_LANE
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.errors import CursorExpiredError, ProtocolError

_encode = msgspec.json.Encoder().encode


class _Position(msgspec.Struct, array_like=True, frozen=True):
    """Where a reader stands."""

    tenant: str
    shape: str
    """A digest of what is read."""
    links: dict[Listed, str]
    """From where each kind is read on: a path below the origin."""
    left: tuple[Listed, ...]
    """Kinds of which this round is not over; empty between rounds."""
    fresh: bool
    """Whether this round is one from nothing."""


_decoder = msgspec.json.Decoder(_Position)


class ListDelta:
    """Rounds of changes of one address list."""

    def __init__(self, objects: ObjectReader) -> None:
        self._objects = objects
        self._session = objects.session
        self._target = objects.target
        self._what = objects.what
        self.left: set[str] = set()
        """Items of which a delta told that they are, and are not in the list (any more)."""
        self._shown: set[str] | None = None
        """Those that the round has shown, if it is one from nothing that began here."""

    async def pages(self, resume: str | None) -> AsyncIterator[Page]:
        """One request a page of each kind; besides, for 20 objects that came incomplete, one."""
        await self._objects.require_whole()
        self._shown = set() if resume is None else None
        position = self._start() if resume is None else self._resumed(resume)
        if not position.left:
            position = msgspec.structs.replace(position, left=self._target.include)
        while position.left:
            kind = position.left[0]
            listing = LISTINGS[kind]
            answer = await self._session.get(
                DIRECTORY_LANE, position.links[kind], what=self._what, role=listing.role
            )
            page = read(wire.PAGE, answer, self._what)
            changes = await self._changes(listing, page.value, answer, fresh=position.fresh)
            link = page.next or page.delta
            if link is None:
                raise ProtocolError(
                    f"{self._what}: a delta page has neither a next nor a delta link "
                    f"({answer.summary}); will be tried again"
                )
            position = msgspec.structs.replace(
                position,
                links=position.links | {kind: self._session.path(link)},
                left=position.left if page.next else position.left[1:],
            )
            if position.left:
                yield Page(changes=changes, next=_encode(position).decode())
            else:
                position = msgspec.structs.replace(position, fresh=False)
                yield Page(changes=changes, cursor=_encode(position).decode())

    async def _changes(
        self, listing: Listing, raws: Sequence[msgspec.Raw], answer: Answer, *, fresh: bool
    ) -> Sequence[Change]:
        """Of each entry, in their order."""
        keys = [self._key(raw, answer) for raw in raws]
        told: list[bytes | msgspec.Raw | None] = [
            None if key.removed is not None else raw for key, raw in zip(keys, raws, strict=True)
        ]
        if not fresh:
            told = await self._completed(listing, keys, told)
        changes = [
            self._change(listing, key.id, body) for key, body in zip(keys, told, strict=True)
        ]
        return [change for change in changes if change is not None]

    def _change(
        self, listing: Listing, object_id: str, body: bytes | msgspec.Raw | None
    ) -> Change | None:
        item = listing.item(object_id)
        if body is None:
            return Removed(item)
        found = self._objects.item(listing, object_id, body)
        if found is None:
            self.left.add(item)
            unseen = self._shown is not None and item not in self._shown
            return None if unseen else Removed(item)
        self.left.discard(item)
        if self._shown is not None:
            self._shown.add(item)
        return found

    async def _completed(
        self,
        listing: Listing,
        keys: Sequence[wire.ObjectKey],
        told: Sequence[bytes | msgspec.Raw | None],
    ) -> list[bytes | msgspec.Raw | None]:
        """What was told, with what it left out; None for objects that are gone by now."""
        selected = set(listing.selected(self._target))
        members = [None if body is None else self._members(body) for body in told]
        incomplete = [
            at for at, some in enumerate(members) if some is not None and selected - some.keys()
        ]
        items = list(dict.fromkeys(listing.item(keys[at].id) for at in incomplete))
        bodies = await self._objects.bodies(listing, items) if items else {}
        completed = list(told)
        for at in incomplete:
            body = bodies[listing.item(keys[at].id)]
            completed[at] = None if body is None else self._overlaid(body, members[at] or {})
        return completed

    def _members(self, body: bytes | msgspec.Raw) -> wire.Members | None:
        try:
            return wire.MEMBERS.decode(body)
        except UNREADABLE:
            return None

    def _overlaid(self, body: bytes, told: wire.Members) -> bytes:
        whole = self._members(body)
        return body if whole is None else _encode(whole | told)

    def _key(self, raw: msgspec.Raw, answer: Answer) -> wire.ObjectKey:
        try:
            return wire.KEY.decode(raw)
        except UNREADABLE as error:
            raise ProtocolError(
                f"{self._what}: an object without an id ({answer.summary}); will be tried again"
            ) from error

    def _start(self) -> _Position:
        links = {kind: LISTINGS[kind].first_path(self._target) for kind in self._target.include}
        return _Position(self._tenant, _shape(self._target), links, self._target.include, True)

    @property
    def _tenant(self) -> str:
        return self._session.connection.tenant_id.lower()

    def _resumed(self, token: str) -> _Position:
        try:
            position = _decoder.decode(token)
        except UNREADABLE as error:
            raise CursorExpiredError(
                f"{self._what}: the stored cursor is none of an address list; the round starts "
                "from nothing"
            ) from error
        if (position.tenant, position.shape) != (self._tenant, _shape(self._target)):
            raise CursorExpiredError(
                f"{self._what}: the stored cursor is of another tenant, or of another choice of "
                "what is read; the round starts from nothing"
            )
        return position


def _shape(target: AddressListTarget) -> str:
    """Of what is read of the directory: a link keeps what its first request selected."""
    selected = {kind: LISTINGS[kind].selected(target) for kind in target.include}
    return hashlib.blake2b(_encode((target, selected)), digest_size=8).hexdigest()
