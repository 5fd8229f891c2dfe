"""DeleteFolder: [MS-OXWSFOLD] 3.1.4.4."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

DISPOSALS = ("HardDelete", "SoftDelete", "MoveToDeletedItems")
"""DisposalType ([MS-OXWSCDATA] 2.2.5.9)."""


def answer(call: Call) -> list[Element]:
    """A message for each folder."""
    disposal = attribute(call.request, "DeleteType", DISPOSALS)

    def one(node: Element) -> Iterator[Element]:
        mailbox, folder = call.folder_of(node)
        if folder.distinguished:
            raise EwsError(
                "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
            )
        dispose(mailbox, folder, disposal)
        yield from ()

    return each("DeleteFolder", call.folders_of(call.request, "m:FolderIds"), one)


def dispose(mailbox: Mailbox, folder: Folder, disposal: str) -> None:
    """Delete a folder; what is in Deleted Items already goes for good."""
    if disposal != "MoveToDeletedItems" or mailbox.below(folder, mailbox.bin_folder):
        mailbox.purge_folder(folder)
    else:
        mailbox.delete_folder(folder)
