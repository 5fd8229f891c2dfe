"""What the engine asks of a directory: who is in a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Member(msgspec.Struct, frozen=True):
    """Somebody who is in a group: a user, a guest, a contact of the directory."""

    id: str
    addresses: tuple[str, ...]
    """Every e-mail address that the directory tells of them, as it is spelled there."""


class Directory(Protocol):
    """Reached with one credential; reads may be repeated. Raises `cirahub_sync.errors`."""

    async def members(self, group: str) -> Sequence[Member]:
        """Everybody in the group, nested groups included, each once. `group` is an id or an e-mail
        address. All of them or an error: part of a group is no answer.

        Raises GroupNotFoundError; AccessDeniedError also where only who they are may not be
        read."""
        ...
