"""MoveFolder: [MS-OXWSFOLD] 3.1.4.7."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.folder import element_name, folder_id
from cirahub_simulator.ews.markup import Element, element
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each folder."""

    def one(node: Element) -> Iterator[Element]:
        target, parent = call.target_folder(call.request, "m:ToFolderId")
        mailbox, folder = call.folder_of(node)
        if folder.distinguished:
            raise EwsError("ErrorMoveDistinguishedFolder", "Distinguished folders cannot be moved.")
        if target is not mailbox or mailbox.below(parent, folder):
            raise EwsError("ErrorMoveCopyFailed", "The move or copy operation failed.")
        if parent is not folder.parent:
            mailbox.move_folder(folder, parent)
        shown = element(f"t:{element_name(folder)}")
        shown.append(folder_id(mailbox, folder))
        yield wrapped("m:Folders", [shown])

    return each("MoveFolder", call.folders_of(call.request, "m:FolderIds"), one)
