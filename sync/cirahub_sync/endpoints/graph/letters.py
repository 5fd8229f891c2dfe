"""Operations on contacts as Graph's requests, and requests as parts of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.endpoints.base import Create, Delete, Operation, Outcome, Result, Update
from cirahub_sync.endpoints.graph import codec, properties, wire
from cirahub_sync.endpoints.graph.answers import Answer
from cirahub_sync.endpoints.graph.items import ItemReader
from cirahub_sync.endpoints.graph.outbox import Chunk
from cirahub_sync.endpoints.graph.place import Place
from cirahub_sync.endpoints.graph.session import IMMUTABLE_IDS

_encoder = msgspec.json.Encoder()


class ContactLetters:
    """Of one folder."""

    def __init__(self, place: Place, items: ItemReader) -> None:
        self._place = place
        self._items = items
        self._create_head = head("POST", f"{place.folder_path}/contacts")

    async def screened(self, chunk: Chunk) -> tuple[Chunk, Sequence[Outcome]]:
        return chunk, ()

    def request(self, at: int, operation: Operation) -> bytes:
        match operation:
            case Create():
                body = codec.with_stamp(operation.body, operation.key)
                return part(at, self._create_head, body)
            case Update():
                path = self._place.item_here_path(operation.id)
                patch = codec.split_changes(operation.body)[0]
                return part(at, head("PATCH", path, if_match=operation.etag), patch)
            case Delete(permanent=True):
                path = f"{self._place.item_path(operation.id)}/permanentDelete"
                return part(at, head("POST", path), b"")
            case Delete():
                path = self._place.item_path(operation.id)
                return part(at, head("DELETE", path, if_match=operation.etag), b"")

    def done(self, index: int, operation: Operation, answer: Answer) -> Outcome:
        if isinstance(operation, Delete):
            return Outcome(index=index, result=Result.DONE)
        try:
            contact = wire.CONTACT.decode(answer.body)
        except wire.UNREADABLE:
            return unread(index, answer)
        if isinstance(operation, Create):
            extended = codec.sent_properties(operation.body)
            extended[properties.STAMP] = operation.key
        else:
            extended = codec.split_changes(operation.body)[1]
        return Outcome(index=index, result=Result.DONE, item=self._items.item(contact, extended))

    async def settled(self, chunk: Chunk, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        return outcomes


def unread(index: int, answer: Answer) -> Outcome:
    """Of an operation that took effect, with nothing to show for it."""
    error = f"done, but the answer cannot be read: {answer.summary}"
    return Outcome(index=index, result=Result.UNKNOWN, error=error)


def head(method: str, path: str, *, if_match: str = "", prefer: Sequence[str] = ()) -> bytes:
    """A part of a batch between its id and its body."""
    headers = {"Content-Type": "application/json", "Prefer": ", ".join((IMMUTABLE_IDS, *prefer))}
    if if_match:
        headers["If-Match"] = if_match
    return b"".join(
        (
            b'","method":"',
            method.encode(),
            b'","url":',
            _encoder.encode(path),
            b',"headers":',
            _encoder.encode(headers),
        )
    )


def part(at: int, head: bytes, body: bytes) -> bytes:
    """A request as the part of a batch with this number."""
    end = (b',"body":', body, b"}") if body else (b"}",)
    return b"".join((b'{"id":"', str(at).encode(), head, *end))
