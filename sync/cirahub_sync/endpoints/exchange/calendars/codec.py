"""An event's two forms: ours and that of Exchange Web Services. Pure.

A series is one item: its master, with the exceptions that are read beside it. Where an exception
says what its series says, it says nothing.

**No attendees.** What is written has no element for them, in creates and in updates, and every
write says SendToNone besides. An event that has any is told as read-only (`Role`), a series also
where only an exception has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import msgspec

from cirahub_sync.endpoints.appointments.series import (
    Goal,
    exception,
    followed,
    goal_of,
    said,
    span_of,
    texts,
    whole_days,
)
from cirahub_sync.endpoints.appointments.text import text_of
from cirahub_sync.endpoints.appointments.times import as_shown, zone_called
from cirahub_sync.endpoints.appointments.uid import identity
from cirahub_sync.endpoints.base import Limits
from cirahub_sync.endpoints.exchange import properties, wire
from cirahub_sync.endpoints.exchange.calendars.recurrence import (
    days_of,
    is_all_day,
    moment,
    original_day,
    schedule_of,
    times_of,
    written,
    zone_id,
)
from cirahub_sync.endpoints.exchange.wire import TYPES, Element, escaped, text_at
from cirahub_sync.model.event import SHARED, Event, Occurrence, Role, Sensitivity, ShowAs
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.schedule import Schedule, ScheduleError, parse
from cirahub_sync.model.zone import UnknownZoneError

LIMITS = Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}, schedule=as_shown)
UNREADABLE = (ScheduleError, UnknownZoneError, OverflowError, wire.UnreadableError)
"""What reading an event raises that can't be told in our terms. Texts have nothing of it, but for
OverflowError's."""

_SHOWN_AS = {
    "Free": ShowAs.FREE,
    "Tentative": ShowAs.TENTATIVE,
    "Busy": ShowAs.BUSY,
    "OOF": ShowAs.OUT_OF_OFFICE,
    "WorkingElsewhere": ShowAs.WORKING_ELSEWHERE,
}
_SHOWN_AS_NAMES = {ours.value: name for name, ours in _SHOWN_AS.items()}
_SENSITIVITIES = {
    one.value.capitalize(): one.value for one in Sensitivity if one is not Sensitivity.NORMAL
}
_RESPONSES = {
    "Organizer": "organizer",
    "Tentative": "tentativelyAccepted",
    "Accept": "accepted",
    "Decline": "declined",
    "NoResponseReceived": "notResponded",
}
"""ResponseTypeType, in Graph's words; `Unknown` is what an event of one's own has."""
_INVITED = ("RequiredAttendees", "OptionalAttendees", "Resources")
_RECEIVED = 2
"""[MS-OXOCAL] 2.2.1.10, PidLidAppointmentStateFlags: somebody else organises it."""
_TEXTS = {"subject": "item:Subject", "body": "item:Body", "location": "calendar:Location"}
_INSIDE = (
    *_TEXTS.values(),
    *(
        f"calendar:{name}"
        for name in (
            "Start",
            "End",
            "IsAllDayEvent",
            "StartTimeZone",
            "AppointmentState",
            *_INVITED,
        )
    ),
)
OCCURRENCE_PATHS = tuple(wire.field(uri) for uri in _INSIDE)
"""Every property of an exception that counts."""
PATHS = (
    *OCCURRENCE_PATHS,
    *(
        wire.field(f"item:{name}")
        for name in (
            "Sensitivity",
            "Categories",
            "ReminderIsSet",
            "ReminderMinutesBeforeStart",
            "DateTimeCreated",
            "LastModifiedTime",
        )
    ),
    *(
        wire.field(f"calendar:{name}")
        for name in (
            "UID",
            "LegacyFreeBusyStatus",
            "MyResponseType",
            "CalendarItemType",
            "Recurrence",
            "ModifiedOccurrences",
            "DeletedOccurrences",
        )
    ),
    properties.STAMP,
)
"""Every property that makes an event complete."""


class Sending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bytes of a create or update, as the outbox takes them apart."""

    early: str = ""
    """Of a create: the elements before the stamp, as the schema orders them. Of an update: the
    changes that do not depend on what is there."""
    late: str = ""
    """Of a create: the elements after the stamp."""
    schedule: str = ""
    """Of an update: when it is to be; blank if that does not change."""
    meant: Event = Event()
    """What there is after it, if the service takes it as it is; but for exceptions."""
    goal: Goal | None = None
    """None: there is nothing to do about occurrences."""
    refused: str = ""
    """Why Exchange can't show it; then nothing is sent."""


_encoder = msgspec.json.Encoder()
_sending = msgspec.json.Decoder(Sending)


