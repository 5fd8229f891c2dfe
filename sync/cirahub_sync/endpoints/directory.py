"""What the engine asks of a directory: who is in a group, who fits a filter, who has an address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Member(msgspec.Struct, frozen=True):
    """Somebody who is in a group: a user, a guest, a contact of the directory."""

    id: str
    addresses: tuple[str, ...]
    """Every e-mail address that the directory tells of them, as it is spelled there."""
    user: bool = False
    """Whether it is a user of this directory's own, who may have a mailbox here: no guest, and no
    contact."""


class Directory(Protocol):
    """Reached with one credential; reads may be repeated. Raises `cirahub_sync.errors`."""

    async def members(self, group: str) -> Sequence[Member]:
        """Everybody in the group, nested groups included, each once. `group` is an id or an e-mail
        address. All of them or an error: part of a group is no answer.

        Raises GroupNotFoundError; AccessDeniedError also where only who they are may not be
        read."""
        ...

    async def matching(self, filter: str) -> Sequence[Member]:  # noqa: A002 (OData's name)
        """Every user that fits an OData `$filter`, each once. All of them or an error.

        Raises FilterRefusedError if the directory does not take the filter."""
        ...

    async def user(self, address: str) -> Member | None:
        """The user of this id, user principal name or primary address, if there is one."""
        ...
