"""What changed in a folder since a sync state.

[MS-OXWSSYNC] 3.1.4.2. SyncFolderItems leaves out or cuts short what is long, and answers bodies on
some servers only, so that it is asked for ids and change keys alone; what changed is then read by
GetItem.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from lxml import etree

from cirahub_sync.endpoints.base import Change, KnownEtags, Page, RemoteItem, Removed
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.answers import Reply, failure
from cirahub_sync.endpoints.exchange.items import ItemReader
from cirahub_sync.endpoints.exchange.place import Place, plain
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.exchange.wire import MESSAGES, Element
from cirahub_sync.errors import CursorExpiredError, ProtocolError
from cirahub_sync.model.kind import Content

PAGE_SIZE = 512
"""The most that MaxChangesReturned takes."""
_ROUND, _SINCE = "round", "since"


class _Told(NamedTuple):
    id: str
    key: str | None
    """Its change key; None: it is gone."""
    passes: bool
    """Whether it is worth reading if it is not known."""


class DeltaReader:
    """Rounds of changes of one place."""

    def __init__(
        self,
        session: ExchangeSession,
        place: Place,
        items: ItemReader,
        *,
        element: str,
        blank: Content,
        paths: Sequence[str] = (),
        passes: Callable[[Element], bool] | None = None,
    ) -> None:
        """`element`: what EWS calls the items that count. A folder may hold others: distribution
        lists, documents. `paths` are told of each, and by them `passes` says which of those that
        are not known are worth reading; None: all."""
        self._session = session
        self._place = place
        self._items = items
        self._element = element
        self._blank = blank
        self._shape = wire.shape(paths)
        self._passes = passes
        self._what = f"connection {session.connection.name}: {place}"

    async def pages(self, resume: str | None, known: KnownEtags) -> AsyncIterator[Page]:
        """One request a page, and one for 100 items that changed; of a round from nothing, echoes
        are read too."""
        kind, state = self._resumed(resume) if resume is not None else (_ROUND, "")
        while True:
            reply = await self._session.read(
                self._place.seat, self._operation(state), what=self._what
            )
            message = reply.messages[0].element
            if not reply.messages[0].ok:
                raise failure(reply, self._what, self._place.seat.rights, reply.messages[0])
            following = message.findtext(f"{MESSAGES}SyncState") or ""
            last = message.findtext(f"{MESSAGES}IncludesLastItemInRange") == "true"
            if not following or (not last and following == state):
                raise ProtocolError(
                    f"{self._what}: a sync state that leads nowhere ({reply.summary}); will be "
                    "tried again"
                )
            state = following
            changes = await self._changes(message, reply, known, whole=kind == _ROUND)
            token = f"{plain(self._place.folder)} {_SINCE if last else kind} {state}"
            if last:
                yield Page(changes=changes, cursor=token)
                return
            yield Page(changes=changes, next=token)

    def _operation(self, state: str) -> bytes:
        given = f"<m:SyncState>{wire.escaped(state)}</m:SyncState>" if state else ""
        return (
            f"<m:SyncFolderItems>{self._shape}<m:SyncFolderId>{self._place.folder_id}"
            f"</m:SyncFolderId>{given}<m:MaxChangesReturned>{PAGE_SIZE}</m:MaxChangesReturned>"
            "</m:SyncFolderItems>"
        ).encode()

    async def _changes(
        self, message: Element, reply: Reply, known: KnownEtags, *, whole: bool
    ) -> list[Change]:
        """In the order of the answer; those that are not our own echo completed, or all of them
        (`whole`)."""
        told: list[_Told] = []
        listed = message.find(f"{MESSAGES}Changes")
        for change in () if listed is None else listed.iterchildren(etree.Element):
            told += self._told(change, reply)
        etags = known([one.id for one in told if one.key is not None])
        told = [one for one in told if one.passes or one.id in etags]
        incomplete = [
            id_ for id_, key, _ in told if key is not None and (whole or etags.get(id_) != key)
        ]
        complete = await self._items.fetch(list(dict.fromkeys(incomplete)))
        changes: list[Change] = []
        for id_, key, _ in told:
            if key is None:
                changes.append(Removed(id_))
            elif id_ in complete:
                changes.append(complete[id_] or Removed(id_))
            else:
                changes.append(RemoteItem(id=id_, etag=key, content=self._blank))
        return changes

    def _told(self, change: Element, reply: Reply) -> list[_Told]:
        kind = wire.name_of(change)
        try:
            if kind == "Delete":
                return [_Told(wire.id_of(change)[0], None, passes=True)]
            if kind in ("Create", "Update"):
                return [
                    _Told(*wire.id_of(item), passes=self._passes is None or self._passes(item))
                    for item in change.iterchildren(etree.Element)
                    if wire.name_of(item) == self._element
                ]
        except wire.UnreadableError as error:
            raise ProtocolError(
                f"{self._what}: an item without an id ({reply.summary}); will be tried again"
            ) from error
        return []  # ReadFlagChange: of messages

    def _resumed(self, token: str) -> tuple[str, str]:
        """Whether it is of a round from nothing, and the sync state."""
        folder, _, rest = token.partition(" ")
        kind, _, state = rest.partition(" ")
        if folder != plain(self._place.folder) or kind not in (_ROUND, _SINCE) or not state:
            raise CursorExpiredError(
                f"{self._what}: the stored sync state is of another folder; the round starts from "
                "nothing"
            )
        return kind, state
