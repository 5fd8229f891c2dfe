"""The seam: what the endpoint asks of whatever runs cmdlets in a tenant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from cirahub_sync.endpoints.base import Fence

Parameters = Mapping[str, object]
"""Texts, and None for `$null`."""

_EXCEPTION = re.compile(r"[\w.]{0,200}?(\w{1,80}Exception)")


class Command(msgspec.Struct, frozen=True):
    """A cmdlet and its parameters: https://learn.microsoft.com/powershell/module/exchangepowershell."""

    name: str
    parameters: Parameters


class Ending(StrEnum):
    """How a command ended."""

    DONE = "done"
    NOT_FOUND = "not found"
    """There is no such object."""
    REFUSED = "refused"
    """It can't be done like that; nothing was written."""
    BUSY = "busy"
    """Surely without effect, for now."""
    UNKNOWN = "unknown"
    """It may or may not have taken effect."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    ending: Ending
    output: bytes = b"[]"
    """JSON: the list of what it put out."""
    why: str = ""
    """Of what is not done: status, code, class of the exception and request id; no content."""
    retry_after: float | None = None


class CmdletRunner(Protocol):
    """Runs cmdlets as one application in one tenant. Never runs one twice that writes."""

    most: int
    """Commands that `write` takes at once."""

    async def read(self, command: Command) -> Sequence[bytes]:
        """The output of a command that changes nothing, page by page, each the JSON of a list;
        asked again while the service is busy or away. Raises `cirahub_sync.errors`."""
        ...

    async def write(self, commands: Sequence[Command], fence: Fence) -> Sequence[Ran]:
        """What became of each, in order. They run independently of each other, in any order.
        Raises what concerns all of them (credentials, access); none of them ran then."""
        ...


def exception_in(message: str) -> str:
    """The class of an exception in `id|namespace.class|text`, which names nobody; else blank."""
    parts = message.split("|", 2)
    found = _EXCEPTION.fullmatch(parts[1].strip()) if len(parts) == 3 else None
    return found[1] if found is not None else ""
