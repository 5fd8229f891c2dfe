"""Sending writes: batches of one kind each, every item with an outcome of its own, nothing twice.

What is known of an operation after its answer is what the outcome says. An answer that did not
come, or came from something on the way (5xx without a message), leaves open whether it took effect:
UNKNOWN. What a server says before it looks at an item (it is busy, the store is not available) is
RETRY.

UpdateItem compares the change key and refuses one that is not the item's own (`NeverOverwrite`:
https://learn.microsoft.com/exchange/client-developer/web-service-reference/updateitem). DeleteItem
compares none, so that keys are looked at just before; what changes in between is deleted.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from cirahub_sync.endpoints.attempts import AnswerLostError, NotSentError
from cirahub_sync.endpoints.base import (
    Create,
    Delete,
    Fence,
    Operation,
    Outcome,
    RemoteItem,
    Result,
    Unreadable,
    Update,
)
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.answers import (
    DEFAULT_BACK_OFF,
    GONE,
    NOT_DONE,
    PLACE,
    STALE,
    THROTTLED,
    UNCERTAIN,
    Reply,
    failure,
)
from cirahub_sync.endpoints.exchange.capabilities import BATCH_SIZE
from cirahub_sync.endpoints.exchange.items import ItemReader
from cirahub_sync.endpoints.exchange.place import Place
from cirahub_sync.endpoints.exchange.session import ExchangeSession
from cirahub_sync.endpoints.waves import Indexed, Sent, alike, in_waves
from cirahub_sync.errors import CirahubError
from cirahub_sync.model.kind import Content

BATCHES = 2
"""Requests that are on their way to one folder at a time."""


class Letters(Protocol):
    """What operations on items of one kind are to EWS."""

    create_attributes: bytes
    update_attributes: bytes
    delete_attributes: bytes
    """Of the requests, each with a blank before it: who is told of an appointment."""
    looks_first: bool
    """Whether every item is looked at before it is updated, so that there always is a change key
    that it has to have still."""

    async def screened(
        self, operations: Sequence[Indexed]
    ) -> tuple[Sequence[Indexed], list[Outcome]]:
        """What of a batch is left to send, and what became of the rest."""
        ...

    async def settled(
        self, operations: Sequence[Indexed], outcomes: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        """The outcomes of a batch, when everything that belongs to it has been written."""
        ...

    def item(self, operation: Create) -> bytes:
        """The new item, with its stamp."""
        ...

    def key(self, operation: Update) -> str:
        """The change key that the item has to have still; blank: any."""
        ...

    def updates(self, operation: Update) -> bytes:
        """What stands in the `Updates` of an ItemChange."""
        ...

    def meant(self, operation: Create | Update) -> Content:
        """What the item is after it, if the service takes it as it is."""
        ...


class Batch(NamedTuple):
    """Operations that go in one request: of one kind, to items each of which is in it once."""

    kind: str
    operations: Sequence[Indexed]


class Outbox:
    """Sends operations to one folder."""

    def __init__(
        self,
        session: ExchangeSession,
        place: Place,
        items: ItemReader,
        letters: Letters,
        fence: Fence,
    ) -> None:
        self._session = session
        self._place = place
        self._items = items
        self._letters = letters
        self._fence = fence
        self._what = f"connection {session.connection.name}: {place}"

    def push(self, operations: Sequence[Operation]) -> AsyncGenerator[Sequence[Outcome], None]:
        return in_waves(operations, _batches, self._send, most=BATCHES)

    async def _send(self, batch: Batch) -> Sent:
        try:
            left, early = await self._letters.screened(batch.operations)
        except CirahubError as error:
            return Sent((), error)
        if not left:
            return Sent(early)
        try:
            reply = await self._session.write(
                self._place.seat, self._request(batch.kind, left), fence=self._fence
            )
        except NotSentError as error:
            return Sent([*early, *alike(left, Result.RETRY, str(error))])
        except AnswerLostError as error:
            return Sent([*early, *alike(left, Result.UNKNOWN, str(error))])
        except CirahubError as error:
            return Sent(early, error)
        sent = await self._sent(batch.kind, left, reply)
        settled = await self._letters.settled(left, sent.outcomes)
        return Sent([*early, *settled], sent.broken)

    def _request(self, kind: str, operations: Sequence[Indexed]) -> bytes:
        inside = b"".join(self._part(operation) for _, operation in operations)
        folder = self._place.folder_id.encode()
        match kind:
            case "Create":
                return (
                    b"<m:CreateItem%b><m:SavedItemFolderId>%b</m:SavedItemFolderId><m:Items>%b"
                    b"</m:Items></m:CreateItem>"
                ) % (self._letters.create_attributes, folder, inside)
            case "Delete" | "DeleteForGood":
                disposal = b"HardDelete" if kind == "DeleteForGood" else b"MoveToDeletedItems"
                return (
                    b'<m:DeleteItem DeleteType="%b"%b><m:ItemIds>%b</m:ItemIds></m:DeleteItem>'
                    % (
                        disposal,
                        self._letters.delete_attributes,
                        inside,
                    )
                )
            case _:
                compared = kind == "Update" or self._letters.looks_first
                resolution = b"NeverOverwrite" if compared else b"AlwaysOverwrite"
                return (
                    b'<m:UpdateItem ConflictResolution="%b"%b><m:ItemChanges>%b</m:ItemChanges>'
                    b"</m:UpdateItem>"
                ) % (resolution, self._letters.update_attributes, inside)

    def _part(self, operation: Operation) -> bytes:
        match operation:
            case Create():
                return self._letters.item(operation)
            case Update():
                return b"<t:ItemChange>%b<t:Updates>%b</t:Updates></t:ItemChange>" % (
                    wire.item_id(operation.id, self._letters.key(operation)).encode(),
                    self._letters.updates(operation),
                )
            case Delete():
                return wire.item_id(operation.id).encode()

    async def _sent(self, kind: str, operations: Sequence[Indexed], reply: Reply) -> Sent:
        if not reply.ok:
            return self._refused_whole(operations, reply)
        if len(reply.messages) != len(operations):
            why = f"{len(reply.messages)} answers to {len(operations)} items: {reply.summary}"
            return Sent(alike(operations, Result.UNKNOWN, why))
        outcomes: list[Outcome] = []
        done: dict[str, tuple[int, Create | Update, str]] = {}
        refused: list[tuple[int, wire.Message]] = []
        for (index, operation), message in zip(operations, reply.messages, strict=True):
            if message.code in PLACE:
                refused.append((index, message))
            elif not message.ok or isinstance(operation, Delete):
                outcomes.append(_outcome(index, operation, reply, message))
            else:
                try:
                    element = next(message.items(), None)
                    id_, key = wire.id_of(element) if element is not None else ("", "")
                except wire.UnreadableError:
                    id_, key = "", ""
                if id_:
                    done[id_] = (index, operation, key)
                else:
                    why = f"done, but without an id: {reply.summary}"
                    outcomes.append(Outcome(index=index, result=Result.UNKNOWN, error=why))
        outcomes += await self._read_back(done)
        if refused and not any(one.result is Result.DONE for one in outcomes):
            broken = failure(reply, self._what, self._place.seat.rights, refused[0][1])
            return Sent(outcomes, broken)
        outcomes += [
            Outcome(index=index, result=Result.REJECTED, error=reply.told(message))
            for index, message in refused
        ]
        return Sent(outcomes)

    def _refused_whole(self, operations: Sequence[Indexed], reply: Reply) -> Sent:
        """A fault, or an answer that is the web server's own."""
        if reply.code in THROTTLED or reply.status == 429:
            wait = reply.back_off or DEFAULT_BACK_OFF
            return Sent(alike(operations, Result.RETRY, reply.summary, wait))
        if reply.code in NOT_DONE:
            return Sent(alike(operations, Result.RETRY, reply.summary, reply.back_off))
        if reply.code in UNCERTAIN or (not reply.code and reply.status >= 500):
            return Sent(alike(operations, Result.UNKNOWN, reply.summary))
        return Sent((), failure(reply, self._what, self._place.seat.rights))

    async def _read_back(
        self, done: Mapping[str, tuple[int, Create | Update, str]]
    ) -> list[Outcome]:
        """What became of the items: a write is answered with ids alone. Of one that was changed
        once more meanwhile, what is acknowledged is what we wrote, under its own key: the delta
        shows the rest."""
        if not done:
            return []
        try:
            found = await self._items.fetch(list(done))
        except CirahubError as error:
            # Whatever keeps us from reading, also a right or a password that was taken away
            # meanwhile: it was written.
            return [
                Outcome(index=index, result=Result.UNKNOWN, error=f"done, but not read: {error}")
                for index, _, _ in done.values()
            ]
        outcomes: list[Outcome] = []
        for id_, (index, operation, key) in done.items():
            item = found.get(id_)
            if item is None or isinstance(item, Unreadable) or (key and item.etag != key):
                stamp = operation.key if isinstance(operation, Create) else ""
                content = self._letters.meant(operation)
                item = RemoteItem(id=id_, etag=key, content=content, stamp=stamp)
            outcomes.append(Outcome(index=index, result=Result.DONE, item=item))
        return outcomes


