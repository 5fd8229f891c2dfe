"""UpdateFolder: [MS-OXWSFOLD] 3.1.4.8."""

from __future__ import annotations

from collections.abc import Iterator

from cirahub_simulator.ews import permission_set
from cirahub_simulator.ews.call import Call, child
from cirahub_simulator.ews.errors import EwsError, not_deletable, not_settable, schema_violation
from cirahub_simulator.ews.folder import ELEMENTS, element_name, folder_id
from cirahub_simulator.ews.item import read_extended_value
from cirahub_simulator.ews.markup import Element, children, element, find, local_name, text_of
from cirahub_simulator.ews.messages import each, wrapped
from cirahub_simulator.ews.property_path import PATHS, find_path
from cirahub_simulator.graph.folder import Folder


def answer(call: Call) -> list[Element]:
    """A message for each folder."""
    changes = list(children(child(call.request, "m:FolderChanges")))
    if not changes:
        raise schema_violation("The element 'FolderChanges' is empty.")

    def one(node: Element) -> Iterator[Element]:
        target = next(children(node), None)
        if local_name(node) != "FolderChange" or target is None:
            raise schema_violation("The element 'FolderChanges' has no valid FolderChange.")
        mailbox, folder = call.folder_of(target)
        name: str | None = None
        extended: dict[str, str | None] = {}
        classes: list[str] = []
        for change in children(child(node, "t:Updates")):
            path = find_path(change)
            kind = local_name(change)
            if kind == "DeleteFolderField":
                if path.uri == "folder:PermissionSet":
                    folder.permission_set = b""
                elif not path.extended:
                    raise not_deletable(str(path))
                else:
                    extended[path.uri] = None
                continue
            if kind != "SetFolderField":
                raise schema_violation(f"The element 'Updates' has '{kind}' in it.")
            changed = next((c for c in children(change) if local_name(c) not in PATHS), None)
            if changed is None:
                raise schema_violation("The element 'SetFolderField' has no folder in it.")
            if path.extended:
                value = find(changed, "t:ExtendedProperty")
                if value is None:
                    raise _mismatch()
                given, text = read_extended_value(value)
                if given.uri != path.uri:
                    raise _mismatch()
                extended[path.uri] = text
            elif path.uri == "folder:PermissionSet":
                permission_set.write(folder, find(changed, "t:PermissionSet"))
            elif path.uri == "folder:FolderClass":
                folder_class = find(changed, "t:FolderClass")
                if folder_class is None:
                    raise _mismatch()
                _check_class(folder, text_of(folder_class))
                classes.append(text_of(folder_class))
            elif path.uri == "folder:DisplayName":
                display_name = find(changed, "t:DisplayName")
                if display_name is None:
                    raise _mismatch()
                name = text_of(display_name)
            else:
                raise not_settable(str(path))
        if name is not None and folder.distinguished:
            raise EwsError(
                "ErrorFolderSavePropertyError", "A distinguished folder can not be renamed."
            )
        if name is not None and not name.strip():
            raise EwsError("ErrorFolderSavePropertyError", "A folder needs a DisplayName.")
        folder.folder_class = classes[-1] if classes else folder.folder_class
        mailbox.update_folder(folder, name, extended)
        shown = element(f"t:{element_name(folder)}")
        shown.append(folder_id(mailbox, folder))
        yield wrapped("m:Folders", [shown])

    return each("UpdateFolder", changes, one)


def _check_class(folder: Folder, folder_class: str) -> None:
    """A folder may become one of a narrower class, not of another kind."""
    for container, _ in ELEMENTS:
        if folder.folder_class.startswith(container) != folder_class.startswith(container):
            raise EwsError("ErrorObjectTypeChanged", "The type of the object changed.")


def _mismatch() -> EwsError:
    return EwsError(
        "ErrorUpdatePropertyMismatch", "The property in the update expression is not in the folder."
    )
