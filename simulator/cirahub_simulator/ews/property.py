"""What all properties of items have: how they are read, compared, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from cirahub_simulator.calendar.event import Event, Instance
from cirahub_simulator.ews.markup import Element, boolean, element
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox

Item: TypeAlias = Contact | Event | Instance
"""What a folder holds."""

Value: TypeAlias = str | int | bool | Element | list[Element] | None
"""Text, a number, a truth value, a whole element, or what an element contains."""

Draft = TypeVar("Draft", contravariant=True)  # noqa: PLC0105 - what is written is its own name


@dataclass(frozen=True, slots=True)
class Reading:
    """An item being read."""

    item: Item
    mailbox: Mailbox
    folder: Folder
    """Where it is."""
    owner: str
    """Display name of whose mailbox it is."""
    body_type: str = "Best"

    @property
    def contact(self) -> Contact:
        """The item, which has to be a contact."""
        if not isinstance(self.item, Contact):
            raise TypeError("a contact's property was read of another item")
        return self.item

    @property
    def event(self) -> Event | Instance:
        """The item, which has to be of a calendar."""
        if isinstance(self.item, Contact):
            raise TypeError("an appointment's property was read of another item")
        return self.item


@dataclass(frozen=True, slots=True)
class Property(Generic[Draft]):
    """A property of an item."""

    uri: str
    read: Callable[[Reading], Value]
    write: Callable[[Draft, Element | None], None] | None = None
    """Sets it from its element, or deletes it for None. None: it is read-only."""

    @property
    def name(self) -> str:
        """Of its element."""
        return self.uri.partition(":")[2]

    def render(self, reading: Reading) -> Element | None:
        """Its element; None where the item has none."""
        value = self.read(reading)
        if value is None:
            return None
        if isinstance(value, bool):
            return element(f"t:{self.name}", boolean(value))
        if isinstance(value, (str, int)):
            return element(f"t:{self.name}", str(value))
        if isinstance(value, list):
            made = element(f"t:{self.name}")
            made.extend(value)
            return made
        return value
