"""CreateFolder: [MS-OXWSFOLD] 3.1.4.2."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError, not_settable, schema_violation
from cirahub_simulator.ews.folder import CLASSES, element_name, folder_id
from cirahub_simulator.ews.item import read_extended_value
from cirahub_simulator.ews.markup import Element, children, element, local_name, text_of
from cirahub_simulator.ews.messages import each, wrapped


def answer(call: Call) -> list[Element]:
    """A message for each folder to make."""
    request = call.request
    folders = list(children(child(request, "m:Folders")))
    if not folders:
        raise schema_violation("The element 'Folders' is empty.")

    def one(node: Element) -> Iterator[Element]:
        mailbox, parent = call.target_folder(request, "m:ParentFolderId")
        kind = local_name(node)
        if kind not in CLASSES:
            raise EwsError("ErrorInvalidFolderTypeForOperation", f"The simulator makes no {kind}.")
        name, folder_class, extended = "", CLASSES[kind], {}
        for entry in children(node):
            match local_name(entry):
                case "DisplayName":
                    name = text_of(entry)
                case "FolderClass":
                    folder_class = text_of(entry) or folder_class
                case "ExtendedProperty":
                    path, value = read_extended_value(entry)
                    extended[path.uri] = value
                case "FolderId" | "ParentFolderId" | "PermissionSet":
                    continue
                case other:
                    raise not_settable(f"folder:{other}")
        if not name.strip():
            raise EwsError("ErrorFolderSavePropertyError", "A folder needs a DisplayName.")
        made = mailbox.create_folder(parent, name, extended, folder_class)
        shown = element(f"t:{element_name(made)}")
        shown.append(folder_id(mailbox, made))
        yield wrapped("m:Folders", [shown])

    return each("CreateFolder", folders, one)
