"""What changed in a folder since a delta token.

https://learn.microsoft.com/graph/api/contact-delta. A delta answer has no extended properties
(FACTS: `$expand` does not work there), so changed items are completed: one by one in batches, or,
where a page has many, by one listing of the folder's properties. What is listed counts for an item
only while its etag is the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.base import Change, KnownEtags, Page, Removed, Unreadable
from cirahub_sync.endpoints.graph import codec, wire
from cirahub_sync.endpoints.graph.answers import Answer, read
from cirahub_sync.endpoints.graph.items import ItemReader, etag, read_page
from cirahub_sync.endpoints.graph.place import ROLES, Place, expand, query
from cirahub_sync.endpoints.graph.session import GraphSession
from cirahub_sync.endpoints.graph.wire import WireContact
from cirahub_sync.errors import CursorExpiredError, ProtocolError

PAGE_SIZE = 500
"""Asked for by `odata.maxpagesize`; the service may give less."""
_LISTING_TOP = 1000
"""The most that `$top` takes (github.com/microsoftgraph/microsoft-graph-docs, issue 4798)."""
_LIST_FROM = 200
"""So many incomplete items in one page are completed by a listing; in a round from nothing, where
the folder holds little else, more than a batch of them."""
_LIST_FROM_NOTHING = 20

_Listing = Mapping[str, tuple[str, Mapping[str, str]]]
"""By item id: its etag, and its extended properties by canonical id."""


class DeltaReader:
    """Rounds of changes of one place."""

    def __init__(
        self,
        session: GraphSession,
        place: Place,
        items: ItemReader,
        custom_names: tuple[str, ...],
    ) -> None:
        self._session = session
        self._place = place
        self._items = items
        self._expand = expand(custom_names)
        self._what = f"connection {session.connection.name}: {place}"

    async def pages(self, resume: str | None, known: KnownEtags) -> AsyncIterator[Page]:
        """One request a page; one for 20 changed items, or for 1,000 items of the folder."""
        path: str | None = (
            self._resumed(resume)
            if resume is not None
            else f"/v1.0{self._place.folder_path}/contacts/delta"
        )
        list_from = _LIST_FROM if resume is not None else _LIST_FROM_NOTHING
        listing: _Listing | None = None
        while path is not None:
            answer = await self._session.get(
                self._place.mailbox,
                path,
                what=self._what,
                role=ROLES,
                prefer=(f"odata.maxpagesize={PAGE_SIZE}",),
            )
            contacts, links = read_page(answer, self._what)
            told = [
                each for each in contacts if isinstance(each, WireContact) and each.removed is None
            ]
            etags = known([each.id for each in told])
            incomplete = [
                each for each in told if not etag(each) or etags.get(each.id) != etag(each)
            ]
            if listing is None and len(incomplete) > list_from:
                listing = await self._list()
            completed = await self._complete(incomplete, listing or {})
            changes = [self._change(each, completed, answer) for each in contacts]
            path = self._session.path(links.next) if links.next else None
            if path is not None:
                yield Page(changes=changes, next=self._token(path))
            elif links.delta:
                cursor = self._token(self._session.path(links.delta))
                yield Page(changes=changes, cursor=cursor)
            else:
                raise ProtocolError(
                    f"{self._what}: a delta page has neither a next nor a delta link "
                    f"({answer.summary}); will be tried again"
                )

    async def _complete(
        self, incomplete: Sequence[WireContact], listing: _Listing
    ) -> Mapping[str, Change]:
        """The changes that incomplete items are, once their extended properties are known."""
        completed: dict[str, Change] = {}
        to_fetch: dict[str, WireContact] = {}
        for each in incomplete:
            listed = listing.get(each.id)
            if listed is not None and listed[0] == etag(each):
                completed[each.id] = self._items.item(each, listed[1])
            else:
                to_fetch[each.id] = each
        if to_fetch:
            for item, got in (await self._items.contacts(list(to_fetch))).items():
                if isinstance(got, WireContact):
                    left = _left(to_fetch[item], got)
                    completed[item] = Removed(item) if left else self._items.complete(got)
                else:
                    completed[item] = got or Removed(item)
        return completed

    def _change(
        self,
        each: WireContact | msgspec.Raw,
        completed: Mapping[str, Change],
        answer: Answer,
    ) -> Change:
        if isinstance(each, WireContact):
            if each.removed is not None:
                return Removed(each.id)
            return completed.get(each.id) or self._items.item(each, {})
        try:
            key = wire.ITEM_KEY.decode(each)
        except wire.UNREADABLE as error:
            raise ProtocolError(
                f"{self._what}: an item without an id ({answer.summary}); will be tried again"
            ) from error
        if key.removed is not None:
            return Removed(key.id)
        return Unreadable(
            key.id, f"fields of a kind that a contact does not have: {answer.summary}"
        )

    async def _list(self) -> _Listing:
        listing: dict[str, tuple[str, Mapping[str, str]]] = {}
        path: str | None = (
            f"/v1.0{self._place.folder_path}/contacts?"
            f"{query(select='id', top=_LISTING_TOP)}&{self._expand}"
        )
        while path is not None:
            answer = await self._session.get(self._place.mailbox, path, what=self._what, role=ROLES)
            page = read(wire.STUB_PAGE, answer, self._what)
            for each in page.value:
                listing[each.id] = (each.etag, codec.values(each.single_value_extended_properties))
            path = self._session.path(page.next) if page.next else None
        return listing

    def _token(self, path: str) -> str:
        """Bound to the place, so that it can't be used for another. Ids contain no blank."""
        return f"{self._place.mailbox} {self._place.folder} {path}"

    def _resumed(self, token: str) -> str:
        mailbox, _, rest = token.partition(" ")
        folder, _, path = rest.partition(" ")
        if (mailbox, folder) != (self._place.mailbox, self._place.folder) or path[:1] != "/":
            raise CursorExpiredError(
                f"{self._what}: the stored delta token is of another mailbox or folder; "
                "the round starts from nothing"
            )
        return path


def _left(changed: WireContact, now: WireContact) -> bool:
    """Whether the item went elsewhere between the delta answer and the look at it."""
    return (
        changed.parent_folder_id is not None
        and now.parent_folder_id is not None
        and changed.parent_folder_id != now.parent_folder_id
    )
