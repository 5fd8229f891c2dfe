"""A calendar: a folder for events, with what happened to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.graph.changes import ChangeLog
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.identifiers import Numbering

if TYPE_CHECKING:
    from cirahub_simulator.world import World


class Calendar:
    """A folder for events."""

    __slots__ = ("changes", "color", "events", "folder", "hex_color", "is_default", "sequence")

    def __init__(self, folder: Folder, *, is_default: bool) -> None:
        self.folder = folder
        self.is_default = is_default
        self.color = "auto"
        self.hex_color = ""
        self.events: dict[str, Event] = {}
        """Single appointments and masters by immutable id, in the order they came."""
        self.changes: ChangeLog[Event] = ChangeLog()
        self.sequence = 0

    @property
    def id(self) -> str:
        """The folder's id."""
        return self.folder.id

    @property
    def name(self) -> str:
        """The folder's display name."""
        return self.folder.display_name


@dataclass(frozen=True, slots=True)
class Place:
    """What a mailbox lends its calendars."""

    world: World
    user_id: str
    numbering: Numbering
    number: Callable[[], int]
    """A number that nothing else in the mailbox has."""
    sequence: Callable[[], int]
    """The number of another write."""
    stamp: Callable[[], str]
    """Now, as Graph writes it."""
    folder: Folder
    """Of the default calendar."""
    new_folder: Callable[[str], Folder]
    touch_folder: Callable[[Folder], None]
    """Note a write to a folder itself."""
    drop_folder: Callable[[Folder], None]
    """Take a folder out of the mailbox for good."""
    bin_folder: Folder
