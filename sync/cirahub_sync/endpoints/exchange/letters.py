"""Operations on contacts as the items and updates of EWS."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.endpoints.base import Create, Delete, Outcome, Result, Update
from cirahub_sync.endpoints.exchange import codec
from cirahub_sync.endpoints.exchange.decoding import decode_sent
from cirahub_sync.endpoints.exchange.items import ItemReader
from cirahub_sync.endpoints.waves import Indexed
from cirahub_sync.model.contact import Contact


class ContactLetters:
    """Implements `outbox.Letters`."""

    create_attributes = b""
    update_attributes = b""
    delete_attributes = b""
    looks_first = False

    def __init__(self, items: ItemReader, custom_names: tuple[str, ...]) -> None:
        self._items = items
        self._custom_names = custom_names

    async def screened(
        self, operations: Sequence[Indexed]
    ) -> tuple[Sequence[Indexed], list[Outcome]]:
        """Deletes of what has changed, or has gone, are not sent."""
        guarded = [one.id for _, one in operations if isinstance(one, Delete) and one.etag]
        keys = await self._items.keys(guarded) if guarded else {}
        left: list[Indexed] = []
        early: list[Outcome] = []
        for index, one in operations:
            if not isinstance(one, Delete) or one.id not in keys or keys[one.id] == one.etag:
                left.append((index, one))
            elif keys[one.id] is None:
                early.append(Outcome(index=index, result=Result.DONE))
            else:
                early.append(Outcome(index=index, result=Result.STALE, error="another change key"))
        return left, early

    async def settled(
        self, operations: Sequence[Indexed], outcomes: Sequence[Outcome]
    ) -> Sequence[Outcome]:
        """A contact is written whole."""
        return outcomes

    def key(self, operation: Update) -> str:
        return operation.etag

    def item(self, operation: Create) -> bytes:
        return codec.with_stamp(operation.body, operation.key)

    def updates(self, operation: Update) -> bytes:
        return codec.split_changes(operation.body)[0]

    def meant(self, operation: Create | Update) -> Contact:
        body = (
            operation.body
            if isinstance(operation, Create)
            else codec.split_changes(operation.body)[1]
        )
        return decode_sent(body, self._custom_names)
