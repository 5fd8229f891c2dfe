"""A contact folder: a node of the mailbox's tree, with its contacts and what happened to them.

https://learn.microsoft.com/graph/api/resources/contactfolder
"""

from __future__ import annotations

from cirahub_simulator.graph.changes import ChangeLog
from cirahub_simulator.graph.contact import Contact

PROPERTIES = frozenset(("id", "parentFolderId", "displayName"))
"""What `$select`, `$filter` and `$orderby` may name."""


class Folder:
    """A contact folder."""

    __slots__ = (
        "changes",
        "children",
        "contacts",
        "display_name",
        "extended",
        "id",
        "immutable_ids_gone",
        "item_prefix",
        "parent",
        "parent_id",
        "sequence",
    )

    def __init__(
        self,
        *,
        folder_id: str,
        display_name: str,
        parent: Folder | None,
        parent_id: str,
        item_prefix: str,
    ) -> None:
        self.id = folder_id
        self.display_name = display_name
        self.parent = parent
        self.parent_id = parent_id
        """The parent's id; for the default folder, the id of the mailbox's root."""
        self.item_prefix = item_prefix
        self.extended: dict[str, str] = {}
        self.children: list[Folder] = []
        self.contacts: dict[str, Contact] = {}
        """By immutable id, in the order they came."""
        self.changes: ChangeLog[Contact] = ChangeLog()
        self.immutable_ids_gone: set[str] = set()
        """Of contacts that were here and left, so that a return can be told."""
        self.sequence = 0

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
