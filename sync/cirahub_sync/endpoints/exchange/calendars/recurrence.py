"""A schedule's two forms: ours (iCalendar's lines) and that of Exchange Web Services. Pure.

Sources: https://learn.microsoft.com/exchange/client-developer/web-service-reference/recurrence-recurrencetype
and calendaritem; [MS-OXWSCDATA] 2.2.4.63. What they do not say is in `appointments.times`. Times
are read and written in UTC, with the zone beside them. A rule of every so many years, or one of
several days of a week in a month, can't be said.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from cirahub_sync.endpoints.appointments import times
from cirahub_sync.endpoints.appointments.series import whole_days
from cirahub_sync.endpoints.appointments.times import (
    HALF_DAY,
    as_shown,
    in_step,
    sayable,
    shortens,
    zone_called,
    zone_name,
)
from cirahub_sync.endpoints.exchange import wire
from cirahub_sync.endpoints.exchange.wire import TYPES, Element, name_of, text_at
from cirahub_sync.model.schedule import DAYS, Frequency, Recurrence, Schedule, ScheduleError, parse
from cirahub_sync.model.zone import UnknownZoneError, instant, local_time

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GROUPS = {"Day": DAYS, "Weekday": DAYS[:5], "WeekendDay": DAYS[5:]}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_POSITIONS = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_INDEXES = {position: name for name, position in _POSITIONS.items()}


class Times(msgspec.Struct, frozen=True):
    """When an appointment is, in the elements of a CalendarItem; without their prefix."""

    start: str
    end: str
    all_day: bool
    zone: str
    """Exchange's name of it."""
    recurrence: str
    """What the element Recurrence contains; blank for a lone appointment."""


def schedule_of(item: Element) -> Schedule:
    """When an appointment takes place. Raises ScheduleError and UnknownZoneError, whose texts have
    nothing of it."""
    rule = item.find(f"{TYPES}Recurrence")
    recurrence = None if rule is None else _rule(rule)
    if is_all_day(item):
        start, end = days_of(item)
        name = ""
    else:
        name = _zone(item, lone=recurrence is None)
        start, end = times_of(item, name)
    made = Schedule(start=start, end=end, zone=name, recurrence=recurrence)
    return made if recurrence is None else in_step(made)


def is_all_day(item: Element) -> bool:
    return text_at(item, "IsAllDayEvent") in ("true", "1")


