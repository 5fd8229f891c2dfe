"""What has changed in an address book since a cursor.

By sync-collection (RFC 6578) where the server has it. Where it has not, by the book's `getctag`:
while that stays, nothing has changed; then by the etags of all items, which the cursor carries
along. Either way contents are asked for only of what is new, or of all in a round from nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cirahub_sync.endpoints.base import Change, KnownEtags, Page, RemoteItem, Removed
from cirahub_sync.endpoints.carddav import wire
from cirahub_sync.endpoints.carddav.answers import read, summary, unmet
from cirahub_sync.endpoints.carddav.books import Book
from cirahub_sync.endpoints.carddav.items import ItemReader
from cirahub_sync.endpoints.carddav.session import Call, CardDavSession
from cirahub_sync.endpoints.graph.answers import Answer
from cirahub_sync.errors import CursorExpiredError, ProtocolError
from cirahub_sync.model.contact import Contact

_TRUNCATED = 507
"""RFC 6578 3.6: the rest comes with the token that was given."""
_NO_REPORT = frozenset({400, 403, 404, 405, 415, 501})
"""What servers say to a report that they don't have; RFC 3253 3.6 has 403 with supported-report.
An address book that is not there says 404 to the listing, too."""


class _Since(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cursor, or how to go on in a round."""

    book: str
    token: str = ""
    """Of sync-collection; blank where the round begins from nothing, and in the other way."""
    until: str = ""
    """The token that ends the round, of a first answer to it that was not read to its end."""
    whole: bool = False
    """Whether the round is one from nothing, in which everything is told whole."""
    after: str = ""
    """The last id that was told in this answer."""
    listed: bool = False
    """By listing, not by sync-collection."""
    ctag: str = ""
    etags: dict[str, str] = {}
    """What was there by id: digests of etags."""


_cursors = msgspec.json.Decoder(_Since)


