"""What the people of a simulated mailbox do, whichever service shows it to us."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import msgspec
from tests.endpoints.diary import Diary, at

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.graph.body import read_contact, read_contact_changes
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.world import World


class ContactPeople(ABC):
    """Those of a folder for contacts."""

    world: World

    @abstractmethod
    def mailbox(self) -> Mailbox: ...

    @abstractmethod
    def folder(self) -> Folder | None:
        """None before it is made."""

    def contacts(self) -> list[Contact]:
        found = self.folder()
        return list(found.contacts.values()) if found is not None else []

    def held(self) -> int:
        return len(self.contacts())

    def binned(self) -> int:
        # What is deleted from a public folder has a bin of its own in Exchange; here, the same.
        return len(self.mailbox().bin)

    def user_adds(self, number: int) -> None:
        body = msgspec.json.encode({"givenName": f"native {number}"})
        self.mailbox().create_contact(self._there(), read_contact(body, self.world.switches))

    def user_edits(self, text: str) -> None:
        body = msgspec.json.encode({"jobTitle": text})
        changes = read_contact_changes(body, self.world.switches)
        self.mailbox().update_contact(self.contacts()[0], changes)

    def user_purges(self) -> None:
        self.mailbox().purge_contact(self.contacts()[0])

    def user_moves_away(self) -> None:
        above = self._there().parent
        assert above is not None
        self.mailbox().move_contact(self.contacts()[0], above)

    def folder_goes(self) -> None:
        self.mailbox().purge_folder(self._there())

    def cursors_expire(self) -> None:
        self.mailbox().expire_delta_tokens()

    def _there(self) -> Folder:
        found = self.folder()
        assert found is not None
        return found


class CalendarPeople(ABC):
    """Those of a calendar beside the default one."""

    world: World
    exception_fault: Mapping[str, Any]
    """What a fault rule says to meet the requests that write occurrences of a series."""

    @abstractmethod
    def mailbox(self) -> Mailbox: ...

    @abstractmethod
    def shown(self, event: Event) -> str:
        """The id by which the service shows it."""

    @property
    def diary(self) -> Diary:
        return Diary(self.mailbox, self.world)

    def held(self) -> int:
        return len(self.diary.held())

    def binned(self) -> int:
        return len(self.mailbox().calendars.bin)

    def user_adds(self, number: int) -> None:
        start, end = (at(f"2026-12-01T{hour}:00:00") for hour in (14, 15))
        self.diary.adds(subject=f"native {number}", start=start, end=end)

    def user_edits(self, text: str) -> None:
        self.diary.changes(self.diary.held()[0], location={"displayName": text})

    def user_purges(self) -> None:
        self.mailbox().calendars.purge_item(self.diary.held()[0])

    def user_moves_away(self) -> None:
        calendars = self.mailbox().calendars
        calendars.move_event(self.diary.held()[0], calendars.default)

    def folder_goes(self) -> None:
        self.mailbox().calendars.delete_calendar(self.diary.calendar)

    def cursors_expire(self) -> None:
        self.mailbox().expire_delta_tokens()
