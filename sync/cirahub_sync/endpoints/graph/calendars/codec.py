"""An event's two forms: ours and Graph's. Pure.

A series is one item: its master, with the exceptions that Graph has beside it. Where an exception
says what its series says, it says nothing.

**No attendees.** What is written has no member for them, in creates and in updates: Graph sends
invitations for events that have some, and tells them of changes (FACTS). An event that has any is
told as read-only (`Role`), a series also where only an exception has.

An occurrence has no body of its own in what a series' answers show when it has the series', so an
exception can't have a blank text where its series has one: that reads as having none of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from uuid import UUID, uuid5

import msgspec

from cirahub_sync.endpoints.base import Limits
from cirahub_sync.endpoints.graph import properties
from cirahub_sync.endpoints.graph.calendars.recurrence import (
    Fields,
    as_shown,
    day_of,
    local_of,
    moment,
    original_day,
    schedule_of,
    seconds_of,
    written,
)
from cirahub_sync.endpoints.graph.calendars.text import text_of
from cirahub_sync.endpoints.graph.calendars.wire import WireEvent, WireLocation
from cirahub_sync.endpoints.graph.wire import WireProperty
from cirahub_sync.model.event import INNER, SHARED, Event, Occurrence, Role, Sensitivity, ShowAs
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.schedule import Schedule, ScheduleError, parse
from cirahub_sync.model.zone import UnknownZoneError, local_time

LIMITS = Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}, schedule=as_shown)
UNREADABLE = (ScheduleError, UnknownZoneError, OverflowError)
"""What reading an event raises that can't be told in our terms. Texts have nothing of it, but for
OverflowError's."""

_OUTLOOK_UID = "040000008200E00074C5B7101A82E008"
"""How the UIDs of Exchange begin: [MS-OXOCAL] 2.2.1.27, PidLidGlobalObjectId. Behind it stands the
day of an occurrence that was sent by itself, as year (two bytes), month and day, or zeros."""
_TRANSACTIONS = UUID("0d6b6a0e-5a0e-4c43-9c1e-4a4f8f0f7c35")
_SHOWN_AS = {
    "free": ShowAs.FREE,
    "tentative": ShowAs.TENTATIVE,
    "busy": ShowAs.BUSY,
    "oof": ShowAs.OUT_OF_OFFICE,
    "workingElsewhere": ShowAs.WORKING_ELSEWHERE,
}
_SHOWN_AS_NAMES = {ours.value: name for name, ours in _SHOWN_AS.items()}
_SENSITIVITIES = frozenset(one.value for one in Sensitivity) - {Sensitivity.NORMAL.value}

_encoder = msgspec.json.Encoder()


class Goal(msgspec.Struct, frozen=True):
    """What the occurrences of a series are to say."""

    schedule: str
    exceptions: tuple[Occurrence, ...] = ()
    subject: str = ""
    body: str = ""
    location: str = ""


