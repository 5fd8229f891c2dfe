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
from datetime import datetime
from uuid import UUID, uuid5

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
from cirahub_sync.endpoints.appointments.times import as_shown
from cirahub_sync.endpoints.appointments.uid import identity
from cirahub_sync.endpoints.base import Limits
from cirahub_sync.endpoints.graph import properties
from cirahub_sync.endpoints.graph.calendars.recurrence import (
    Fields,
    day_of,
    local_of,
    moment,
    original_day,
    schedule_of,
    seconds_of,
    written,
)
from cirahub_sync.endpoints.graph.calendars.wire import WireBody, WireEvent, WireLocation
from cirahub_sync.endpoints.graph.wire import WireProperty
from cirahub_sync.model.event import SHARED, Event, Occurrence, Role, Sensitivity, ShowAs
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.model.schedule import Schedule, ScheduleError, parse
from cirahub_sync.model.zone import UnknownZoneError, local_time

LIMITS = Limits(fields=frozenset(EVENTS.fields), phones={}, addresses={}, schedule=as_shown)
UNREADABLE = (ScheduleError, UnknownZoneError, OverflowError)
"""What reading an event raises that can't be told in our terms. Texts have nothing of it, but for
OverflowError's."""

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
    uid, original_start = identity(wire.i_cal_u_id or "")
    series = Event(
        subject=wire.subject or "",
        body=text_at(wire.body),
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
    goal = goal_of(content) if content.exceptions else None
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
    follows = followed(before, after, changed)
    goal = goal_of(after) if follows and parse(after.schedule).recurrence is not None else None
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
    wanted = goal.wanted(original)
    meant = _said(texts(wanted, goal))
    changes: Fields = {name: meant[name] for name in said(there, wanted)}
    if (wanted.start, wanted.end) != (there.start, there.end):
        when = parse(goal.schedule)
        start, end = span_of(when, wanted)
        changes |= {"start": moment(start, when.zone), "end": moment(end, when.zone)}
    return changes


def _said(content: Event) -> Fields:
    """What INNER names, in Graph's terms, under the same names."""
    return {
        "subject": content.subject,
        "body": {"contentType": "text", "content": content.body},
        "location": {"displayName": content.location},
    }


def is_text(body: WireBody | None) -> bool:
    return body is None or (body.content_type or "text").lower() == "text" or not body.content


def text_at(body: WireBody | None) -> str:
    """Of HTML, too, what a reader sees of it."""
    return "" if body is None else text_of(body.content or "", html=not is_text(body))


def _place(location: WireLocation | None) -> str:
    return (location.display_name or "") if location is not None else ""


def role_of(wire: WireEvent) -> str:
    """Of an event that somebody else organises although nobody is shown as invited, as well."""
    invited = bool(wire.attendees) or any(one.attendees for one in wire.exception_occurrences or ())
    if wire.is_organizer is False:
        return Role.ATTENDEE.value
    return Role.ORGANIZER.value if invited else ""


def _exceptions(wire: WireEvent, series: Event, when: Schedule) -> tuple[Occurrence, ...]:
    found = {
        day: Occurrence(day, cancelled=True)
        for day in map(_cancelled_day, wire.cancelled_occurrences or ())
    }
    for one in wire.exception_occurrences or ():
        own = _exception(one, series, when)
        if own.says:
            found[own.original] = own
    return tuple(found[day] for day in sorted(found))


def _exception(wire: WireEvent, series: Event, when: Schedule) -> Occurrence:
    original = original_day(wire, when)
    own = {
        "subject": wire.subject or "",
        "body": text_at(wire.body) if wire.body is not None else series.body,
        "location": _place(wire.location),
    }
    return exception(original, own, _moved(wire, when), series, when)


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
    return whole_days(start, end)


def _cancelled_day(identifier: str) -> str:
    """Of `OID.{id of the master}.{day}`:
    https://learn.microsoft.com/graph/api/resources/event, occurrenceId. Raises ScheduleError."""
    day = identifier.rpartition(".")[2]
    try:
        return datetime.strptime(day, "%Y-%m-%d").strftime("%Y-%m-%d")  # noqa: DTZ007 -- a date
    except ValueError:
        raise ScheduleError("a cancelled occurrence that does not say of which day it is") from None
