"""A schedule's two forms: ours (iCalendar's lines) and Graph's. Pure.

Sources: https://learn.microsoft.com/graph/api/resources/recurrencepattern, recurrencerange,
datetimetimezone and event; what they do not say is in `appointments.times`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import msgspec

from cirahub_sync.endpoints.appointments import times
from cirahub_sync.endpoints.appointments.times import (
    as_shown,
    in_step,
    sayable,
    shortens,
    zone_called,
    zone_name,
)
from cirahub_sync.endpoints.graph.calendars.wire import (
    WireEvent,
    WireMoment,
    WirePattern,
    WireRange,
    WireRecurrence,
)
from cirahub_sync.model.schedule import (
    DAYS,
    Frequency,
    Recurrence,
    Schedule,
    ScheduleError,
    parse,
)
from cirahub_sync.model.zone import (
    UnknownZoneError,
    iana,
    instant,
    local_time,
)

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_POSITIONS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_INDEXES = {position: name for name, position in _POSITIONS.items()}
_MIDNIGHT = time()

Fields = dict[str, object]
"""Members of Graph's JSON."""


def schedule_of(event: WireEvent) -> Schedule:
    """When an event takes place. Raises ScheduleError and UnknownZoneError, whose texts have
    nothing of it."""
    if event.start is None or event.end is None:
        raise ScheduleError("an event without a time")
    rule = None if event.recurrence is None else _rule(event.recurrence)
    name = "" if event.is_all_day else zone_of(event)
    start, end = (_local(one, event, name) for one in (event.start, event.end))
    made = Schedule(start=start, end=end, zone=name, recurrence=rule)
    return made if rule is None else in_step(made)


def zone_of(event: WireEvent) -> str:
    """The zone that the event was made in. One that has no name any more ("Custom" in Outlook) is
    UTC for a lone event, of which only the moment counts; a series can't be told without it."""
    assert event.start is not None
    named = [event.original_start_time_zone or ""]
    if event.recurrence is not None and event.recurrence.range is not None:
        named.append(event.recurrence.range.recurrence_time_zone or "")
    else:
        named.append(event.start.time_zone or "UTC")
    error: UnknownZoneError | None = None
    for name in named:
        try:
            return zone_called(name)
        except UnknownZoneError as unknown:
            error = unknown
    assert error is not None
    raise error


def seconds_of(moment: WireMoment) -> float:
    """POSIX seconds, without a fraction."""
    return instant(_read(moment), iana(moment.time_zone or "UTC")) // 1


def local_of(moment: WireMoment, name: str) -> datetime:
    """The local time in that zone."""
    return local_time(seconds_of(moment), name)


def day_of(moment: WireMoment, event: WireEvent) -> datetime:
    """The midnight at which an all-day event begins or ends. It is written as one in whatever zone
    it is shown in; by some clients, as one where it was made."""
    local = _read(moment)
    if local.time() != _MIDNIGHT:
        local = local_of(moment, zone_of(event))
    return local.replace(fold=0)


def original_day(event: WireEvent, series: Schedule) -> str:
    """The day (`YYYY-MM-DD`) on which its series has an exception. Raises ScheduleError."""
    try:
        moment = datetime.fromisoformat(event.original_start or "")
    except ValueError:
        raise ScheduleError("an exception that does not say of which day it is") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return times.original_day(moment, series)


def written(text: str) -> Fields:
    """The members that say when an event takes place, in Graph's terms: of a lone event too, so
    that a series can become one. Raises ScheduleError and UnknownZoneError for what Exchange can't
    say."""
    when = parse(as_shown(text))
    fields: Fields = {
        "isAllDay": when.all_day,
        "start": moment(when.start, when.zone),
        "end": moment(when.end, when.zone),
        "recurrence": None,
    }
    rule = when.recurrence
    if rule is not None:
        fields["recurrence"] = {
            "pattern": _pattern(rule),
            "range": _range(rule, when.start.date(), zone_name(when.zone)),
        }
    return fields


def moment(when: datetime, name: str) -> Fields:
    """A local time in Graph's terms; in UTC, where the clocks show it for the second time."""
    if when.fold:
        when, name = local_time(instant(when, name), "UTC"), "UTC"
    return {
        "dateTime": when.replace(fold=0).isoformat(timespec="seconds"),
        "timeZone": zone_name(name),
    }


