"""An appointment's properties as EWS has them: [MS-OXWSMTGS] 2.2.4.9 (CalendarItemType).

https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendaritem. Times are
answered in UTC, StartTimeZone and EndTimeZone beside them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cirahub_simulator.calendar.event import Event, Instance
from cirahub_simulator.calendar.fields import (
    NEVER,
    Address,
    Attendee,
    Location,
    ResponseType,
    ShowAs,
)
from cirahub_simulator.calendar.text import as_html, as_text, preview
from cirahub_simulator.calendar.zone import windows_name
from cirahub_simulator.ews import mapi
from cirahub_simulator.ews.event_draft import AttendeeType, EventDraft
from cirahub_simulator.ews.identifiers import ews_id
from cirahub_simulator.ews.item_properties import (
    item_properties,
    locale_of,
    read_culture,
    read_strings,
    strings,
)
from cirahub_simulator.ews.markup import Element, add, element, is_true, text_of
from cirahub_simulator.ews.property import Property, Reading, Value
from cirahub_simulator.ews.series import write_recurrence

CLASS = "IPM.Appointment"
FREE_BUSY: dict[str, ShowAs] = {
    "Free": "free",
    "Tentative": "tentative",
    "Busy": "busy",
    "OOF": "oof",
    "WorkingElsewhere": "workingElsewhere",
    "NoData": "unknown",
}
_SHOWN = {show_as: name for name, show_as in FREE_BUSY.items()}
RESPONSES: dict[ResponseType, str] = {
    "none": "Unknown",
    "organizer": "Organizer",
    "tentativelyAccepted": "Tentative",
    "accepted": "Accept",
    "declined": "Decline",
    "notResponded": "NoResponseReceived",
}
TYPES = {
    "singleInstance": "Single",
    "occurrence": "Occurrence",
    "exception": "Exception",
    "seriesMaster": "RecurringMaster",
}
ATTENDEES: dict[str, AttendeeType] = {
    "RequiredAttendees": "required",
    "OptionalAttendees": "optional",
    "Resources": "resource",
}


def stamp(moment: datetime) -> str:
    """An instant as an xs:dateTime."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(length: timedelta) -> str:
    """An xs:duration of days, hours and minutes."""
    minutes = int(length.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M")) if n)
    if not days and not time:
        return "PT0S"
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def mailbox_of(address: Address) -> Element:
    """A Mailbox element."""
    made = element("t:Mailbox")
    if address.name:
        add(made, "t:Name", address.name)
    if address.address:
        add(made, "t:EmailAddress", address.address)
        add(made, "t:RoutingType", "SMTP")
    return made


def _attendee(attendee: Attendee) -> Element:
    made = element("t:Attendee")
    made.append(mailbox_of(attendee.email_address))
    add(made, "t:ResponseType", RESPONSES[attendee.status.response])
    if attendee.status.time and attendee.status.time != NEVER:
        add(made, "t:LastResponseTime", attendee.status.time)
    return made


def _attendees(name: str, kind: AttendeeType) -> Property[EventDraft]:
    return Property(
        f"calendar:{name}",
        lambda r: [_attendee(a) for a in r.event.fields.attendees if a.type == kind] or None,
        lambda draft, node: draft.put_attendees(kind, node),
    )


def _zone(name: str, attribute: str) -> Property[EventDraft]:
    def read(reading: Reading) -> Value:
        zone = windows_name(getattr(reading.event.fields, attribute).zone)
        return element(f"t:{name}", Id=zone, Name=zone)

    return Property(f"calendar:{name}", read, lambda draft, node: draft.put_zone(attribute, node))


def _zone_id(name: str, attribute: str) -> Property[EventDraft]:
    return Property(
        f"calendar:{name}",
        lambda r: windows_name(getattr(r.event.fields, attribute).zone),
    )


def _wall_clock(name: str, attribute: str) -> Property[EventDraft]:
    """The time on the clock of the zone, with its offset there."""

    def read(reading: Reading) -> Value:
        moment = getattr(reading.event.fields, attribute)
        offset = moment.local - moment.instant.replace(tzinfo=None)
        minutes = int(offset.total_seconds()) // 60
        sign = "-" if minutes < 0 else "+"
        shown = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
        return f"{moment.local:%Y-%m-%dT%H:%M:%S}{shown}"

    return Property(f"calendar:{name}", read)


def _occurrence(item: Instance, name: str) -> Element:
    made = element(f"t:{name}")
    add(made, "t:ItemId", Id=ews_id(item.id), ChangeKey=item.change_key)
    add(made, "t:Start", stamp(item.fields.start.instant))
    add(made, "t:End", stamp(item.fields.end.instant))
    add(made, "t:OriginalStart", stamp(item.original_start))
    return made


def _first(reading: Reading) -> Value:
    event = reading.event
    if not isinstance(event, Event) or event.series is None:
        return None
    found = next(event.every_instance(), None)
    return None if found is None else _occurrence(found, "FirstOccurrence")


def _last(reading: Reading) -> Value:
    event = reading.event
    if not isinstance(event, Event) or event.series is None:
        return None
    if event.series.recurrence.range.type == "noEnd":
        return None
    found = deque(event.every_instance(), maxlen=1)
    return _occurrence(found[0], "LastOccurrence") if found else None


def _modified(reading: Reading) -> Value:
    event = reading.event
    if not isinstance(event, Event):
        return None
    found = [event.instance(day) for day in sorted(event.overrides)]
    return [_occurrence(one, "Occurrence") for one in found if one is not None] or None


def _deleted(reading: Reading) -> Value:
    event = reading.event
    if not isinstance(event, Event) or event.series is None:
        return None
    made = []
    for day in sorted(event.series.cancelled):
        node = element("t:DeletedOccurrence")
        add(node, "t:Start", stamp(event.series.planned(day)[0].instant))
        made.append(node)
    return made or None


def _recurrence(reading: Reading) -> Value:
    found = reading.event.fields.recurrence
    return None if found is None else write_recurrence(found)


def _body(reading: Reading) -> Value:
    body = reading.event.fields.body
    if not body.content:
        return None
    wanted = reading.body_type
    if wanted == "Text" or (wanted == "Best" and body.content_type == "text"):
        return element("t:Body", as_text(body), BodyType="Text")
    return element("t:Body", as_html(body, wrapped=True), BodyType="HTML")


def _location(reading: Reading) -> Value:
    return reading.event.fields.location.display_name or None


def _enhanced_location(reading: Reading) -> Value:
    place: Location = reading.event.fields.location
    if not place.display_name:
        return None
    made = [element("t:DisplayName", place.display_name)]
    address = place.address
    parts = (
        ("Street", address.street),
        ("City", address.city),
        ("State", address.state),
        ("Country", address.country_or_region),
        ("PostalCode", address.postal_code),
    )
    if any(value for _, value in parts):
        node = element("t:PostalAddress")
        for name, value in parts:
            if value:
                add(node, f"t:{name}", value)
        made.append(node)
    return made


def _when(reading: Reading) -> Value:
    fields = reading.event.fields
    return f"{fields.start.local:%A, %d %B %Y %H:%M}-{fields.end.local:%H:%M}"


def _state(reading: Reading) -> Value:
    """[MS-OXOCAL] 2.2.1.10, PidLidAppointmentStateFlags: meeting, received, cancelled."""
    event = reading.event
    meeting = bool(event.fields.attendees)
    received = meeting and event.response.response != "organizer"
    return meeting + 2 * received + 4 * event.is_cancelled


def _simple(
    name: str,
    read: Callable[[Reading], Value],
    write: Callable[[EventDraft, Element | None], None] | None = None,
) -> Property[EventDraft]:
    return Property(f"calendar:{name}", read, write)


def _flag(name: str, attribute: str, default: bool) -> Property[EventDraft]:
    return Property(
        f"calendar:{name}",
        lambda r: bool(getattr(r.event.fields, attribute)),
        lambda draft, node: draft.put(
            attribute, default if node is None else is_true(text_of(node))
        ),
    )


_ITEM: tuple[Property[EventDraft], ...] = (
    Property(
        "item:ItemClass",
        lambda r: r.event.extended.get(mapi.MESSAGE_CLASS, CLASS),
        lambda draft, node: draft.put_class(node),
    ),
    Property(
        "item:Subject",
        lambda r: r.event.fields.subject or None,
        lambda draft, node: draft.put("subject", "" if node is None else text_of(node)),
    ),
    Property(
        "item:Sensitivity",
        lambda r: r.event.fields.sensitivity.capitalize(),
        lambda draft, node: draft.put_word("sensitivity", node, "normal"),
    ),
    Property("item:Body", _body, lambda draft, node: draft.put_body(node)),
    Property("item:Size", lambda r: 1200 + len(r.event.fields.body.content)),
    Property(
        "item:Categories",
        lambda r: strings(r.event.fields.categories) or None,
        lambda draft, node: draft.put("categories", tuple(read_strings(node))),
    ),
    Property(
        "item:Importance",
        lambda r: r.event.fields.importance.capitalize(),
        lambda draft, node: draft.put_word("importance", node, "normal"),
    ),
    Property(
        "item:InReplyTo",
        lambda r: r.event.extended.get(mapi.IN_REPLY_TO),
        lambda draft, node: draft.put_extended(
            mapi.IN_REPLY_TO, None if node is None else text_of(node)
        ),
    ),
    Property(
        "item:ReminderDueBy",
        lambda r: stamp(r.event.fields.start.instant),
        lambda draft, node: draft.pass_over(node),
    ),
    Property(
        "item:ReminderIsSet",
        lambda r: r.event.fields.is_reminder_on,
        lambda draft, node: draft.put(
            "is_reminder_on", node is not None and is_true(text_of(node))
        ),
    ),
    Property(
        "item:ReminderMinutesBeforeStart",
        lambda r: str(r.event.fields.reminder_minutes_before_start),
        lambda draft, node: draft.put_minutes(node),
    ),
    Property(
        "item:Culture",
        read_culture,
        lambda draft, node: draft.put_extended(mapi.LOCALE, locale_of(node)),
    ),
    Property("item:Preview", lambda r: preview(r.event.fields.body) or None),
    Property(
        "item:TextBody",
        lambda r: (
            element("t:TextBody", as_text(r.event.fields.body), BodyType="Text")
            if r.event.fields.body.content
            else None
        ),
    ),
)

_CALENDAR: tuple[Property[EventDraft], ...] = (
    _simple("UID", lambda r: r.event.uid, lambda draft, node: draft.put_uid(node)),
    _simple(
        "RecurrenceId",
        lambda r: None if r.event.original_start is None else stamp(r.event.original_start),
    ),
    _simple("DateTimeStamp", lambda r: r.event.modified),
    _simple(
        "Start",
        lambda r: stamp(r.event.fields.start.instant),
        lambda draft, node: draft.put_time("start", node),
    ),
    _simple(
        "End",
        lambda r: stamp(r.event.fields.end.instant),
        lambda draft, node: draft.put_time("end", node),
    ),
    _simple(
        "OriginalStart",
        lambda r: None if r.event.original_start is None else stamp(r.event.original_start),
    ),
    _flag("IsAllDayEvent", "is_all_day", default=False),
    _simple(
        "LegacyFreeBusyStatus",
        lambda r: _SHOWN[r.event.fields.show_as],
        lambda draft, node: draft.put_choice("show_as", node, FREE_BUSY, "busy"),
    ),
    _simple("Location", _location, lambda draft, node: draft.put_location(node)),
    _simple("When", _when, lambda draft, node: draft.pass_over(node)),
    _simple("IsMeeting", lambda r: bool(r.event.fields.attendees)),
    _simple("IsCancelled", lambda r: r.event.is_cancelled),
    _simple("IsRecurring", lambda r: r.event.kind in ("occurrence", "exception")),
    _simple(
        "MeetingRequestWasSent",
        lambda r: bool(r.event.fields.attendees) and r.event.response.response == "organizer",
    ),
    _flag("IsResponseRequested", "response_requested", default=True),
    _simple("CalendarItemType", lambda r: TYPES[r.event.kind]),
    _simple("MyResponseType", lambda r: RESPONSES[r.event.response.response]),
    _simple("Organizer", lambda r: [mailbox_of(r.event.organizer)]),
    *(_attendees(name, kind) for name, kind in ATTENDEES.items()),
    _simple("ConflictingMeetingCount", lambda _: "0"),
    _simple("AdjacentMeetingCount", lambda _: "0"),
    _simple("ConflictingMeetings", lambda _: None),
    _simple("AdjacentMeetings", lambda _: None),
    _simple(
        "Duration",
        lambda r: duration(r.event.fields.end.instant - r.event.fields.start.instant),
    ),
    _simple("TimeZone", lambda r: windows_name(r.event.fields.start.zone)),
    _simple(
        "AppointmentReplyTime",
        lambda r: None if r.event.response.time in (None, NEVER) else r.event.response.time,
    ),
    _simple("AppointmentSequenceNumber", lambda _: "0"),
    _simple("AppointmentState", lambda r: str(_state(r))),
    _simple("Recurrence", _recurrence, lambda draft, node: draft.put_recurrence(node)),
    _simple("FirstOccurrence", _first),
    _simple("LastOccurrence", _last),
    _simple("ModifiedOccurrences", _modified),
    _simple("DeletedOccurrences", _deleted),
    _simple("MeetingTimeZone", lambda _: None, lambda draft, node: draft.put_meeting_zone(node)),
    _zone("StartTimeZone", "start"),
    _zone("EndTimeZone", "end"),
    _simple("ConferenceType", lambda _: "0", lambda draft, node: draft.pass_over(node)),
    _flag("AllowNewTimeProposal", "allow_new_time_proposals", default=True),
    _simple(
        "IsOnlineMeeting",
        lambda r: r.event.fields.is_online_meeting,
        lambda draft, node: draft.pass_over(node),
    ),
    _simple("MeetingWorkspaceUrl", lambda _: None, lambda draft, node: draft.pass_over(node)),
    _simple("NetShowUrl", lambda _: None, lambda draft, node: draft.pass_over(node)),
    _simple("EnhancedLocation", _enhanced_location),
    _wall_clock("StartWallClock", "start"),
    _wall_clock("EndWallClock", "end"),
    _zone_id("StartTimeZoneId", "start"),
    _zone_id("EndTimeZoneId", "end"),
    _simple("JoinOnlineMeetingUrl", lambda _: None),
    _simple("OnlineMeetingSettings", lambda _: None),
    _simple("IsOrganizer", lambda r: r.event.response.response == "organizer"),
)

PROPERTIES: dict[str, Property[EventDraft]] = {
    entry.uri: entry for entry in (*item_properties(_ITEM), *_CALENDAR)
}
DEFAULT = frozenset(
    f"calendar:{name}"
    for name in (
        "Start",
        "End",
        "LegacyFreeBusyStatus",
        "Location",
        "CalendarItemType",
        "IsRecurring",
        "Organizer",
        "RequiredAttendees",
        "OptionalAttendees",
        "Resources",
        "MyResponseType",
    )
)
"""Of the Default shape: what the example of
https://learn.microsoft.com/exchange/client-developer/web-service-reference/getitem-operation-calendar-item
answers."""
NOT_FOUND = frozenset(
    f"calendar:{name}"
    for name in (
        "AdjacentMeetings",
        "ConflictingMeetings",
        "DeletedOccurrences",
        "FirstOccurrence",
        "LastOccurrence",
        "ModifiedOccurrences",
        "OptionalAttendees",
        "Recurrence",
        "RequiredAttendees",
        "Resources",
    )
)
"""What FindItem and SyncFolderItems leave to GetItem."""
