"""The public folders of a tenant, by Exchange's commands: there is no other way to them.

https://learn.microsoft.com/powershell/module/exchangepowershell/get-publicfolder, and for the
numbers of items get-publicfolderstatistics.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec

from cirahub_sync.endpoints.exchange_admin.runner import CmdletRunner, Command
from cirahub_sync.endpoints.graph.wire import UNREADABLE
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.errors import ProtocolError

_SEPARATOR = "\\"


class _Folder(msgspec.Struct, rename="pascal"):
    identity: str
    """`\\Sales\\Customers`; the root is one, too."""
    entry_id: str = ""
    folder_class: str | None = None


class _Statistics(msgspec.Struct, rename="pascal"):
    entry_id: str = ""
    item_count: int | None = None


Some = TypeVar("Some")


async def public_folders(runner: CmdletRunner, what: str) -> AsyncIterator[PublicFolder]:
    """Each after the one that it is in. Two requests for 1,000. `what` names the connection."""
    everywhere = {"Identity": _SEPARATOR, "Recurse": True, "ResultSize": "Unlimited"}
    every = await _read(runner, Command("Get-PublicFolder", everywhere), _Folder, what)
    counted = await _read(
        runner,
        Command("Get-PublicFolderStatistics", {"ResultSize": "Unlimited"}),
        _Statistics,
        what,
    )
    items = {one.entry_id: one.item_count for one in counted if one.entry_id}
    for one in sorted(every, key=lambda folder: folder.identity.split(_SEPARATOR)):
        path = one.identity.strip(_SEPARATOR).replace(_SEPARATOR, "/")
        if path:
            yield PublicFolder(path, one.folder_class or "", items.get(one.entry_id))


async def _read(runner: CmdletRunner, command: Command, kind: type[Some], what: str) -> list[Some]:
    found: list[Some] = []
    for page in await runner.read(command):
        try:
            found += msgspec.json.decode(page, type=list[kind])  # type: ignore[valid-type]
        except UNREADABLE as error:
            raise ProtocolError(
                f"{what}: what {command.name} put out cannot be read; report it"
            ) from error
    return found
