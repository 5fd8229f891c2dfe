"""Recurrence: which days a series falls on.

https://learn.microsoft.com/graph/api/resources/recurrencepattern and
https://learn.microsoft.com/graph/api/resources/recurrencerange; both have the shape in which Graph
writes them. Days are of the series' own calendar and zone; times of day are added by `event`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import lru_cache
from itertools import islice
from typing import Literal

import msgspec
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from cirahub_simulator.calendar.errors import CalendarError, validation_failure

DayOfWeek = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
WeekIndex = Literal["first", "second", "third", "fourth", "last"]
PatternType = Literal[
    "daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"
]

_DAYS = {
    name: weekday(number)
    for number, name in enumerate(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
}
_POSITIONS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_FREQUENCY: dict[PatternType, Literal[0, 1, 2, 3, 4, 5, 6]] = {
    "daily": DAILY,
    "weekly": WEEKLY,
    "absoluteMonthly": MONTHLY,
    "relativeMonthly": MONTHLY,
    "absoluteYearly": YEARLY,
    "relativeYearly": YEARLY,
}
MAX_OCCURRENCES = 999
"""Of a numbered range: [MS-OXOCAL] 2.2.1.44.1, OccurrenceCount."""


class Pattern(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/recurrencepattern"""

    type: PatternType
    interval: int
    month: int = 0
    day_of_month: int = 0
    days_of_week: tuple[DayOfWeek, ...] = ()
    first_day_of_week: DayOfWeek = "sunday"
    index: WeekIndex = "first"


class Range(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/recurrencerange"""

    type: Literal["endDate", "noEnd", "numbered"]
    start_date: date
    end_date: date | None = None
    recurrence_time_zone: str | None = None
    """The start's own zone where it is not given."""
    number_of_occurrences: int = 0


class Recurrence(msgspec.Struct, rename="camel", frozen=True, kw_only=True):
    """https://learn.microsoft.com/graph/api/resources/patternedrecurrence"""

    pattern: Pattern
    range: Range


def normal(recurrence: Recurrence, zone_name: str) -> Recurrence:
    """The same without what its types make no use of; kept in a zone unless it names one."""
    pattern, span = recurrence.pattern, recurrence.range
    relative = pattern.type.startswith("relative")
    return Recurrence(
        pattern=Pattern(
            type=pattern.type,
            interval=pattern.interval,
            month=pattern.month if pattern.type.endswith("Yearly") else 0,
            day_of_month=pattern.day_of_month if pattern.type.startswith("absolute") else 0,
            days_of_week=pattern.days_of_week if relative or pattern.type == "weekly" else (),
            first_day_of_week=pattern.first_day_of_week,
            index=pattern.index if relative else "first",
        ),
        range=Range(
            type=span.type,
            start_date=span.start_date,
            end_date=span.end_date if span.type == "endDate" else None,
            recurrence_time_zone=span.recurrence_time_zone or zone_name,
            number_of_occurrences=span.number_of_occurrences if span.type == "numbered" else 0,
        ),
    )


def check(recurrence: Recurrence) -> None:
    """Refuse what the documents require otherwise, and what never occurs. Raises CalendarError."""
    pattern, span = recurrence.pattern, recurrence.range
    if pattern.interval < 1:
        raise _invalid("interval is at least 1")
    if pattern.type in ("weekly", "relativeMonthly", "relativeYearly") and not pattern.days_of_week:
        raise _invalid(f"{pattern.type} needs daysOfWeek")
    if pattern.type.startswith("absolute") and not 1 <= pattern.day_of_month <= 31:
        raise _invalid(f"{pattern.type} needs dayOfMonth from 1 to 31")
    if pattern.type.endswith("Yearly") and not 1 <= pattern.month <= 12:
        raise _invalid(f"{pattern.type} needs month from 1 to 12")
    if span.type == "endDate" and span.end_date is None:
        raise _invalid("the range endDate needs endDate")
    if span.type == "numbered" and not 1 <= span.number_of_occurrences <= MAX_OCCURRENCES:
        raise _invalid(f"a numbered range needs 1 to {MAX_OCCURRENCES} occurrences")
    if first_day(recurrence) is None:
        raise CalendarError(
            "ErrorRecurrenceHasNoOccurrence",
            "The specified recurrence pattern has no associated occurrence.",
        )


@lru_cache(maxsize=4096)
def days(recurrence: Recurrence, first: date, last: date) -> tuple[date, ...]:
    """The days of a series from one to another, both included."""
    if last < recurrence.range.start_date or first > last:
        return ()
    return tuple(
        day.date()
        for day in _rule(recurrence).between(
            datetime.combine(first, time()), datetime.combine(last, time()), inc=True
        )
    )


def every_day(recurrence: Recurrence) -> Iterator[date]:
    """The days of a series in order, one at a time; they have no end where the range has none."""
    return (day.date() for day in _rule(recurrence))


@lru_cache(maxsize=4096)
def first_day(recurrence: Recurrence) -> date | None:
    """The first day of a series."""
    return next(every_day(recurrence), None)


@lru_cache(maxsize=4096)
def is_day(recurrence: Recurrence, day: date) -> bool:
    """Whether a series falls on a day, exceptions left out of account."""
    return day in days(recurrence, day, day)


def nth_day(recurrence: Recurrence, number: int) -> date | None:
    """The day of the instance of a number, counted from one; None beyond the last."""
    return next(islice(every_day(recurrence), number - 1, None), None)


def neighbours(recurrence: Recurrence, day: date) -> tuple[date | None, date | None]:
    """The days of a series before and after one."""
    rule = _rule(recurrence)
    at = datetime.combine(day, time())
    before, after = rule.before(at), rule.after(at)
    return (
        before.date() if before is not None else None,
        after.date() if after is not None else None,
    )


def _invalid(reason: str) -> CalendarError:
    return validation_failure(f"At least one property failed validation: recurrence, {reason}.")


@lru_cache(maxsize=1024)
def _rule(recurrence: Recurrence) -> rrule:
    """As a rule of RFC 5545.

    A day that a month doesn't have is the month's last ([MS-OXOCAL] 2.2.1.44.1.2, Day), which is
    the last of the days up to it. Of several days of a week in a relative pattern the index counts
    all of them together, as the documents say.
    """
    pattern, span = recurrence.pattern, recurrence.range
    more: dict[str, object] = {}
    if pattern.type == "weekly":
        more["byweekday"] = [_DAYS[name] for name in pattern.days_of_week]
        more["wkst"] = _DAYS[pattern.first_day_of_week]
    elif pattern.type.startswith("relative"):
        more["byweekday"] = [_DAYS[name] for name in pattern.days_of_week]
        more["bysetpos"] = _POSITIONS[pattern.index]
    elif pattern.type.startswith("absolute"):
        if pattern.day_of_month > 28:
            more["bymonthday"] = list(range(28, pattern.day_of_month + 1))
            more["bysetpos"] = -1
        else:
            more["bymonthday"] = pattern.day_of_month
    if pattern.type.endswith("Yearly"):
        more["bymonth"] = pattern.month
    if span.type == "numbered":
        more["count"] = span.number_of_occurrences
    elif span.type == "endDate" and span.end_date is not None:
        more["until"] = datetime.combine(span.end_date, time())
    return rrule(
        _FREQUENCY[pattern.type],
        dtstart=datetime.combine(span.start_date, time()),
        interval=pattern.interval,
        cache=False,
        **more,  # type: ignore[arg-type]
    )
