"""GetFolder: [MS-OXWSFOLD] 3.1.4.6."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.folder import read_shape
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each folder."""
    shape_node = child(call.request, "m:FolderShape")

    def one(node: Element) -> Iterator[Element]:
        shape = read_shape(shape_node, call.envelope.version)
        mailbox, folder = call.folder_of(node)
        yield wrapped("m:Folders", [shape.render(mailbox, folder)])

    return each("GetFolder", call.folders_of(call.request, "m:FolderIds"), one)
