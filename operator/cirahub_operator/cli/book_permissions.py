"""What an account of a CardDAV server has to be allowed: rights on address books (RFC 3744)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.configuration import (
    AddressBookTarget,
    CardDavServer,
    ConnectionConfig,
    SpokeConfig,
)


class BookRight(msgspec.Struct, frozen=True):
    """What the account has to be allowed in an address book."""

    book: str
    """Its name, or its path."""
    right: str


class BookGrants(msgspec.Struct, frozen=True):
    """Of one Connection."""

    connection: str
    server: str
    account: str
    books: tuple[BookRight, ...]


def book_grants(
    connection: ConnectionConfig,
    server: CardDavServer,
    account: str,
    spokes: Sequence[SpokeConfig],
) -> BookGrants:
    writes: dict[str, bool] = {}
    for one in spokes:
        if isinstance(one.target, AddressBookTarget):
            book = one.target.name or one.target.path
            writes[book] = writes.get(book, False) or one.direction.receives
    return BookGrants(
        connection=connection.name,
        server=server.host,
        account=account,
        books=tuple(
            BookRight(book, "write" if written else "read") for book, written in writes.items()
        ),
    )


def book_told(grants: BookGrants) -> list[str]:
    return [
        f"Connection {grants.connection}: CardDAV server {grants.server}, account {grants.account}",
        "  Rights on address books; those of the account's own it has:",
        *(f"    {one.right} {one.book}" for one in grants.books),
    ]
