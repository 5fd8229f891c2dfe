"""Operations on contacts as the items and updates of EWS."""

from __future__ import annotations

from cirahub_sync.endpoints.base import Create, Update
from cirahub_sync.endpoints.exchange import codec
from cirahub_sync.endpoints.exchange.decoding import decode_sent
from cirahub_sync.model.contact import Contact


class ContactLetters:
    """Implements `outbox.Letters`."""

    create_attributes = b""
    update_attributes = b""
    delete_attributes = b""

    def __init__(self, custom_names: tuple[str, ...]) -> None:
        self._custom_names = custom_names

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
