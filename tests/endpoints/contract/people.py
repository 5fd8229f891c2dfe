"""What the people of a simulated mailbox do, whichever service shows it to us."""

from __future__ import annotations

from abc import ABC, abstractmethod

import msgspec

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.graph.body import read_contact, read_contact_changes
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.event_body import read_event
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
    name: str

    @abstractmethod
    def mailbox(self) -> Mailbox: ...

    def calendar(self) -> Calendar | None:
        found = self.mailbox().calendars.all()
        return next((one for one in found if one.name == self.name), None)

    def events(self) -> list[Event]:
        found = self.calendar()
        return list(found.events.values()) if found is not None else []

    def held(self) -> int:
        return len(self.events())

    def binned(self) -> int:
        return len(self.mailbox().calendars.bin)

    def user_adds(self, number: int) -> None:
        times = {
            name: {"dateTime": f"2026-12-01T{hour}:00:00", "timeZone": "W. Europe Standard Time"}
            for name, hour in (("start", 14), ("end", 15))
        }
        body = msgspec.json.encode({"subject": f"native {number}", **times})
        fields = EventFields(**read_event(body, self.world.switches).changes)  # type: ignore[arg-type]
        self.mailbox().calendars.create_event(self._there(), fields)

    def user_edits(self, text: str) -> None:
        body = msgspec.json.encode({"location": {"displayName": text}})
        changes = read_event(body, self.world.switches).changes
        self.mailbox().calendars.update_item(self.events()[0], changes)

    def user_purges(self) -> None:
        self.mailbox().calendars.purge_item(self.events()[0])

    def user_moves_away(self) -> None:
        calendars = self.mailbox().calendars
        calendars.move_event(self.events()[0], calendars.default)

    def folder_goes(self) -> None:
        self.mailbox().calendars.delete_calendar(self._there())

    def cursors_expire(self) -> None:
        self.mailbox().expire_delta_tokens()

    def _there(self) -> Calendar:
        found = self.calendar()
        assert found is not None
        return found
