"""The public folders of an Exchange Server, as an account may see them.

Level by level: no deep traversal is allowed there
(https://learn.microsoft.com/exchange/client-developer/exchange-web-services/public-folder-access-with-ews-in-exchange).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.answers import failure
from cirahub_sync.endpoints.exchange.place import PUBLIC_FOLDERS
from cirahub_sync.endpoints.exchange.session import ExchangeSession, Seat
from cirahub_sync.endpoints.exchange.wire import Element
from cirahub_sync.endpoints.public_folder import PublicFolder
from cirahub_sync.errors import ProtocolError

_PAGE = 500
_ROOT = '<t:DistinguishedFolderId Id="publicfoldersroot"/>'
_SHAPE = wire.shape(
    tuple(
        wire.field(f"folder:{name}")
        for name in ("DisplayName", "FolderClass", "TotalCount", "ChildFolderCount")
    ),
    kind="FolderShape",
)


async def public_folders(session: ExchangeSession) -> AsyncIterator[PublicFolder]:
    """Each after the one that it is in. One request for each folder with folders in it."""
    what = f"connection {session.connection.name}: public folders"
    waiting = [("", _ROOT)]
    while waiting:
        path, parent = waiting.pop()
        inside: list[tuple[str, str]] = []
        async for folder in _children(session, parent, what):
            name = wire.text_at(folder, "DisplayName")
            below = f"{path}/{name}" if path else name
            yield PublicFolder(
                below, wire.text_at(folder, "FolderClass"), _number(folder, "TotalCount")
            )
            if _number(folder, "ChildFolderCount") != 0:
                inside.append((below, _id(folder, what)))
        waiting += reversed(inside)


async def _children(session: ExchangeSession, parent: str, what: str) -> AsyncIterator[Element]:
    seat = Seat(PUBLIC_FOLDERS)
    offset: int | None = 0
    while offset is not None:
        reply = await session.read(
            seat,
            f'<m:FindFolder Traversal="Shallow">{_SHAPE}<m:IndexedPageFolderView '
            f'MaxEntriesReturned="{_PAGE}" Offset="{offset}" BasePoint="Beginning"/>'
            f"<m:ParentFolderIds>{parent}</m:ParentFolderIds></m:FindFolder>".encode(),
            what=what,
        )
        (message,) = reply.messages
        if not message.ok:
            raise failure(reply, what, seat.rights, message)
        for folder in message.items():
            yield folder
        offset = wire.next_offset(message)


def _id(folder: Element, what: str) -> str:
    try:
        return wire.folder_id(wire.id_of(folder, "FolderId")[0])
    except wire.UnreadableError as error:
        raise ProtocolError(f"{what}: a folder without an id; will be tried again") from error


def _number(folder: Element, name: str) -> int | None:
    text = wire.text_at(folder, name)
    return int(text) if text.isdecimal() else None
