"""A mailbox's calendars: the events in them, and everything that happens to those.

These methods are what Graph requests, Exchange Web Services and the admin endpoint ("as the user")
go through. What an event is, apart from any mailbox, is in `cirahub_simulator.calendar`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import msgspec

from cirahub_simulator.calendar.errors import validation_failure
from cirahub_simulator.calendar.event import (
    GLOBAL_OBJECT_ID,
    Event,
    Instance,
    Item,
    Override,
    read_instance_id,
)
from cirahub_simulator.calendar.fields import INSTANCE_FIELDS, NEVER, Address, EventFields, Response
from cirahub_simulator.calendar.revision import (
    check_neighbours,
    restarted,
    series_of,
    with_statuses,
)
from cirahub_simulator.calendar.rules import check
from cirahub_simulator.calendar.zone import Window
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.calendar import Calendar, Place
from cirahub_simulator.graph.changes import Change, ChangeLog
from cirahub_simulator.graph.folder import Folder
from cirahub_simulator.graph.identifiers import looks_like_id
from cirahub_simulator.graph.meetings import Meetings

_TIMES = frozenset(("start", "end", "recurrence", "is_all_day"))
"""What moves the instances of a series."""


class Calendars:
    """The calendars of one mailbox."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._calendars: dict[str, Calendar] = {}
        self._events: dict[str, Event] = {}
        self._transactions: dict[str, Event] = {}
        self.bin: dict[str, Event] = {}
        """Events in Deleted Items, by immutable id."""
        self.bin_changes: ChangeLog[Event] = ChangeLog()
        """What came into Deleted Items and left it."""
        self._meetings = Meetings(place.world, place.user_id, place.stamp)
        self.default = self._add_calendar(place.folder, is_default=True)

    # Reading

    @property
    def owner(self) -> Address:
        """Who the mailbox belongs to."""
        return self._meetings.owner

    def all(self) -> list[Calendar]:
        """All calendars that are not in Deleted Items, the default one first."""
        bin_folder = self._place.bin_folder
        return [one for one in self._calendars.values() if not _below(one.folder, bin_folder)]

    def of_folder(self, folder: Folder) -> Calendar | None:
        """The calendar that a folder is, if it is one."""
        return self._calendars.get(folder.id)

    def find(self, item_id: str) -> Item | None:
        """The event or instance of this id, of either kind, in Deleted Items too."""
        event = self._events.get(item_id) or self.bin.get(item_id)
        if event is None:
            event = next((one for one in self.bin.values() if one.id == item_id), None)
        if event is not None:
            return event
        parts = read_instance_id(item_id)
        master = None if parts is None else self._events.get(parts[0])
        return None if master is None or parts is None else master.instance(parts[1])

    def calendar(self, calendar_id: str) -> Calendar:
        """The calendar of this id. Raises GraphError."""
        calendar = self._calendars.get(calendar_id)
        if calendar is not None:
            return calendar
        if not looks_like_id(calendar_id):
            raise errors.malformed_id()
        raise errors.item_not_found()

    def item(self, item_id: str, calendar: Calendar | None = None) -> Item:
        """The event or instance of this id, of either kind; in this calendar, if one is given.

        Raises GraphError.
        """
        item: Item | None = self._event(item_id, calendar)
        if item is None and (parts := read_instance_id(item_id)) is not None:
            event = self._event(parts[0], calendar)
            item = event.instance(parts[1]) if event is not None else None
        if item is not None and (calendar is None or item.calendar is calendar):
            return item
        if item is None and not looks_like_id(item_id):
            raise errors.malformed_id()
        raise errors.item_not_found()

    def view(self, calendar: Calendar, window: Window) -> list[Item]:
        """What is in a window, series expanded, by start.

        https://learn.microsoft.com/graph/api/calendar-list-calendarview: occurrences, exceptions
        and single instances.
        """
        found: list[Item] = []
        for event in calendar.events.values():
            if event.series is not None:
                found += event.instances(window)
            elif event.in_window(window):
                found.append(event)
        found.sort(key=lambda item: item.fields.start.instant)
        return found

    # Calendars

    def create_calendar(self, name: str) -> Calendar:
        """Add a calendar. Raises GraphError when the name is taken."""
        self._check_name(name, None)
        return self._add_calendar(self._place.new_folder(name), is_default=False)

    def rename_calendar(self, calendar: Calendar, name: str) -> None:
        """Give a calendar another name. Raises GraphError when it is taken."""
        self._check_name(name, calendar)
        calendar.folder.display_name = name
        self.touch_calendar(calendar)
        self._place.touch_folder(calendar.folder)

    def touch_calendar(self, calendar: Calendar) -> None:
        """Note a write to a calendar itself."""
        calendar.sequence = self._place.sequence()

    def change_key(self, calendar: Calendar) -> str:
        """The change key of a calendar itself."""
        return self._place.numbering.change_key(calendar.sequence)

    def delete_calendar(self, calendar: Calendar) -> None:
        """Remove a calendar with all that is in it. Raises GraphError for the default one."""
        if calendar.is_default:
            raise errors.GraphError(
                400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted."
            )
        self.drop_folder(calendar.folder)
        self._place.drop_folder(calendar.folder)

    def adopt_folder(self, folder: Folder) -> None:
        """Make a calendar of a new folder."""
        self._add_calendar(folder, is_default=False)

    def drop_folder(self, folder: Folder) -> None:
        """Forget the calendar of a folder that goes for good, if it was one."""
        calendar = self._calendars.pop(folder.id, None)
        if calendar is not None:
            for event in list(calendar.events.values()):
                self._remove(event)

    # Events

    def create_event(
        self,
        calendar: Calendar,
        fields: EventFields,
        extended: Mapping[str, str | None] | None = None,
        *,
        transaction_id: str | None = None,
        uid: str | None = None,
        organizer: Address | None = None,
        send: bool = True,
    ) -> Event:
        """Add an event. Raises CalendarError and GraphError.

        With attendees, Exchange sends them invitations, unless `send` is false. `organizer`: for
        somebody else's meeting, to which this mailbox's owner was invited.
        """
        check(fields)
        number = self._place.number()
        stamp = self._place.stamp()
        own = organizer is None or self._meetings.is_owner(organizer)
        event = Event(
            item_id=self._place.numbering.item_id(calendar.folder.item_prefix, number),
            immutable_id=self._place.numbering.immutable_id(number),
            number=number,
            calendar=calendar,
            fields=fields,
            uid=uid or self._uid(number),
            organizer=self.owner if organizer is None else organizer,
            response=Response("organizer" if own else "notResponded", NEVER),
            created=stamp,
        )
        event.series = series_of(fields)
        event.extended = {name: v for name, v in (extended or {}).items() if v is not None}
        event.transaction_id = transaction_id
        if transaction_id is not None:
            self._transactions[transaction_id] = event
        self._enter(event, calendar)
        self._write(event, placed=True)
        if send:
            self._meetings.invite(event)
        return event

    def created_by(self, transaction_id: str) -> Event | None:
        """The event that a transaction created, whatever became of it.

        https://learn.microsoft.com/graph/api/resources/event (transactionId)
        """
        return self._transactions.get(transaction_id)

    def update_item(
        self,
        item: Item,
        changes: Mapping[str, object],
        extended: Mapping[str, str | None] | None = None,
        *,
        send: bool = True,
    ) -> Item:
        """Write the attributes of EventFields that are named, and no others.

        Raises CalendarError. Writing to an occurrence makes it an exception; writing when a series
        is drops its exceptions and cancellations, as Outlook does.
        """
        if isinstance(item, Instance):
            return self._update_instance(item, changes, extended or {}, send=send)
        before = item.fields
        fields = with_statuses(msgspec.structs.replace(before, **changes), before)
        if "start" in changes and "recurrence" not in changes and fields.recurrence is not None:
            fields = restarted(fields)
        check(fields)
        self._remember(item)
        moved = any(getattr(fields, name) != getattr(before, name) for name in _TIMES)
        item.fields = fields
        if moved:
            item.overrides = {}
            item.series = series_of(fields)
        for name, value in (extended or {}).items():
            if value is None:
                item.extended.pop(name, None)
            else:
                item.extended[name] = value
        self._write(item)
        if send:
            self._meetings.update(item, before)
        return item

    def delete_item(self, item: Item, *, send: bool = True) -> None:
        """Move an event to Deleted Items, or take an instance out of its series.

        https://learn.microsoft.com/graph/api/event-delete: deleting a meeting on the organizer's
        calendar sends a cancellation to its attendees. What is in Deleted Items goes for good.
        """
        if isinstance(item, Instance):
            self._cancel_instance(item, send=send)
            return
        if self._leave_bin(item):
            return
        if send:
            self._meetings.cancel(item)
        self._remove(item)
        item.id = self._place.numbering.item_id(
            self._place.bin_folder.item_prefix, self._place.number()
        )
        self.bin[item.immutable_id] = item
        self._note_in_bin(item, removed=False)

    def purge_item(self, item: Item, *, send: bool = True) -> None:
        """Delete an event for good: https://learn.microsoft.com/graph/api/event-permanentdelete"""
        if isinstance(item, Instance):
            self._cancel_instance(item, send=send)
        elif not self._leave_bin(item):
            if send:
                self._meetings.cancel(item)
            self._remove(item)

    def move_event(self, event: Event, calendar: Calendar) -> Event:
        """Move an event, within the mailbox or back out of Deleted Items, as its user does.

        Its regular id changes, its immutable id does not.
        """
        if event.calendar is calendar and event.immutable_id not in self.bin:
            return event
        if not self._leave_bin(event):
            self._remove(event)
        event.id = self._place.numbering.item_id(calendar.folder.item_prefix, self._place.number())
        self._enter(event, calendar)
        self._write(event, placed=True)
        return event

    def copy_event(self, event: Event, calendar: Calendar | None = None) -> Event:
        """Copy an event, as its user does in Outlook; by default beside itself.

        A copy of a meeting is an appointment of one's own, without attendees.
        """
        kept = self._place.world.switches.copy_keeps_extended_properties
        fields = msgspec.structs.replace(event.fields, attendees=())
        copy = self.create_event(calendar or event.calendar, fields, event.extended if kept else {})
        copy.overrides = {
            day: msgspec.structs.replace(override) for day, override in event.overrides.items()
        }
        copy.series = event.series
        return copy

    @property
    def meetings(self) -> Meetings:
        """Invitations and responses."""
        return self._meetings

    def respond(self, item: Item, response: Response) -> None:
        """Note the owner's own response to a meeting."""
        event = item.event if isinstance(item, Instance) else item
        self._remember(event)
        event.response = response
        self._write(event)

    def touch_event(self, event: Event) -> None:
        """Note a write to what belongs to an event and is no field of it."""
        self._remember(event)
        self._write(event)

    # Inside

    def _event(self, event_id: str, calendar: Calendar | None) -> Event | None:
        event = self._events.get(event_id)
        if event is None and calendar is None and self._place.world.switches.immutable_id_in_bin:
            event = self.bin.get(event_id)
        return event

    def _add_calendar(self, folder: Folder, *, is_default: bool) -> Calendar:
        calendar = Calendar(folder, is_default=is_default)
        self._calendars[calendar.id] = calendar
        self.touch_calendar(calendar)
        return calendar

    def _check_name(self, name: str, renamed: Calendar | None) -> None:
        for calendar in self._calendars.values():
            if calendar is not renamed and calendar.name.casefold() == name.casefold():
                raise errors.folder_exists()

    def _enter(self, event: Event, calendar: Calendar) -> None:
        event.calendar = calendar
        calendar.events[event.immutable_id] = event
        self._events[event.id] = event
        self._events[event.immutable_id] = event

    def _remove(self, event: Event) -> None:
        del event.calendar.events[event.immutable_id]
        del self._events[event.id]
        del self._events[event.immutable_id]
        sequence = self._place.sequence()
        event.calendar.changes.append(
            Change(sequence, self._place.world.clock.time(), event, event.id, removed=True)
        )

    def _remember(self, event: Event) -> None:
        """Keep when an event is before a write, for deltas to tell what is gone."""
        times = event.series or (event.fields.start, event.fields.end)
        event.history.append((self._place.sequence(), times))

    def _leave_bin(self, event: Event) -> bool:
        """Take an event out of Deleted Items; say whether it was there."""
        if self.bin.pop(event.immutable_id, None) is None:
            return False
        self._note_in_bin(event, removed=True)
        return True

    def _note_in_bin(self, event: Event, *, removed: bool) -> None:
        now = self._place.world.clock.time()
        self.bin_changes.append(
            Change(
                self._place.sequence(), now, event, event.id, removed=removed, placed=not removed
            )
        )

    def _write(
        self, event: Event, override: Override | None = None, *, placed: bool = False
    ) -> None:
        sequence = self._place.sequence()
        event.sequence = sequence
        event.modified = self._place.stamp()
        event.change_key = self._place.numbering.change_key(sequence)
        if override is None:
            event.master_sequence = sequence
        else:
            override.sequence = sequence
            override.modified = event.modified
            override.change_key = event.change_key
        event.calendar.changes.append(
            Change(sequence, self._place.world.clock.time(), event, event.id, placed=placed)
        )

    def _update_instance(
        self,
        item: Instance,
        changes: Mapping[str, object],
        extended: Mapping[str, str | None],
        *,
        send: bool,
    ) -> Instance:
        if not INSTANCE_FIELDS.issuperset(changes):
            raise validation_failure("An occurrence can't have a recurrence of its own.")
        event, day, before = item.event, item.day, item.fields
        fields = msgspec.structs.replace(before, **changes)
        check(fields)
        if fields.start != before.start or fields.end != before.end:
            check_neighbours(item.series, day, fields.start, fields.end)
        self._remember(event)
        override = event.overrides.get(day)
        if override is None:
            override = event.overrides[day] = Override(
                changes={}, extended={}, change_key="", modified="", sequence=0
            )
        override.changes.update(changes)
        override.extended.update(extended)
        moved = dict(item.series.moved)
        if (fields.start, fields.end) != item.series.planned(day):
            moved[day] = (fields.start, fields.end)
        else:
            moved.pop(day, None)
        event.series = replace(item.series, moved=moved)
        self._write(event, override)
        written = Instance(event, event.series, day)
        if send:
            self._meetings.update(written, before)
        return written

    def _cancel_instance(self, item: Instance, *, send: bool) -> None:
        if send:
            self._meetings.cancel(item)
        event, series = item.event, item.series
        self._remember(event)
        moved = {day: times for day, times in series.moved.items() if day != item.day}
        event.series = replace(series, cancelled=series.cancelled | {item.day}, moved=moved)
        event.overrides.pop(item.day, None)
        gone = Override(changes={}, extended={}, change_key="", modified="", sequence=0)
        self._write(event, gone)

    def _uid(self, number: int) -> str:
        """A UID as Outlook makes them: [MS-OXOCAL] 2.2.1.27."""
        made = int((self._place.world.clock.time() + 11_644_473_600) * 10_000_000)
        data = sha256(f"{self._place.user_id} {number}".encode()).hexdigest()[:32].upper()
        time = made.to_bytes(8, "little").hex().upper()
        return f"{GLOBAL_OBJECT_ID}00000000{time}000000000000000010000000{data}"


def _below(folder: Folder, above: Folder) -> bool:
    node: Folder | None = folder
    while node is not None and node is not above:
        node = node.parent
    return node is not None
