"""SyncFolderHierarchy: [MS-OXWSSYNC] 3.1.4.1."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.folder import read_shape
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.markup import Element, add, boolean, children, element, find, text_of
from cirahub_simulator.ews.messages import message
from cirahub_simulator.ews.sync_state import read_news, read_state, write_state
from cirahub_simulator.graph.changes import Change
from cirahub_simulator.graph.folder import Folder

MOST = 10_000
"""Folders of an answer; the request has no say."""


def answer(call: Call) -> list[Element]:
    """The one message."""
    return [message("SyncFolderHierarchy", lambda: _sync(call))]


def _sync(call: Call) -> Iterator[Element]:
    request = call.request
    shape = read_shape(child(request, "m:FolderShape"), call.envelope.version)
    root_node = find(request, "m:SyncFolderId")
    mailbox = call.own_mailbox()
    root = mailbox.root
    if root_node is not None:
        try:
            mailbox, root = call.folder_of(next(children(root_node)))
        except EwsError as error:
            if error.code != "ErrorFolderNotFound":
                raise
            raise EwsError(
                "ErrorSyncFolderNotFound", "The folder to be synchronized could not be found."
            ) from error
    given = find(request, "m:SyncState")
    # A state of no root and one of the root are not the same to Exchange.
    scope = f"folders {root.id if root_node is not None else ''}"
    state = read_state("" if given is None else text_of(given), scope, mailbox.token_generation)

    def gone(change: Change[Folder]) -> bool:
        there = mailbox.find_folder(change.id)
        return there is None or there is root or not mailbox.below(there, root)

    news, following, last = read_news(mailbox.folder_changes, state, MOST, gone)
    yield element("m:SyncState", write_state(following))
    yield element("m:IncludesLastFolderInRange", boolean(last))
    changes = element("m:Changes")
    for entry in news:
        if entry.kind == "Delete" and entry.item is root:
            continue
        told = add(changes, f"t:{entry.kind}")
        if entry.kind == "Delete":
            add(told, "t:FolderId", Id=ews_id(entry.id))
        else:
            told.append(shape.render(mailbox, entry.item))
    yield changes
