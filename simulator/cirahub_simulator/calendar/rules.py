"""What Exchange refuses of an appointment."""

from __future__ import annotations

from datetime import timedelta

from cirahub_simulator.calendar import recurrence as rule
from cirahub_simulator.calendar.errors import CalendarError, validation_failure
from cirahub_simulator.calendar.fields import EventFields
from cirahub_simulator.calendar.zone import Moment, zone

LONGEST = timedelta(days=5 * 365 + 2)
"""[MS-OXWSCDATA] 2.2.5.24, ErrorCalendarDurationIsTooLong: five years."""

_DAY = timedelta(days=1)


def check(fields: EventFields) -> None:
    """Raises CalendarError for an appointment that can't be."""
    start, end = fields.start, fields.end
    zone(start.zone)
    zone(end.zone)
    if end.instant < start.instant:
        raise CalendarError(
            "ErrorCalendarEndDateIsEarlierThanStartDate",
            "The specified end date is earlier than the start date.",
        )
    if end.instant - start.instant > LONGEST:
        raise CalendarError(
            "ErrorCalendarDurationIsTooLong", "The event lasts longer than five years."
        )
    if fields.is_all_day:
        _check_all_day(start, end)
    if fields.recurrence is not None:
        rule.check(fields.recurrence)
        span = fields.recurrence.range
        name = span.recurrence_time_zone or start.zone
        zone(name)
        if start.seen_in(name).date() != span.start_date:
            # https://learn.microsoft.com/graph/api/resources/recurrencerange: startDate must be
            # the same value as the start of the recurring event.
            raise validation_failure(
                "At least one property failed validation: recurrence, startDate of the range is "
                "not the day of the event's start."
            )


def _check_all_day(start: Moment, end: Moment) -> None:
    """https://learn.microsoft.com/graph/api/resources/event, isAllDay; messages as reported."""
    if not _is_midnight(start):
        raise validation_failure(
            "The Event.Start property for an all-day event needs to be set to midnight."
        )
    if not _is_midnight(end):
        raise validation_failure(
            "The Event.End property for an all-day event needs to be set to midnight."
        )
    if start.zone.lower() != end.zone.lower():
        raise validation_failure(
            "The start and the end of an all-day event need to be in the same time zone."
        )
    if end.local - start.local < _DAY:
        raise validation_failure(
            "The duration of an event marked as All day must be at least 24 hours."
        )


def _is_midnight(moment: Moment) -> bool:
    return moment.local.time().isoformat() == "00:00:00"