def times_of(item: Element, name: str) -> tuple[datetime, datetime]:
    """Start and end in a zone."""
    start, end = (moment_of(item, each).timestamp() // 1 for each in ("Start", "End"))
    return local_time(start, name), local_time(end, name)


def days_of(item: Element) -> tuple[datetime, datetime]:
    """The midnights at which an appointment of whole days begins and ends: those of the zone that
    it was made in, or else the nearest of UTC."""
    start, end = moment_of(item, "Start"), moment_of(item, "End")
    try:
        found = times_of(item, zone_called(zone_id(item)))
    except UnknownZoneError:
        found = (start, end)
    if any((each.hour, each.minute, each.second) != (0, 0, 0) for each in found):
        found = (start + HALF_DAY, end + HALF_DAY)
    first, last = (datetime.combine(each.date(), datetime.min.time()) for each in found)
    return whole_days(first, last)


def zone_id(item: Element) -> str:
    """Exchange's name of the zone that an appointment was made in; blank if it does not say."""
    zone = item.find(f"{TYPES}StartTimeZone")
    return "" if zone is None else str(zone.get("Id") or "")


def moment_of(item: Element, name: str) -> datetime:
    """An xs:dateTime, in UTC. Raises ScheduleError."""
    text = text_at(item, name)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ScheduleError("an event without a time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def original_day(item: Element, name: str, series: Schedule) -> str:
    """The day on which its series has an occurrence, by the element that says when it began."""
    return times.original_day(moment_of(item, name), series)


def written(text: str, zone: str = "") -> Times:
    """When an appointment takes place, in EWS's terms. `zone`: Exchange's name of the one in which
    whole days are midnights; UTC unless given. Raises ScheduleError and UnknownZoneError for what
    can't be said."""
    when = parse(as_shown(text))
    called = zone or "UTC" if when.all_day else zone_name(when.zone)
    rule = when.recurrence
    there = zone_called(called)
    return Times(
        moment(when.start, there),
        moment(when.end, there),
        when.all_day,
        called,
        "" if rule is None else _pattern(rule) + _range(rule, when.start.date()),
    )


def moment(when: datetime, name: str) -> str:
    """A local time as an xs:dateTime, in UTC."""
    return f"{datetime.fromtimestamp(instant(when, name), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _zone(item: Element, *, lone: bool) -> str:
    """One that has no name any more ("Custom" in Outlook) is UTC for a lone event, of which only
    the moment counts; a series can't be told without it."""
    try:
        return zone_called(zone_id(item))
    except UnknownZoneError:
        if lone:
            return "UTC"
        raise


# Reading a rule


def _rule(recurrence: Element) -> Recurrence:
    pattern, extent = [*recurrence.iterchildren(f"{TYPES}*"), None, None][:2]
    if pattern is None or extent is None:
        raise ScheduleError("a series without a rule")
    try:
        return _ranged(_patterned(pattern), extent)
    except (KeyError, ValueError) as error:
        if isinstance(error, ScheduleError):
            raise
        raise ScheduleError("a recurrence rule that is none") from None


def _patterned(pattern: Element) -> Recurrence:
    kind = name_of(pattern).removesuffix("Recurrence")
    interval = int(text_at(pattern, "Interval") or "1")
    days = _days(text_at(pattern, "DaysOfWeek").split())
    if kind == "Daily":
        return Recurrence(frequency=Frequency.DAILY, interval=interval)
    if kind == "Weekly":
        # Before Exchange 2010 there is none; Outlook's own first day of a week is Sunday.
        (first,) = _days([text_at(pattern, "FirstDayOfWeek") or "Sunday"])
        week_start = first if interval > 1 else "MO"  # it matters to nothing else
        return Recurrence(
            frequency=Frequency.WEEKLY, interval=interval, by_day=days, week_start=week_start
        )
    yearly = kind.endswith("Yearly")
    frequency = Frequency.YEARLY if yearly else Frequency.MONTHLY
    month = _MONTHS.index(text_at(pattern, "Month")) + 1 if yearly else 0
    if kind in ("RelativeMonthly", "RelativeYearly"):
        return Recurrence(
            frequency=frequency,
            interval=interval,
            by_month=month,
            by_day=days,
            position=_POSITIONS[text_at(pattern, "DayOfWeekIndex")],
        )
    if kind not in ("AbsoluteMonthly", "AbsoluteYearly"):
        raise ScheduleError("a recurrence pattern of another kind")
    day = int(text_at(pattern, "DayOfMonth"))
    return Recurrence(
        frequency=frequency,
        interval=interval,
        by_month=month,
        by_month_day=day,
        clamped=shortens(day, month),
    )


def _days(names: Sequence[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for name in names:
        found |= {*_GROUPS.get(name, ())} or {DAYS[_DAY_NAMES.index(name)]}
    return tuple(day for day in DAYS if day in found)


def _ranged(rule: Recurrence, extent: Element) -> Recurrence:
    match name_of(extent):
        case "NumberedRecurrence":
            count = int(text_at(extent, "NumberOfOccurrences"))
            return msgspec.structs.replace(rule, count=count)
        case "EndDateRecurrence":
            # An xs:date may have an offset behind it, which says nothing here.
            last = date.fromisoformat(text_at(extent, "EndDate")[:10])
            return msgspec.structs.replace(rule, until=last)
        case "NoEndRecurrence":
            return rule
        case _:
            raise ScheduleError("a recurrence range of another kind")


# Writing one


def _pattern(rule: Recurrence) -> str:
    """Raises ScheduleError for a rule that Exchange, or this service of it, does not have."""
    sayable(rule)
    interval = wire.tag("Interval", str(rule.interval))
    if rule.frequency is Frequency.DAILY:
        return wire.element("DailyRecurrence", interval)
    if rule.frequency is Frequency.WEEKLY:
        first = _DAY_NAMES[DAYS.index(rule.week_start)]
        days = " ".join(_DAY_NAMES[DAYS.index(day)] for day in rule.by_day)
        return wire.element(
            "WeeklyRecurrence",
            interval + wire.tag("DaysOfWeek", days) + wire.tag("FirstDayOfWeek", first),
        )
    kind, before, after = "Monthly", interval, ""
    if rule.frequency is Frequency.YEARLY:
        if rule.interval != 1:
            raise ScheduleError(
                "a rule of every so many years, which Exchange Web Services do not have"
            )
        kind, before, after = "Yearly", "", wire.tag("Month", _MONTHS[rule.by_month - 1])
    if rule.position:
        inside = wire.tag("DaysOfWeek", _one_day(rule.by_day))
        inside += wire.tag("DayOfWeekIndex", _INDEXES[rule.position])
        return wire.element(f"Relative{kind}Recurrence", before + inside + after)
    inside = wire.tag("DayOfMonth", str(rule.by_month_day))
    return wire.element(f"Absolute{kind}Recurrence", before + inside + after)


def _one_day(days: Sequence[str]) -> str:
    """The one name that there can be: of a day, or of all, all working or all weekend days."""
    for name, group in _GROUPS.items():
        if set(group) == set(days):
            return name
    if len(days) > 1:
        raise ScheduleError(
            "a rule of several days of a week in a month, which Exchange Web Services do not have"
        )
    return _DAY_NAMES[DAYS.index(days[0])]


def _range(rule: Recurrence, first: date) -> str:
    start = wire.tag("StartDate", first.isoformat())
    if rule.count:
        count = wire.tag("NumberOfOccurrences", str(rule.count))
        return wire.element("NumberedRecurrence", start + count)
    if rule.until is not None:
        end = wire.tag("EndDate", rule.until.isoformat())
        return wire.element("EndDateRecurrence", start + end)
    return wire.element("NoEndRecurrence", start)
