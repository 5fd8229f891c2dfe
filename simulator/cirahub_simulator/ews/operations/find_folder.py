"""FindFolder: [MS-OXWSSRCH] 3.1.4.1."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from cirahub_simulator.ews.call import Call, attribute, child
from cirahub_simulator.ews.folder import read_shape
from cirahub_simulator.ews.markup import Element, add, element, find
from cirahub_simulator.ews.messages import each
from cirahub_simulator.ews.restriction import read_restriction
from cirahub_simulator.ews.search import folder_values
from cirahub_simulator.ews.view import page, read_view
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


def answer(call: Call) -> list[Element]:
    """A message for each parent folder."""
    request = call.request
    traversal = attribute(request, "Traversal", ("Shallow", "Deep", "SoftDeleted"))
    shape_node = child(request, "m:FolderShape")

    def one(node: Element) -> Iterator[Element]:
        shape = read_shape(shape_node, call.envelope.version)
        view = read_view(request, "Folder")
        test = read_restriction(find(request, "m:Restriction"))
        mailbox, parent = call.folder_of(node)
        found = [
            folder
            for folder in _below(mailbox, parent, traversal)
            if test is None or test(partial(folder_values, mailbox, folder))
        ]
        root = element("m:RootFolder")
        shown = page(found, view, root)
        folders = add(root, "t:Folders")
        folders.extend(shape.render(mailbox, folder) for folder in shown)
        yield root

    return each("FindFolder", call.folders_of(request, "m:ParentFolderIds"), one)


def _below(mailbox: Mailbox, parent: Folder, traversal: str) -> list[Folder]:
    if traversal == "SoftDeleted":
        return []
    if traversal == "Shallow":
        return list(parent.children)
    return list(mailbox.folders(parent))[1:]
