"""An appointment being written: changes of its fields, and what becomes of them when it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Literal, TypeAlias, get_args

import msgspec

from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.calendar.event import Event, Instance
from cirahub_simulator.calendar.fields import (
    Address,
    Attendee,
    Body,
    EventFields,
    Importance,
    Location,
    Response,
    Sensitivity,
)
from cirahub_simulator.calendar.recurrence import Recurrence, normal
from cirahub_simulator.calendar.zone import UTC_NAME, Moment, zone
from cirahub_simulator.ews.errors import EwsError, not_deletable, not_settable, schema_violation
from cirahub_simulator.ews.markup import Element, children, find, text_of
from cirahub_simulator.ews.moments import local_moment
from cirahub_simulator.ews.series import read_recurrence

AttendeeType: TypeAlias = Literal["required", "optional", "resource"]
_WORDS: dict[str, tuple[str, ...]] = {
    "sensitivity": get_args(Sensitivity),
    "importance": get_args(Importance),
}
_CLASS = "IPM.Appointment"


class EventDraft:
    """The changes of an appointment that is created (`of=None`) or written to."""

    def __init__(self, default_zone: str, of: Event | Instance | None = None) -> None:
        self._of = of
        self._default_zone = default_zone
        self._changes: dict[str, object] = {}
        self._times: dict[str, Element] = {}
        self._zones: dict[str, str] = {}
        self._recurrence: Element | None = None
        self._attendees: dict[str, tuple[Attendee, ...]] = {}
        self.extended: dict[str, str | None] = {}
        self.uid: str | None = None

    def put(self, attribute: str, value: object) -> None:
        """Set an attribute of EventFields."""
        self._changes[attribute] = value

    def put_extended(self, canonical: str, value: str | None) -> None:
        """Set an extended property; None removes it."""
        self.extended[canonical] = value

    def put_class(self, node: Element | None) -> None:
        """Set the item class. Raises EwsError for one of another kind of item."""
        if node is None:
            raise not_deletable("item:ItemClass")
        text = text_of(node)
        if not text.upper().startswith(_CLASS.upper()):
            raise EwsError("ErrorObjectTypeChanged", "The type of the object changed.")
        self.extended["String 0x1a"] = None if text == _CLASS else text

    def pass_over(self, node: Element | None) -> None:
        """What a client may send and nothing here depends on."""

    def put_word(self, attribute: str, node: Element | None, default: str) -> None:
        """Set an enumeration whose names are Graph's with a capital. Raises SoapFaultError."""
        word = default if node is None else text_of(node).lower()
        if word not in _WORDS[attribute]:
            raise schema_violation(f"The '{attribute.capitalize()}' element is invalid.")
        self._changes[attribute] = word

    def put_choice(
        self, attribute: str, node: Element | None, choices: Mapping[str, str], default: str
    ) -> None:
        """Set another enumeration. Raises SoapFaultError."""
        word = default if node is None else choices.get(text_of(node))
        if word is None:
            raise schema_violation(f"'{'' if node is None else text_of(node)}' is no choice.")
        self._changes[attribute] = word

    def put_minutes(self, node: Element | None) -> None:
        """Set when the reminder is. Raises SoapFaultError."""
        text = "15" if node is None else text_of(node).strip()
        if not text.lstrip("-").isdigit():
            raise schema_violation("The 'ReminderMinutesBeforeStart' element is no number.")
        self._changes["reminder_minutes_before_start"] = int(text)

    def put_body(self, node: Element | None) -> None:
        """Set the body."""
        if node is None:
            self._changes["body"] = Body()
            return
        content = text_of(node)
        self._changes["body"] = (
            Body(content_type="html", content=content)
            if node.get("BodyType") == "HTML"
            else Body(content_type="text", content=content)
        )

    def append_body(self, node: Element) -> None:
        """Add to the end of the body."""
        body = self._fields().body if self._of is not None else Body()
        changed = self._changes.get("body", body)
        assert isinstance(changed, Body)
        self._changes["body"] = Body(
            content_type=changed.content_type, content=changed.content + text_of(node)
        )

    def put_location(self, node: Element | None) -> None:
        """Set the one place."""
        name = "" if node is None else text_of(node)
        self._changes["locations"] = (Location(display_name=name),) if name else ()

    def put_uid(self, node: Element | None) -> None:
        """Set the UID. Raises EwsError."""
        if node is None:
            raise not_deletable("calendar:UID")
        if isinstance(self._of, Instance) and text_of(node) != self._of.uid:
            raise not_settable("calendar:UID")
        self.uid = text_of(node)

    def put_time(self, attribute: str, node: Element | None) -> None:
        """Set the start or the end. Raises EwsError."""
        if node is None:
            raise not_deletable(f"calendar:{attribute.capitalize()}")
        self._times[attribute] = node

    def put_zone(self, attribute: str, node: Element | None) -> None:
        """Set the zone of the start or the end. Raises EwsError for one that is unknown."""
        if node is None:
            raise not_deletable(f"calendar:{attribute.capitalize()}TimeZone")
        self._zones[attribute] = _known_zone(node.get("Id", ""))

    def put_meeting_zone(self, node: Element | None) -> None:
        """Set the zone as Exchange 2007 has it, by name."""
        name = None if node is None else node.get("TimeZoneName")
        if name:
            self._zones.setdefault("start", _known_zone(name))
            self._zones.setdefault("end", _known_zone(name))

    def put_attendees(self, kind: AttendeeType, node: Element | None) -> None:
        """Set the attendees of one kind."""
        found = []
        for child in [] if node is None else children(node):
            mailbox = find(child, "t:Mailbox")
            if mailbox is None:
                raise schema_violation("An 'Attendee' has no Mailbox.")
            name, address = find(mailbox, "t:Name"), find(mailbox, "t:EmailAddress")
            text = None if address is None else text_of(address)
            found.append(
                Attendee(
                    type=kind,
                    email_address=Address(
                        name=text if name is None else text_of(name), address=text
                    ),
                    status=Response("none"),
                )
            )
        self._attendees[kind] = tuple(found)

    def put_recurrence(self, node: Element | None) -> None:
        """Set or end the recurrence."""
        self._recurrence = node
        if node is None:
            self._changes["recurrence"] = None

    # What becomes of it

    def changes(self) -> dict[str, object]:
        """The attributes of EventFields to write. Raises EwsError, SoapFaultError."""
        made = dict(self._changes)
        before = None if self._of is None else self._of.fields
        for attribute in ("start", "end"):
            node, old = self._times.get(attribute), getattr(before, attribute, None)
            zone_name = self._zones.get(attribute)
            if zone_name is None:
                other = self._zones.get("start") if self._of is None else None
                zone_name = other or (self._default_zone if old is None else old.zone)
            if node is not None:
                made[attribute] = local_moment(text_of(node), zone_name, self._default_zone)
            elif attribute in self._zones and old is not None:
                made[attribute] = Moment(old.seen_in(zone_name), zone_name)
        if self._attendees:
            kept = () if before is None else before.attendees
            others = tuple(one for one in kept if one.type not in self._attendees)
            given = (one for kind in self._attendees.values() for one in kind)
            made["attendees"] = (*others, *given)
        if made.get("is_all_day", getattr(before, "is_all_day", False)):
            self._whole_days(made, before)
        if self._recurrence is not None:
            made["recurrence"] = self._read_recurrence(made, before)
        return made

    def fields(self) -> EventFields:
        """All the fields of a new appointment. Raises EwsError, SoapFaultError."""
        made = self.changes()
        start, end = made.pop("start", None), made.pop("end", None)
        if not isinstance(start, Moment) or not isinstance(end, Moment):
            raise EwsError("ErrorMissingArgument", "An appointment needs Start and End.")
        return msgspec.structs.replace(EventFields(start=start, end=end), **made)

    def _fields(self) -> EventFields:
        assert self._of is not None
        return self._of.fields

    @staticmethod
    def _whole_days(made: dict[str, object], before: EventFields | None) -> None:
        """Exchange stretches an all-day event to whole days in its zone.

        https://learn.microsoft.com/exchange/client-developer/web-service-reference/isalldayevent
        """
        start = made.get("start", None if before is None else before.start)
        end = made.get("end", None if before is None else before.end)
        if not isinstance(start, Moment) or not isinstance(end, Moment):
            return
        first = datetime.combine(start.local.date(), time())
        last = end.seen_in(start.zone)
        if last.time() != time():
            last = datetime.combine(last.date(), time()) + timedelta(days=1)
        made["start"] = Moment(first, start.zone)
        made["end"] = Moment(max(last, first + timedelta(days=1)), start.zone)

    def _read_recurrence(self, made: dict[str, object], before: EventFields | None) -> Recurrence:
        start = made.get("start", None if before is None else before.start)
        name = start.zone if isinstance(start, Moment) else UTC_NAME
        assert self._recurrence is not None
        return normal(read_recurrence(self._recurrence, name), name)


def _known_zone(name: str) -> str:
    try:
        zone(name)
    except CalendarError as error:
        raise EwsError(
            "ErrorTimeZone", f"The time zone {name!r} is not one of this server."
        ) from error
    return name
