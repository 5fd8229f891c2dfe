"""Permissions of a folder: [MS-OXWSFOLD] 2.2.4.13 and [MS-OXWSCDATA] 2.2.4.48.

What a client writes is kept and answered, and not enforced: who may open what is decided by Full
Access alone. A new folder has the two entries that Exchange gives it, for everybody else and for
nobody in particular, both without rights.
"""

from __future__ import annotations

from lxml import etree

from cirahub_simulator.ews.errors import EwsError
from cirahub_simulator.ews.markup import NAMESPACES, TYPES, Element, add, element
from cirahub_simulator.graph.folder import Folder

_RIGHTS = (
    ("CanCreateItems", "false"),
    ("CanCreateSubFolders", "false"),
    ("IsFolderOwner", "false"),
    ("IsFolderVisible", "false"),
    ("IsFolderContact", "false"),
    ("EditItems", "None"),
    ("DeleteItems", "None"),
    ("ReadItems", "None"),
)


def read(folder: Folder, *, calendar: bool) -> Element:
    """A folder's PermissionSet."""
    if folder.permission_set:
        return etree.fromstring(folder.permission_set)
    kind = "CalendarPermission" if calendar else "Permission"
    made = element("t:PermissionSet")
    permissions = add(made, f"t:{kind}s")
    for user in ("Default", "Anonymous"):
        entry = add(permissions, f"t:{kind}")
        add(add(entry, "t:UserId"), "t:DistinguishedUser", user)
        for name, value in _RIGHTS:
            add(entry, f"t:{name}", value)
        add(entry, f"t:{kind}Level", "None")
    return made


def write(folder: Folder, node: Element | None) -> None:
    """Keep a PermissionSet. Raises EwsError for one that is none."""
    if node is None or len(node) == 0:
        raise EwsError("ErrorMissingArgument", "The PermissionSet is empty.")
    clean = etree.Element(f"{{{TYPES}}}PermissionSet", nsmap=NAMESPACES)
    clean.extend(list(node))
    folder.permission_set = etree.tostring(clean)