def _pattern(rule: Recurrence) -> Fields:
    """With the members that its type has, and no others. Raises ScheduleError for a rule that
    Exchange does not have."""
    made: Fields = {"interval": rule.interval}
    days = [_DAY_NAMES[DAYS.index(day)] for day in DAYS if day in rule.by_day]
    if rule.frequency is Frequency.DAILY:
        return made | {"type": "daily"}
    if rule.frequency is Frequency.WEEKLY:
        first = _DAY_NAMES[DAYS.index(rule.week_start)]
        return made | {"type": "weekly", "daysOfWeek": days, "firstDayOfWeek": first}
    kind = "Monthly" if rule.frequency is Frequency.MONTHLY else "Yearly"
    if rule.by_month:
        made["month"] = rule.by_month
    if rule.position:
        index = _INDEXES[rule.position]
        return made | {"type": f"relative{kind}", "daysOfWeek": days, "index": index}
    sayable(rule)
    return made | {"type": f"absolute{kind}", "dayOfMonth": rule.by_month_day}


def _range(rule: Recurrence, first: date, zone: str) -> Fields:
    made: Fields = {"type": "noEnd", "startDate": first.isoformat(), "recurrenceTimeZone": zone}
    if rule.count:
        made |= {"type": "numbered", "numberOfOccurrences": rule.count}
    elif rule.until is not None:
        made |= {"type": "endDate", "endDate": rule.until.isoformat()}
    return made


def _read(moment: WireMoment) -> datetime:
    try:
        return datetime.fromisoformat(moment.date_time).replace(tzinfo=None)
    except ValueError:
        raise ScheduleError("a time that is none") from None


def _local(moment: WireMoment, event: WireEvent, name: str) -> datetime:
    return local_of(moment, name) if name else day_of(moment, event)


def _rule(recurrence: WireRecurrence) -> Recurrence:
    pattern, extent = recurrence.pattern, recurrence.range
    if pattern is None or extent is None:
        raise ScheduleError("a series without a rule")
    return _ranged(_patterned(pattern), extent)


def _patterned(pattern: WirePattern) -> Recurrence:
    kind, interval = pattern.type or "", pattern.interval
    days = _days(pattern.days_of_week or ())
    if kind == "daily":
        return Recurrence(frequency=Frequency.DAILY, interval=interval)
    if kind == "weekly":
        # Graph's own first day of a week is Sunday.
        (first,) = _days([pattern.first_day_of_week or "sunday"])
        week_start = first if interval > 1 else "MO"  # it matters to nothing else
        return Recurrence(
            frequency=Frequency.WEEKLY, interval=interval, by_day=days, week_start=week_start
        )
    yearly = kind.endswith("Yearly")
    frequency = Frequency.YEARLY if yearly else Frequency.MONTHLY
    month = pattern.month if yearly else 0
    if kind in ("relativeMonthly", "relativeYearly"):
        position = _POSITIONS.get(pattern.index or "first", 0)
        return Recurrence(
            frequency=frequency,
            interval=interval,
            by_month=month,
            by_day=days,
            position=position,
        )
    if kind not in ("absoluteMonthly", "absoluteYearly"):
        raise ScheduleError("a recurrence pattern of another kind")
    day = pattern.day_of_month
    return Recurrence(
        frequency=frequency,
        interval=interval,
        by_month=month,
        by_month_day=day,
        clamped=shortens(day, month),
    )


def _days(names: Sequence[str]) -> tuple[str, ...]:
    try:
        found = {DAYS[_DAY_NAMES.index(name.lower())] for name in names}
    except ValueError:
        raise ScheduleError("a day of the week that is none") from None
    return tuple(day for day in DAYS if day in found)


def _ranged(rule: Recurrence, extent: WireRange) -> Recurrence:
    match extent.type:
        case "numbered":
            return msgspec.structs.replace(rule, count=extent.number_of_occurrences)
        case "endDate":
            try:
                last = date.fromisoformat(extent.end_date or "")
            except ValueError:
                raise ScheduleError("a series that ends on no day") from None
            return msgspec.structs.replace(rule, until=last)
        case "noEnd":
            return rule
        case _:
            raise ScheduleError("a recurrence range of another kind")
