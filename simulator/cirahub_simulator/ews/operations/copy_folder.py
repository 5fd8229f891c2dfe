"""CopyFolder: [MS-OXWSFOLD] 3.1.4.1.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/copyfolder-operation:
within a mailbox, with all that is in and below the folder. What is copied from a folder that every
mailbox has is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.contents import items_in
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.folder import element_name, folder_id
from cirahub_simulator.ews.markup import Element, element
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.ews.operations.transfer_item import copy_item
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


def answer(call: Call) -> list[Element]:
    """A message for each folder, with the copy's id."""

    def one(node: Element) -> Iterator[Element]:
        target, parent = call.target_folder(call.request, "m:ToFolderId")
        mailbox, folder = call.folder_of(node)
        if target is not mailbox or mailbox.below(parent, folder):
            raise EwsError("ErrorMoveCopyFailed", "The move or copy operation failed.")
        made = _copy(mailbox, folder, parent)
        shown = element(f"t:{element_name(made)}")
        shown.append(folder_id(mailbox, made))
        yield wrapped("m:Folders", [shown])

    return each("CopyFolder", call.folders_of(call.request, "m:FolderIds"), one)


def _copy(mailbox: Mailbox, folder: Folder, parent: Folder) -> Folder:
    made = mailbox.create_folder(
        parent, folder.display_name, dict(folder.extended), folder.folder_class
    )
    for item in items_in(mailbox, folder):
        copy_item(mailbox, mailbox, made, item)
    for below in folder.children:
        _copy(mailbox, below, made)
    return made
