"""SyncFolderItems: [MS-OXWSSYNC] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.contents import changes_in, is_in
from cirahub_simulator.ews.errors import EwsError, schema_violation
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.item import read_shape
from cirahub_simulator.ews.markup import Element, add, boolean, children, element, find, text_of
from cirahub_simulator.ews.messages import message
from cirahub_simulator.ews.property import Item
from cirahub_simulator.ews.sync_state import read_news, read_state, write_state
from cirahub_simulator.graph.changes import Change

MOST = 512
"""MaxSyncChangesReturnedType."""


def answer(call: Call) -> list[Element]:
    """The one message."""
    return [message("SyncFolderItems", lambda: _sync(call))]


def _sync(call: Call) -> Iterator[Element]:
    request = call.request
    bodies = call.world.switches.sync_bodies == "answered"
    shape = read_shape(
        child(request, "m:ItemShape"), call.envelope.version, found=True, bodies=bodies
    )
    ids = list(children(child(request, "m:SyncFolderId")))
    most = _most(request)
    try:
        mailbox, folder = call.folder_of(ids[0])
    except EwsError as error:
        if error.code != "ErrorFolderNotFound":
            raise
        raise EwsError(
            "ErrorSyncFolderNotFound", "The folder to be synchronized could not be found."
        ) from error
    given = find(request, "m:SyncState")
    ignored = find(request, "m:Ignore")
    ignore = set() if ignored is None else {node.get("Id") for node in children(ignored)}
    state = read_state(
        "" if given is None else text_of(given), f"items {folder.id}", mailbox.token_generation
    )

    def gone(change: Change[Item]) -> bool:
        return change.removed or not is_in(mailbox, change.item, folder)

    news, following, last = read_news(changes_in(mailbox, folder), state, most, gone)
    yield element("m:SyncState", write_state(following))
    yield element("m:IncludesLastItemInRange", boolean(last))
    changes = element("m:Changes")
    for entry in news:
        if ews_id(entry.id) in ignore:
            continue
        told = add(changes, f"t:{entry.kind}")
        if entry.kind == "Delete":
            add(told, "t:ItemId", Id=ews_id(entry.id), ChangeKey=entry.item.change_key)
        else:
            told.append(shape.render(call.reading(mailbox, entry.item)))
    yield changes


def _most(request: Element) -> int:
    text = text_of(child(request, "m:MaxChangesReturned")).strip()
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        raise schema_violation(
            f"The 'MaxChangesReturned' element is invalid: '{text}' is not from 1 to {MOST}."
        )
    scope = find(request, "m:SyncScope")
    if scope is not None:
        attribute(
            element("m:SyncScope", SyncScope=text_of(scope)),
            "SyncScope",
            ("NormalItems", "NormalAndAssociatedItems"),
        )
    return int(text)
