"""How a search looks properties up: of items and of folders."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_simulator.ews import contact as contacts
from cirahub_simulator.ews import folder as folders
from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.absent import is_absent
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.kinds import CONTACT, KINDS, extended_value, kind_of
from cirahub_simulator.ews.markup import Element, children, text_of
from cirahub_simulator.ews.property import Reading
from cirahub_simulator.ews.property_path import Path
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

_SEARCHABLE_THOUGH_NOT_FOUND = frozenset(("item:Body", "item:Attachments"))


def item_values(reading: Reading, path: Path) -> Sequence[str]:
    """What an item has of a property. Raises EwsError for one that can't be searched."""
    if path.extended:
        return _plain(path, extended_value(reading.item, path.uri))
    kind = kind_of(reading.item)
    if path.key is not None:
        if kind is not CONTACT:
            return ()
        value = contacts.indexed_value(reading.contact, path.uri, path.key)
        return () if value is None else (value,)
    entry = kind.properties.get(path.uri)
    if entry is None:
        if is_absent(path.uri) or any(path.uri in other.properties for other in KINDS):
            return ()
        raise _unsupported(path)
    if path.uri in kind.not_found and path.uri not in _SEARCHABLE_THOUGH_NOT_FOUND:
        raise _unsupported(path)
    if path.uri == "item:ItemId":
        return (reading.item.id,)
    return _texts(entry.render(reading))


def folder_values(mailbox: Mailbox, folder: Folder, path: Path) -> Sequence[str]:
    """What a folder has of a property. Raises EwsError for one that can't be searched."""
    if path.extended:
        return _plain(path, folders.extended_value(mailbox, folder, path.uri))
    read = folders.PROPERTIES.get(path.uri)
    if read is None:
        raise _unsupported(path)
    node = read(mailbox, folder)
    if node is not None and path.uri in ("folder:FolderId", "folder:ParentFolderId"):
        return (node.get("Id", ""),)
    return _texts(node)


def _plain(path: Path, value: str | None) -> Sequence[str]:
    if value is None:
        return ()
    return mapi.read_array(value) if path.uri.partition(" ")[0] in mapi.ARRAYS else (value,)


def _texts(node: Element | None) -> Sequence[str]:
    if node is None:
        return ()
    inner = list(children(node))
    return [text_of(child) for child in inner] if inner else (text_of(node),)


def _unsupported(path: Path) -> EwsError:
    return EwsError(
        "ErrorUnsupportedPathForQuery", f"The property can not be used in a search. ({path})"
    )