class Sending(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The bytes of a create or update, as the outbox takes them apart."""

    event: msgspec.Raw
    """Graph's JSON: of the event itself, or of the master."""
    goal: Goal | None = None
    """None: there is nothing to do about occurrences."""
    refused: str = ""
    """Why Exchange can't show it; then nothing is sent."""


_sending = msgspec.json.Decoder(Sending)


def decode(wire: WireEvent) -> Event:
    """A lone event, or a master with its `exceptionOccurrences` and `cancelledOccurrences`. Raises
    UNREADABLE."""
    when = schedule_of(wire)
    uid, original_start = _identity(wire)
    series = Event(
        subject=wire.subject or "",
        body=text_of(wire.body),
        location=_place(wire.location),
        schedule=when.text(),
        uid=uid,
        original_start=original_start,
        role=role_of(wire),
        response=(wire.response_status.response or "") if wire.response_status else "",
        show_as=_SHOWN_AS[wire.show_as].value if wire.show_as in _SHOWN_AS else "",
        reminder=str(wire.reminder_minutes_before_start or 0) if wire.is_reminder_on else "",
        sensitivity=(wire.sensitivity or "") if wire.sensitivity in _SENSITIVITIES else "",
        categories=tuple(wire.categories or ()),
    )
    if when.recurrence is None:
        return series
    return msgspec.structs.replace(series, exceptions=_exceptions(wire, series, when))


def instances(master: WireEvent, series: Event) -> dict[str, str]:
    """The ids of a master's exceptions, by the days that they are of."""
    when = parse(series.schedule)
    return {original_day(one, when): one.id for one in master.exception_occurrences or ()}


def is_at(wire: WireEvent, first: float, last: float) -> bool:
    """Whether a lone event or an occurrence is at that time, in POSIX seconds. Days count as in
    UTC."""
    if wire.start is None or wire.end is None:
        return False
    if wire.is_all_day:
        return day_of(wire.start, wire) == local_time(first, "UTC")
    return (seconds_of(wire.start), seconds_of(wire.end)) == (first, last)


def encode(content: Event) -> bytes:
    """A create, without its stamp."""
    try:
        fields = written(content.schedule)
    except (ScheduleError, UnknownZoneError) as error:
        return _encoder.encode(Sending(event=msgspec.Raw(b"{}"), refused=str(error)))
    if fields["recurrence"] is None:
        del fields["recurrence"]
    fields |= _said(content)
    if content.show_as in _SHOWN_AS_NAMES:
        fields["showAs"] = _SHOWN_AS_NAMES[content.show_as]
    fields["isReminderOn"] = bool(content.reminder)  # a copy nags nobody, unless a mapping says so
    if content.reminder.isdecimal():
        fields["reminderMinutesBeforeStart"] = int(content.reminder)
    if content.sensitivity:
        fields["sensitivity"] = content.sensitivity
    if content.categories:
        fields["categories"] = list(content.categories)
    goal = _goal(content) if content.exceptions else None
    return _encoder.encode(Sending(event=msgspec.Raw(_encoder.encode(fields)), goal=goal))


def encode_changes(
    before: Event | None, after: Event, fields: Collection[str] = EVENTS.fields
) -> bytes:
    """An update: the changed ones of what is shared. Without `before`, every one of `fields`."""
    patch: Fields = {}
    changed = {
        field
        for field in SHARED.intersection(fields)
        if before is None or getattr(before, field) != getattr(after, field)
    }
    try:
        if "schedule" in changed:
            patch |= written(after.schedule)
    except (ScheduleError, UnknownZoneError) as error:
        return _encoder.encode(Sending(event=msgspec.Raw(b"{}"), refused=str(error)))
    patch |= {name: value for name, value in _said(after).items() if name in changed}
    excepted = after.exceptions or (before is not None and before.exceptions)
    inner = changed.intersection(("exceptions", "schedule", *INNER))
    follows = "exceptions" in changed if before is None else bool(excepted and inner)
    goal = _goal(after) if follows and parse(after.schedule).recurrence is not None else None
    return _encoder.encode(Sending(event=msgspec.Raw(_encoder.encode(patch)), goal=goal))


def sending(body: bytes) -> Sending:
    """Of `encode` and `encode_changes`."""
    return _sending.decode(body)


def with_stamp(event: msgspec.Raw, key: str) -> bytes:
    """The body of a create with its two idempotency keys put in: the stamp, which can be looked
    for, and the transaction's id, by which the service refuses to make the same event twice
    (https://learn.microsoft.com/graph/api/resources/event)."""
    keys = {
        "transactionId": str(uuid5(_TRANSACTIONS, key)),
        "singleValueExtendedProperties": [WireProperty(properties.STAMP, key)],
    }
    return b"".join((bytes(event)[:-1], b",", _encoder.encode(keys)[1:]))


def occurrence_changes(there: Occurrence, goal: Goal, original: str) -> Fields:
    """The members that turn an occurrence that is not cancelled into what it is to be."""
    wanted = next((one for one in goal.exceptions if one.original == original), None)
    wanted = wanted or Occurrence(original)
    changes: Fields = {}
    meant = _said(Event(**{name: getattr(wanted, name) or getattr(goal, name) for name in INNER}))
    for name in INNER:
        if getattr(wanted, name) != getattr(there, name):
            changes[name] = meant[name]
    if (wanted.start, wanted.end) != (there.start, there.end):
        when = parse(goal.schedule)
        start, end = span_of(when, wanted)
        changes |= {"start": moment(start, when.zone), "end": moment(end, when.zone)}
    return changes


def span_of(series: Schedule, one: Occurrence) -> tuple[datetime, datetime]:
    """When an occurrence begins and ends, in the series' zone."""
    if one.start:
        return datetime.fromisoformat(one.start), datetime.fromisoformat(one.end or one.start)
    day = datetime.fromisoformat(one.original).date()
    start = datetime.combine(day, series.start.time())
    return start, start + (series.end - series.start)


def _goal(content: Event) -> Goal:
    return Goal(
        as_shown(content.schedule),
        content.exceptions,
        content.subject,
        content.body,
        content.location,
    )


def _said(content: Event) -> Fields:
    """What INNER names, in Graph's terms, under the same names."""
    return {
        "subject": content.subject,
        "body": {"contentType": "text", "content": content.body},
        "location": {"displayName": content.location},
    }


def _place(location: WireLocation | None) -> str:
    return (location.display_name or "") if location is not None else ""


def role_of(wire: WireEvent) -> str:
    """Of an event that somebody else organises although nobody is shown as invited, as well."""
    invited = bool(wire.attendees) or any(one.attendees for one in wire.exception_occurrences or ())
    if wire.is_organizer is False:
        return Role.ATTENDEE.value
    return Role.ORGANIZER.value if invited else ""


def _identity(wire: WireEvent) -> tuple[str, str]:
    """The UID that the event has everywhere, and the day that it is the occurrence of, if this
    mailbox has not got its series."""
    uid = wire.i_cal_u_id or ""
    head, day, rest = uid[:32], uid[32:40], uid[40:]
    if head.upper() != _OUTLOOK_UID or not rest:
        return uid, ""
    try:
        year, month, dated = int(day[:4], 16), int(day[4:6], 16), int(day[6:], 16)
        original = f"{datetime(year, month, dated):%Y-%m-%d}" if int(day, 16) else ""  # noqa: DTZ001
    except ValueError:
        return uid, ""
    return f"{head}00000000{rest}".upper(), original


def _exceptions(wire: WireEvent, series: Event, when: Schedule) -> tuple[Occurrence, ...]:
    found = {
        day: Occurrence(day, cancelled=True)
        for day in map(_cancelled_day, wire.cancelled_occurrences or ())
    }
    for one in wire.exception_occurrences or ():
        exception = _exception(one, series, when)
        if exception.says:
            found[exception.original] = exception
    return tuple(found[day] for day in sorted(found))


def _exception(wire: WireEvent, series: Event, when: Schedule) -> Occurrence:
    original = original_day(wire, when)
    own = {
        "subject": wire.subject or "",
        "body": text_of(wire.body) if wire.body is not None else series.body,
        "location": _place(wire.location),
    }
    differs = {name: text for name, text in own.items() if text != getattr(series, name)}
    start, end = _moved(wire, when)
    if (start, end) != span_of(when, Occurrence(original)):
        form = "%Y-%m-%d" if when.all_day else "%Y-%m-%dT%H:%M:%S"
        differs |= {"start": start.strftime(form), "end": end.strftime(form)}
    return msgspec.structs.replace(Occurrence(original), **differs)


def _moved(wire: WireEvent, when: Schedule) -> tuple[datetime, datetime]:
    """Where an occurrence is, in its series' zone. One of a day in a series of whole days, which
    has times of its own, is told as the days that it touches."""
    if wire.start is None or wire.end is None:
        raise ScheduleError("an exception without a time")
    if not when.all_day:
        start, end = (local_of(one, when.zone) for one in (wire.start, wire.end))
        return start.replace(fold=0), end.replace(fold=0)
    if wire.is_all_day:
        return day_of(wire.start, wire), day_of(wire.end, wire)
    start, end = (local_of(one, "UTC") for one in (wire.start, wire.end))
    first = datetime.combine(start.date(), time())
    last = datetime.combine(end.date(), time())
    if last < end or last == first:
        last = _next_day(last)
    return first, last


def _next_day(day: datetime) -> datetime:
    return datetime.fromordinal(day.toordinal() + 1)


def _cancelled_day(identifier: str) -> str:
    """Of `OID.{id of the master}.{day}`:
    https://learn.microsoft.com/graph/api/resources/event, occurrenceId. Raises ScheduleError."""
    day = identifier.rpartition(".")[2]
    try:
        return datetime.strptime(day, "%Y-%m-%d").strftime("%Y-%m-%d")  # noqa: DTZ007 -- a date
    except ValueError:
        raise ScheduleError("a cancelled occurrence that does not say of which day it is") from None
