"""A folder: a node of the mailbox's tree, with its contacts and what happened to them.

https://learn.microsoft.com/graph/api/resources/contactfolder for those that hold contacts and lie
below the default one; the others are seen by Exchange Web Services only.
"""

from __future__ import annotations

from cirahub_simulator.graph.changes import ChangeLog
from cirahub_simulator.graph.contact import Contact

PROPERTIES = frozenset(("id", "parentFolderId", "displayName"))
"""What `$select`, `$filter` and `$orderby` may name."""


CONTACTS_CLASS = "IPF.Contact"
"""Container class of a folder for contacts: [MS-OXOCNTC] 2.2.3.1."""
CALENDAR_CLASS = "IPF.Appointment"
"""The same for appointments: [MS-OXOCAL] 2.2.11.2."""


class Folder:
    """A folder of a mailbox."""

    __slots__ = (
        "changes",
        "children",
        "contacts",
        "display_name",
        "distinguished",
        "extended",
        "folder_class",
        "id",
        "immutable_ids_gone",
        "item_prefix",
        "parent",
        "permission_set",
        "sequence",
    )

    def __init__(
        self,
        *,
        folder_id: str,
        display_name: str,
        parent: Folder | None,
        item_prefix: str,
        folder_class: str = CONTACTS_CLASS,
        distinguished: str = "",
    ) -> None:
        self.id = folder_id
        self.display_name = display_name
        self.parent = parent
        """None for the root alone."""
        self.folder_class = folder_class
        self.distinguished = distinguished
        """The name that Exchange Web Services have for a folder that every mailbox has."""
        self.item_prefix = item_prefix
        self.permission_set = b""
        """XML, as Exchange Web Services wrote it; empty until they do."""
        self.extended: dict[str, str] = {}
        self.children: list[Folder] = []
        self.contacts: dict[str, Contact] = {}
        """By immutable id, in the order they came."""
        self.changes: ChangeLog[Contact] = ChangeLog()
        self.immutable_ids_gone: set[str] = set()
        """Of contacts that were here and left, so that a return can be told."""
        self.sequence = 0

    @property
    def parent_id(self) -> str:
        """The parent's id; the root is its own."""
        return self.id if self.parent is None else self.parent.id

    def child(self, display_name: str) -> Folder | None:
        """The child of this name. Exchange compares names without regard to case."""
        name = display_name.casefold()
        for child in self.children:
            if child.display_name.casefold() == name:
                return child
        return None

    def to_dict(self) -> dict[str, object]:
        """All properties under Graph's names."""
        return {
            "id": self.id,
            "parentFolderId": self.parent_id,
            "displayName": self.display_name,
        }