def decode(item: Element, exceptions: Mapping[str, Element]) -> Event:
    """A lone event, or a master with its exceptions by their ids. Raises UNREADABLE."""
    when = schedule_of(item)
    uid, original_start = identity(text_at(item, "UID"))
    reminder = text_at(item, "ReminderIsSet") == "true"
    show_as = text_at(item, "LegacyFreeBusyStatus")
    series = Event(
        subject=text_at(item, "Subject"),
        body=_body(item),
        location=text_at(item, "Location"),
        schedule=when.text(),
        uid=uid,
        original_start=original_start,
        role=role_of(item, exceptions),
        response=_RESPONSES.get(text_at(item, "MyResponseType"), ""),
        show_as=_SHOWN_AS[show_as].value if show_as in _SHOWN_AS else "",
        reminder=(text_at(item, "ReminderMinutesBeforeStart") or "0") if reminder else "",
        sensitivity=_SENSITIVITIES.get(text_at(item, "Sensitivity"), ""),
        categories=tuple(each.text or "" for each in item.iterfind(f"{TYPES}Categories/*")),
    )
    if when.recurrence is None:
        return series
    inner = tuple(_exceptions(item, exceptions, series, when))
    return msgspec.structs.replace(series, exceptions=inner)


def modified(master: Element) -> Iterator[tuple[str, Element]]:
    """The ids of a master's exceptions, each with what the master tells of it."""
    for one in master.iterfind(f"{TYPES}ModifiedOccurrences/{TYPES}Occurrence"):
        found = one.find(f"{TYPES}ItemId")
        yield "" if found is None else str(found.get("Id") or ""), one


def instances(master: Element, series: Event) -> dict[str, str]:
    """The ids of a master's exceptions, by the days that they are of."""
    when = parse(series.schedule)
    return {original_day(told, "OriginalStart", when): each for each, told in modified(master)}


def why(error: Exception) -> str:
    """What UNREADABLE says, without a text of the event."""
    if isinstance(error, (ScheduleError, UnknownZoneError)):
        return str(error)
    return "a date beyond all calendars" if isinstance(error, OverflowError) else "no id"


def is_series(item: Element) -> bool:
    return text_at(item, "CalendarItemType") == "RecurringMaster"


def role_of(item: Element, exceptions: Mapping[str, Element]) -> str:
    """Of an event that somebody else organises although nobody is shown as invited, as well."""
    state = text_at(item, "AppointmentState")
    if state.isdecimal() and int(state) & _RECEIVED:
        return Role.ATTENDEE.value
    whole = (item, *(exceptions[each] for each, _ in modified(item) if each in exceptions))
    invited = any(one.find(f"{TYPES}{name}/*") is not None for one in whole for name in _INVITED)
    return Role.ORGANIZER.value if invited else ""


def encode(content: Event) -> bytes:
    """A create, without its stamp."""
    try:
        when = written(content.schedule)
    except (ScheduleError, UnknownZoneError) as error:
        return _encoder.encode(Sending(refused=str(error)))
    early = [wire.tag("Subject", content.subject)]
    if content.sensitivity:
        early.append(wire.tag("Sensitivity", content.sensitivity.capitalize()))
    early.append(_body_element(content.body))
    if content.categories:
        names = "".join(wire.tag("String", each) for each in content.categories)
        early.append(wire.element("Categories", names))
    # A copy nags nobody, unless a mapping says so.
    early.append(wire.tag("ReminderIsSet", _boolean(bool(content.reminder))))
    if content.reminder.isdecimal():
        early.append(wire.tag("ReminderMinutesBeforeStart", content.reminder))
    late = [
        wire.tag("Start", when.start),
        wire.tag("End", when.end),
        wire.tag("IsAllDayEvent", _boolean(when.all_day)),
    ]
    if content.show_as in _SHOWN_AS_NAMES:
        late.append(wire.tag("LegacyFreeBusyStatus", _SHOWN_AS_NAMES[content.show_as]))
    late.append(wire.tag("Location", content.location))
    if when.recurrence:
        late.append(wire.element("Recurrence", when.recurrence))
    late += (_zone_element(name, when.zone) for name in ("StartTimeZone", "EndTimeZone"))
    goal = goal_of(content) if content.exceptions else None
    meant = msgspec.structs.replace(content, exceptions=())
    return _encoder.encode(
        Sending(early="".join(early), late="".join(late), meant=meant, goal=goal)
    )


