"""Writes an appointment: a new one into a calendar, or one that is there."""

from __future__ import annotations

from cirahub_simulator.calendar.event import Event, Instance
from cirahub_simulator.ews.calendar_item import PROPERTIES
from cirahub_simulator.ews.errors import EwsError, not_appendable, not_deletable, not_settable
from cirahub_simulator.ews.event_draft import EventDraft
from cirahub_simulator.ews.markup import Element
from cirahub_simulator.ews.property_path import Path
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.mailbox import Mailbox


class EventEditor:
    """See `contact_item.ContactEditor`."""

    def __init__(
        self,
        mailbox: Mailbox,
        folder: Folder,
        default_zone: str,
        item: Event | Instance | None = None,
        *,
        send: bool = False,
    ) -> None:
        self._mailbox = mailbox
        self._folder = folder
        self._item = item
        self._send = send
        self._draft = EventDraft(default_zone, item)

    def put(self, uri: str, node: Element) -> None:
        """Set a property. Raises EwsError."""
        found = PROPERTIES.get(uri)
        if found is None or found.write is None:
            raise not_settable(uri)
        found.write(self._draft, node)

    def put_extended(self, path: Path, value: str | None) -> None:
        """Set an extended property; None deletes it."""
        self._draft.put_extended(path.uri, value)

    def put_indexed(self, path: Path, item: Element | None) -> None:
        """An appointment has no entries. Raises EwsError."""
        raise not_settable(str(path)) if item is not None else not_deletable(str(path))

    def drop(self, uri: str) -> None:
        """Delete a property. Raises EwsError."""
        found = PROPERTIES.get(uri)
        if found is None or found.write is None:
            raise not_deletable(uri)
        found.write(self._draft, None)

    def append(self, uri: str, node: Element) -> None:
        """Add to a property. Raises EwsError."""
        if uri != "item:Body":
            raise not_appendable(uri)
        self._draft.append_body(node)

    def save(self) -> Event | Instance:
        """Write it. Raises EwsError, CalendarError, GraphError."""
        calendars, draft = self._mailbox.calendars, self._draft
        if self._item is not None:
            changes = draft.changes()
            if draft.uid is not None and isinstance(self._item, Event):
                self._item.uid = draft.uid
            return calendars.update_item(self._item, changes, draft.extended, send=self._send)
        calendar = calendars.of_folder(self._folder)
        if calendar is None:
            raise EwsError(
                "ErrorCannotCreateCalendarItemInNonCalendarFolder",
                "An appointment can be made in a calendar only.",
            )
        return calendars.create_event(
            calendar, draft.fields(), draft.extended, uid=draft.uid, send=self._send
        )