def _outcome(index: int, operation: Operation, reply: Reply, message: wire.Message) -> Outcome:
    """Of a delete, or of what was not done."""
    told, wait = reply.told(message), message.back_off
    if message.ok:
        return Outcome(index=index, result=Result.DONE)
    if message.code in GONE:
        return Outcome.gone(index, operation, told)
    if message.code in STALE:
        return Outcome(index=index, result=Result.STALE, error=told)
    if message.code in NOT_DONE:
        if message.code in THROTTLED:
            wait = wait or DEFAULT_BACK_OFF
        return Outcome(index=index, result=Result.RETRY, error=told, retry_after=wait)
    result = Result.UNKNOWN if message.code in UNCERTAIN else Result.REJECTED
    return Outcome(index=index, result=result, error=told)


def _kind(operation: Operation) -> str:
    match operation:
        case Create():
            return "Create"
        case Update():
            return "Update" if operation.etag else "Overwrite"
        case Delete():
            return "DeleteForGood" if operation.permanent else "Delete"


def _batches(wave: Iterable[Indexed]) -> list[Batch]:
    """In the order in which each kind comes first."""
    kinds: dict[str, list[Indexed]] = {}
    for index, operation in wave:
        kinds.setdefault(_kind(operation), []).append((index, operation))
    return [
        Batch(kind, operations[start : start + BATCH_SIZE])
        for kind, operations in kinds.items()
        for start in range(0, len(operations), BATCH_SIZE)
    ]
