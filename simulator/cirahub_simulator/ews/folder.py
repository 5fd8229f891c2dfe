"""Folders: their properties and shapes. [MS-OXWSFOLD] 2.2.4 and [MS-OXWSCDATA] 2.2.4.14.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/foldershape; what the
Default shape is for each kind of folder is in the remarks of DefaultShapeNamesType.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cirahub_simulator.ews import mapi, permission_set
from cirahub_simulator.ews.contents import count_in
from cirahub_simulator.ews.errors import not_requestable, schema_violation
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.item_properties import rights
from cirahub_simulator.ews.markup import Element, add, boolean, children, element, find, text_of
from cirahub_simulator.ews.property_path import Path, read_path
from cirahub_simulator.ews.schema_version import later_than
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

ELEMENTS = (
    ("IPF.Contact", "ContactsFolder"),
    ("IPF.Appointment", "CalendarFolder"),
    ("IPF.Task", "TasksFolder"),
)
"""Container class and element; any other is a Folder."""
CLASSES = {name: container for container, name in ELEMENTS} | {"Folder": "IPF.Note"}
"""What a new folder's class is when nothing else is said."""


def element_name(folder: Folder) -> str:
    """Of the element of a folder."""
    for container, name in ELEMENTS:
        if folder.folder_class.startswith(container):
            return name
    return "Folder"


def folder_id(mailbox: Mailbox, folder: Folder, name: str = "FolderId") -> Element:
    """The FolderId."""
    return element(f"t:{name}", Id=ews_id(folder.id), ChangeKey=mailbox.folder_change_key(folder))


def _parent(mailbox: Mailbox, folder: Folder) -> Element | None:
    parent = folder.parent or folder
    return folder_id(mailbox, parent, "ParentFolderId")


def _text(name: str, value: str) -> Element | None:
    return element(f"t:{name}", value) if value else None


def _rights(_: Mailbox, __: Folder) -> Element:
    made = element("t:EffectiveRights")
    made.extend(rights())
    return made


PROPERTIES: dict[str, Callable[[Mailbox, Folder], Element | None]] = {
    "folder:FolderId": folder_id,
    "folder:ParentFolderId": _parent,
    "folder:FolderClass": lambda _, folder: _text("FolderClass", folder.folder_class),
    "folder:DisplayName": lambda _, folder: element("t:DisplayName", folder.display_name),
    "folder:TotalCount": lambda mailbox, folder: element(
        "t:TotalCount", str(count_in(mailbox, folder))
    ),
    "folder:ChildFolderCount": lambda _, folder: element(
        "t:ChildFolderCount", str(len(folder.children))
    ),
    "folder:ManagedFolderInformation": lambda _, __: None,
    "folder:EffectiveRights": _rights,
    "folder:DistinguishedFolderId": lambda _, folder: _text(
        "DistinguishedFolderId", folder.distinguished
    ),
    "folder:PolicyTag": lambda _, __: None,
    "folder:ArchiveTag": lambda _, __: None,
    "folder:ReplicaList": lambda _, __: None,
    "folder:SharingEffectiveRights": lambda _, __: None,
    "folder:PermissionSet": lambda _, folder: permission_set.read(
        folder, calendar=element_name(folder) == "CalendarFolder"
    ),
    "folder:UnreadCount": lambda _, folder: (
        element("t:UnreadCount", "0") if element_name(folder) in ("Folder", "TasksFolder") else None
    ),
    "folder:SearchParameters": lambda _, __: None,
}
"""In the order of the schema. ExtendedProperty comes after ChildFolderCount."""

_STORE: dict[str, Callable[[Mailbox, Folder], str]] = {
    "Integer 0x3602": lambda mailbox, folder: str(count_in(mailbox, folder)),
    "Integer 0x3603": lambda _, __: "0",
    "Boolean 0x360a": lambda _, folder: boolean(bool(folder.children)),
    "String 0x3001": lambda _, folder: folder.display_name,
    "String 0x3613": lambda _, folder: folder.folder_class,
}
"""PidTagContentCount, PidTagContentUnreadCount, PidTagSubfolders, PidTagDisplayName and
PidTagContainerClass ([MS-OXCFOLD] 2.2.2.2): what clients that know MAPI read of a folder."""


def extended_value(mailbox: Mailbox, folder: Folder, canonical: str) -> str | None:
    """An extended property's value, also of one that is the store's own."""
    read = _STORE.get(canonical)
    return folder.extended.get(canonical) if read is None else read(mailbox, folder)


_ORDER = {uri: number for number, uri in enumerate(PROPERTIES)}
_AFTER_EXTENDED = _ORDER["folder:ManagedFolderInformation"]
_DEFAULT = frozenset(
    (
        "folder:FolderId",
        "folder:DisplayName",
        "folder:TotalCount",
        "folder:ChildFolderCount",
        "folder:UnreadCount",
    )
)


@dataclass(frozen=True, slots=True)
class FolderShape:
    """What of a folder is answered."""

    uris: tuple[str, ...]
    extended: tuple[Path, ...]

    def render(self, mailbox: Mailbox, folder: Folder) -> Element:
        """The folder."""
        made = element(f"t:{element_name(folder)}")
        for uri in self.uris:
            if _ORDER[uri] < _AFTER_EXTENDED:
                self._append(made, uri, mailbox, folder)
        for path in self.extended:
            value = extended_value(mailbox, folder, path.uri)
            if value is not None:
                entry = add(made, "t:ExtendedProperty")
                entry.append(path.to_element())
                if path.uri.partition(" ")[0] in mapi.ARRAYS:
                    values = add(entry, "t:Values")
                    for one in mapi.read_array(value):
                        add(values, "t:Value", one)
                else:
                    add(entry, "t:Value", value)
        for uri in self.uris:
            if _ORDER[uri] >= _AFTER_EXTENDED:
                self._append(made, uri, mailbox, folder)
        return made

    @staticmethod
    def _append(made: Element, uri: str, mailbox: Mailbox, folder: Folder) -> None:
        node = PROPERTIES[uri](mailbox, folder)
        if node is not None:
            made.append(node)


def read_shape(node: Element, version: str) -> FolderShape:
    """A FolderShape of a request that targets a version. Raises EwsError, SoapFaultError."""
    base = find(node, "t:BaseShape")
    kind = "" if base is None else text_of(base)
    if kind == "IdOnly":
        uris = {"folder:FolderId"}
    elif kind == "Default":
        uris = set(_DEFAULT)
    elif kind == "AllProperties":
        uris = set(PROPERTIES) - {"folder:PermissionSet"}
    else:
        raise schema_violation(f"The 'BaseShape' element is invalid: '{kind}'.")
    uris -= later_than(version)
    more = find(node, "t:AdditionalProperties")
    extended = []
    for path in [] if more is None else [read_path(child) for child in children(more)]:
        if path.extended:
            extended.append(path)
        elif path.uri in PROPERTIES:
            uris.add(path.uri)
        else:
            raise not_requestable(str(path))
    ordered = tuple(sorted(uris, key=_ORDER.__getitem__))
    return FolderShape(ordered, tuple(dict.fromkeys(extended)))
