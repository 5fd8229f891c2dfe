"""EmptyFolder: [MS-OXWSFOLD] 3.1.4.5.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/emptyfolder-operation:
neither the calendar nor search folders can be emptied.
"""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, attribute
from cirahub_simulator.ews.contents import items_in
from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import Element, is_true
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.operations import delete_folder, delete_item


def answer(call: Call) -> list[Element]:
    """A message for each folder."""
    request = call.request
    disposal = attribute(request, "DeleteType", delete_folder.DISPOSALS)
    deep = is_true(attribute(request, "DeleteSubFolders", ("true", "false", "1", "0")))

    def one(node: Element) -> Iterator[Element]:
        mailbox, folder = call.folder_of(node)
        if folder.distinguished in ("calendar", "searchfolders", "root", "msgfolderroot"):
            raise EwsError("ErrorCannotEmptyFolder", "The folder can not be emptied.")
        if deep:
            for below in list(folder.children):
                if below.distinguished:
                    raise EwsError("ErrorCannotEmptyFolder", "The folder can not be emptied.")
                delete_folder.dispose(mailbox, below, disposal)
        for item in items_in(mailbox, folder):
            delete_item.dispose(mailbox, item, disposal)
        yield from ()

    return each("EmptyFolder", call.folders_of(request, "m:FolderIds"), one)
