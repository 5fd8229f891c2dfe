"""What all properties of items have: how they are read, compared, and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from cirahub_simulator.ews.draft import Draft
from cirahub_simulator.ews.markup import Element, boolean, element
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox

Value: TypeAlias = str | int | bool | Element | list[Element] | None
"""Text, a number, a truth value, a whole element, or what an element contains."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An item being read."""

    contact: Contact
    mailbox: Mailbox
    owner: str
    """Display name of whose mailbox it is."""
    body_type: str = "Best"


@dataclass(frozen=True, slots=True)
class Property:
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