class DeltaReader:
    """Of one address book."""

    def __init__(
        self, session: CardDavSession, book: Book, items: ItemReader, *, page: int
    ) -> None:
        """`page`: how many items a page has at most."""
        self._session = session
        self._book = book
        self._items = items
        self._page = page
        self._what = items.what

    async def pages(self, resume: str | None, known: KnownEtags) -> AsyncIterator[Page]:
        since = self._resumed(resume)
        if not since.listed:
            answer = await self._report(since.token)
            if since.token or since.until or not self._is_without(answer):
                async for page in self._synced(since, answer, known):
                    yield page
                return
        async for page in self._compared(since, known):
            yield page

    def _resumed(self, resume: str | None) -> _Since:
        if resume is None:
            return _Since(book=self._book.path, whole=True)
        try:
            since = _cursors.decode(resume)
        except msgspec.DecodeError:
            since = None
        if since is None or since.book != self._book.path:
            raise CursorExpiredError(
                f"{self._what}: the cursor is of another address book; the round starts from "
                "nothing"
            )
        if since.listed and since.after:
            # What was told of the first pages and has gone since would never be told as gone.
            raise CursorExpiredError(
                f"{self._what}: a comparison was interrupted; the round starts from nothing"
            )
        return since

    # By sync-collection

    async def _report(self, token: str) -> Answer:
        call = Call.dav("REPORT", self._book.path, wire.sync_collection(token))
        return await self._session.ask(call, what=self._what, lane=self._book.lane)

    def _is_without(self, answer: Answer) -> bool:
        return answer.status in _NO_REPORT and "valid-sync-token" not in unmet(answer)

    async def _synced(
        self, since: _Since, answer: Answer, known: KnownEtags
    ) -> AsyncIterator[Page]:
        while True:
            told = read(self._judged(answer, since), self._what)
            if not told.token:
                raise ProtocolError(f"{self._what}: a sync-collection without a token")
            truncated = any(
                one.status == _TRUNCATED and one.path.rstrip("/") == self._book.path.rstrip("/")
                for one in told.found
            )
            following = since.until or told.token
            etags: dict[str, str | None] = {
                one.id: one.etag for one in self._items.listed(told.found)
            }
            for one in told.found:
                if one.status in (404, 410) and (id_ := self._items.id_of(one)):
                    etags.setdefault(id_, None)
            left = sorted(id_ for id_ in etags if id_ > since.after)
            while len(left) > self._page:
                some, left = left[: self._page], left[self._page :]
                changes = await self._changes(some, etags, known, whole=since.whole)
                since = msgspec.structs.replace(since, after=some[-1], until=following)
                yield Page(changes=changes, next=_text(since))
            changes = await self._changes(left, etags, known, whole=since.whole)
            if not truncated:
                yield Page(
                    changes=changes, cursor=_text(_Since(book=self._book.path, token=following))
                )
                return
            if following == since.token:
                raise ProtocolError(f"{self._what}: a sync token that leads nowhere")
            since = _Since(book=self._book.path, token=following, whole=since.whole)
            yield Page(changes=changes, next=_text(since))
            answer = await self._report(since.token)

    def _judged(self, answer: Answer, since: _Since) -> Answer:
        """Some forget a token without saying so by RFC 6578 3.2: it is the token that is given up
        first, and a book that has gone shows in the round from nothing."""
        if answer.status in (400, 403, 409, 410, 412) and since.token:
            raise CursorExpiredError(
                f"{self._what}: the CardDAV server does not take the sync token (it answered "
                f"{summary(answer)}); the round starts from nothing"
            )
        return answer

    # By ctag and etags

    async def _compared(self, since: _Since, known: KnownEtags) -> AsyncIterator[Page]:
        ctag = await self._ctag()
        if since.ctag and ctag == since.ctag:
            yield Page(changes=(), cursor=_text(since))
            return
        listed = await self._items.listing()
        etags = {one.id: _digest(one.etag) for one in listed}
        told: dict[str, str | None] = {
            one.id: one.etag for one in listed if since.etags.get(one.id) != etags[one.id]
        }
        told |= {id_: None for id_ in since.etags if id_ not in etags}
        left = sorted(told)
        while len(left) > self._page:
            some, left = left[: self._page], left[self._page :]
            changes = await self._changes(some, told, known, whole=since.whole)
            under_way = _Since(book=self._book.path, listed=True, after=some[-1])
            yield Page(changes=changes, next=_text(under_way))
        changes = await self._changes(left, told, known, whole=since.whole)
        ended = _Since(book=self._book.path, listed=True, ctag=ctag, etags=etags)
        yield Page(changes=changes, cursor=_text(ended))

    async def _ctag(self) -> str:
        """Blank where there is none: then the etags are compared every time."""
        answer = await self._session.find(
            self._book.path, [wire.CTAG], what=self._what, lane=self._book.lane
        )
        return next((ctag for one in answer.found if (ctag := one.text(wire.CTAG))), "")

    # Both

    async def _changes(
        self,
        ids: Sequence[str],
        etags: dict[str, str | None],
        known: KnownEtags,
        *,
        whole: bool,
    ) -> list[Change]:
        """Those that are not our own echo completed, or all of them (`whole`). In a round from
        nothing, what is not there is not told."""
        there = [id_ for id_ in ids if etags[id_] is not None]
        ours: Mapping[str, str] = {} if whole else known(there)
        asked = [id_ for id_ in there if not etags[id_] or ours.get(id_) != etags[id_]]
        complete = await self._items.fetch(asked)
        changes: list[Change] = []
        for id_ in ids:
            etag = etags[id_]
            found = complete.get(id_)
            if found is not None:
                changes.append(found)
            elif etag is not None and id_ not in complete:
                changes.append(RemoteItem(id=id_, etag=etag, content=Contact()))
            elif not whole:
                changes.append(Removed(id_))
        return changes


def _digest(etag: str) -> str:
    return hashlib.blake2b(etag.encode(), digest_size=6).hexdigest()


def _text(since: _Since) -> str:
    return msgspec.json.encode(since).decode()
