"""What a change of an event brings along."""

from __future__ import annotations

from datetime import date

import msgspec

from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.calendar.event import Series
from cirahub_simulator.calendar.fields import EventFields, Response
from cirahub_simulator.calendar.recurrence import neighbours
from cirahub_simulator.calendar.zone import Moment


def with_statuses(fields: EventFields, before: EventFields) -> EventFields:
    """Attendees that stay keep what they answered: no writer can answer for them."""
    if fields.attendees == before.attendees:
        return fields
    known = {(a.email_address.address or "").casefold(): a.status for a in before.attendees}
    attendees = tuple(
        msgspec.structs.replace(
            attendee,
            status=known.get((attendee.email_address.address or "").casefold(), Response()),
        )
        for attendee in fields.attendees
    )
    return msgspec.structs.replace(fields, attendees=attendees)


def series_of(fields: EventFields) -> Series | None:
    """The series that an event's fields make, if they recur."""
    if fields.recurrence is None:
        return None
    return Series(fields.start, fields.end, fields.recurrence)


def restarted(fields: EventFields) -> EventFields:
    """Let a series begin on the day of a start that was written without its recurrence."""
    recurrence = fields.recurrence
    if recurrence is None:
        return fields
    zone_name = recurrence.range.recurrence_time_zone or fields.start.zone
    day = fields.start.seen_in(zone_name).date()
    span = msgspec.structs.replace(recurrence.range, start_date=day)
    return msgspec.structs.replace(
        fields, recurrence=msgspec.structs.replace(recurrence, range=span)
    )


def check_neighbours(series: Series, day: date, start: Moment, end: Moment) -> None:
    """[MS-OXOCAL] 3.1.5.5.1: an exception overlaps no other instance and passes none."""
    before, after = _around(series, day)
    if (before is not None and start.instant < series.times(before)[1].instant) or (
        after is not None and end.instant > series.times(after)[0].instant
    ):
        raise CalendarError(
            "ErrorOccurrenceCrossingBoundary",
            "Modified occurrence is crossing or overlapping adjacent occurrence.",
        )


def _around(series: Series, day: date) -> tuple[date | None, date | None]:
    before, _ = neighbours(series.recurrence, day)
    while before is not None and before in series.cancelled:
        before, _ = neighbours(series.recurrence, before)
    _, after = neighbours(series.recurrence, day)
    while after is not None and after in series.cancelled:
        _, after = neighbours(series.recurrence, after)
    return before, after