def encode_changes(
    before: Event | None, after: Event, fields: Collection[str] = EVENTS.fields
) -> bytes:
    """An update: the changed ones of what is shared. Without `before`, every one of `fields`."""
    changed = {
        field
        for field in SHARED.intersection(fields)
        if before is None or getattr(before, field) != getattr(after, field)
    }
    try:
        if "schedule" in changed:
            written(after.schedule)
    except (ScheduleError, UnknownZoneError) as error:
        return _encoder.encode(Sending(refused=str(error)))
    follows = followed(before, after, changed)
    sent = Sending(
        early="".join(_set_text(name, after) for name in _TEXTS if name in changed),
        schedule=after.schedule if "schedule" in changed else "",
        meant=msgspec.structs.replace(after, exceptions=()),
        goal=goal_of(after) if follows and parse(after.schedule).recurrence is not None else None,
    )
    return _encoder.encode(sent)


def sending(body: bytes) -> Sending:
    """Of `encode` and `encode_changes`."""
    return _sending.decode(body)


def schedule_changes(text: str, there: Element) -> str:
    """The changes that move an appointment. Whole days stay midnights of the zone that it was made
    in: in another they would be shown on two days."""
    when = written(text, _midnights(zone_id(there)) if is_all_day(there) else "")
    changes = [
        _set("calendar:Start", wire.tag("Start", when.start)),
        _set("calendar:End", wire.tag("End", when.end)),
        _set("calendar:IsAllDayEvent", wire.tag("IsAllDayEvent", _boolean(when.all_day))),
    ]
    if when.recurrence:
        changes.append(_set("calendar:Recurrence", wire.element("Recurrence", when.recurrence)))
    elif is_series(there):
        changes.append(
            f"<t:DeleteItemField>{wire.field('calendar:Recurrence')}</t:DeleteItemField>"
        )
    changes += (
        _set(f"calendar:{name}", _zone_element(name, when.zone))
        for name in ("StartTimeZone", "EndTimeZone")
    )
    return "".join(changes)


def occurrence_changes(there: Occurrence, goal: Goal, original: str, zone: str) -> str:
    """The changes that turn an occurrence that is not cancelled into what it is to be. `zone`: in
    which whole days of its series are midnights."""
    wanted = goal.wanted(original)
    meant = texts(wanted, goal)
    changes = [_set_text(name, meant) for name in said(there, wanted)]
    if (wanted.start, wanted.end) != (there.start, there.end):
        when = parse(goal.schedule)
        name = when.zone or zone_called(_midnights(zone))
        for what, at in zip(("Start", "End"), span_of(when, wanted), strict=True):
            changes.append(_set(f"calendar:{what}", wire.tag(what, moment(at, name))))
    return "".join(changes)


# Inside


def _body(item: Element) -> str:
    body = item.find(f"{TYPES}Body")
    if body is None:
        return ""
    return text_of(body.text or "", html=body.get("BodyType") == "HTML")


def _exceptions(
    master: Element, read: Mapping[str, Element], series: Event, when: Schedule
) -> list[Occurrence]:
    found = {
        day: Occurrence(day, cancelled=True)
        for day in (
            original_day(one, "Start", when)
            for one in master.iterfind(f"{TYPES}DeletedOccurrences/{TYPES}DeletedOccurrence")
        )
    }
    for each, told in modified(master):
        day = original_day(told, "OriginalStart", when)
        item = read.get(each)
        if item is None:
            raise ScheduleError("a series of which an exception could not be read")
        own = {
            "subject": text_at(item, "Subject"),
            "body": _body(item),
            "location": text_at(item, "Location"),
        }
        one = exception(day, own, _moved(item, when), series, when)
        if one.says:
            found[day] = one
    return [found[day] for day in sorted(found)]


def _moved(item: Element, when: Schedule) -> tuple[datetime, datetime]:
    """Where an occurrence is, in its series' zone. One of a day in a series of whole days, which
    has times of its own, is told as the days that it touches."""
    if when.all_day:
        return days_of(item) if is_all_day(item) else whole_days(*times_of(item, "UTC"))
    start, end = times_of(item, when.zone)
    return start.replace(fold=0), end.replace(fold=0)


def _midnights(zone: str) -> str:
    """Exchange's name of a zone in which whole days are midnights; UTC for one that is not known
    here."""
    try:
        zone_called(zone)
    except UnknownZoneError:
        return "UTC"
    return zone


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _body_element(text: str) -> str:
    return f'<t:Body BodyType="Text">{escaped(text)}</t:Body>'


def _zone_element(name: str, zone: str) -> str:
    return f'<t:{name} Id="{escaped(zone)}"/>'


def _set_text(name: str, event: Event) -> str:
    text = getattr(event, name)
    content = _body_element(text) if name == "body" else wire.tag(name.capitalize(), text)
    return _set(_TEXTS[name], content)


def _set(path: str, content: str) -> str:
    return (
        f"<t:SetItemField>{wire.field(path)}<t:CalendarItem>{content}</t:CalendarItem>"
        "</t:SetItemField>"
    )
