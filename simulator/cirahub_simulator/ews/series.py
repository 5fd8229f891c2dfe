"""Recurrences as EWS writes them: [MS-OXWSCDATA] 2.2.4.63 (RecurrenceType).

https://learn.microsoft.com/exchange/client-developer/web-service-reference/recurrence-recurrencetype
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import get_args

from cirahub_simulator.calendar.recurrence import (
    DayOfWeek,
    Pattern,
    PatternType,
    Range,
    Recurrence,
    WeekIndex,
)
from cirahub_simulator.calendar.zone import UTC_NAME, zone
from cirahub_simulator.ews.errors import schema_violation
from cirahub_simulator.ews.markup import Element, add, children, element, local_name, text_of

PATTERNS: dict[str, PatternType] = {
    "RelativeYearlyRecurrence": "relativeYearly",
    "AbsoluteYearlyRecurrence": "absoluteYearly",
    "RelativeMonthlyRecurrence": "relativeMonthly",
    "AbsoluteMonthlyRecurrence": "absoluteMonthly",
    "WeeklyRecurrence": "weekly",
    "DailyRecurrence": "daily",
}
_ELEMENTS = {pattern: name for name, pattern in PATTERNS.items()}
MONTHS = (
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
_DAYS: dict[str, DayOfWeek] = {name.capitalize(): name for name in get_args(DayOfWeek)}
_WEEK = tuple(_DAYS.values())
_GROUPS: dict[str, tuple[DayOfWeek, ...]] = {
    "Day": _WEEK,
    "Weekday": tuple(day for day in _WEEK if day not in ("saturday", "sunday")),
    "WeekendDay": ("sunday", "saturday"),
}
_INDEXES: dict[str, WeekIndex] = {name.capitalize(): name for name in get_args(WeekIndex)}


def read_recurrence(node: Element, zone_name: str) -> Recurrence:
    """A Recurrence, kept in a zone. Raises SoapFaultError."""
    pattern: Pattern | None = None
    span: Range | None = None
    for child in children(node):
        name = local_name(child)
        parts = {local_name(part): text_of(part).strip() for part in children(child)}
        if name in PATTERNS:
            pattern = _pattern(PATTERNS[name], parts)
        else:
            span = _range(name, parts, zone_name)
    if pattern is None or span is None:
        raise schema_violation("The element 'Recurrence' has no pattern or no range.")
    return Recurrence(pattern=pattern, range=span)


def _pattern(kind: PatternType, parts: dict[str, str]) -> Pattern:
    try:
        return Pattern(
            type=kind,
            interval=int(parts.get("Interval", "1")),
            month=MONTHS.index(parts["Month"]) + 1 if "Month" in parts else 0,
            day_of_month=int(parts.get("DayOfMonth", "0")),
            days_of_week=_days(parts.get("DaysOfWeek", "")),
            first_day_of_week=_DAYS[parts.get("FirstDayOfWeek", "Sunday")],
            index=_INDEXES[parts.get("DayOfWeekIndex", "First")],
        )
    except (KeyError, ValueError) as error:
        raise schema_violation(f"The element '{_ELEMENTS[kind]}' is invalid: {error}.") from error


def _days(text: str) -> tuple[DayOfWeek, ...]:
    found: list[DayOfWeek] = []
    for name in text.split():
        found += _GROUPS.get(name) or (_DAYS[name],)
    return tuple(found)


def _range(name: str, parts: dict[str, str], zone_name: str) -> Range:
    try:
        start = _date(parts["StartDate"])
        match name:
            case "NoEndRecurrence":
                return Range(type="noEnd", start_date=start, recurrence_time_zone=zone_name)
            case "EndDateRecurrence":
                return Range(
                    type="endDate",
                    start_date=start,
                    end_date=_date(parts["EndDate"]),
                    recurrence_time_zone=zone_name,
                )
            case "NumberedRecurrence":
                return Range(
                    type="numbered",
                    start_date=start,
                    number_of_occurrences=int(parts["NumberOfOccurrences"]),
                    recurrence_time_zone=zone_name,
                )
            case _:
                raise schema_violation(f"The element 'Recurrence' has '{name}' in it.")
    except (KeyError, ValueError) as error:
        raise schema_violation(f"The element '{name}' is invalid: {error}.") from error


def _date(text: str) -> date:
    """An xs:date; its zone says nothing, the range has one of its own."""
    return date.fromisoformat(text[:10])


def write_recurrence(recurrence: Recurrence) -> Element:
    """The element of a recurrence."""
    pattern, span = recurrence.pattern, recurrence.range
    made = element("t:Recurrence")
    node = add(made, f"t:{_ELEMENTS[pattern.type]}")
    relative = pattern.type.startswith("relative")
    if not pattern.type.endswith("Yearly"):
        add(node, "t:Interval", str(pattern.interval))
    if relative:
        add(node, "t:DaysOfWeek", _relative_days(pattern.days_of_week))
        add(node, "t:DayOfWeekIndex", pattern.index.capitalize())
    elif pattern.type == "weekly":
        names = (name.capitalize() for name in _WEEK if name in pattern.days_of_week)
        add(node, "t:DaysOfWeek", " ".join(names))
        add(node, "t:FirstDayOfWeek", pattern.first_day_of_week.capitalize())
    elif pattern.type != "daily":
        add(node, "t:DayOfMonth", str(pattern.day_of_month))
    if pattern.type.endswith("Yearly"):
        add(node, "t:Month", MONTHS[pattern.month - 1])
    name = {"noEnd": "NoEnd", "endDate": "EndDate", "numbered": "Numbered"}[span.type]
    node = add(made, f"t:{name}Recurrence")
    zone_name = span.recurrence_time_zone or UTC_NAME
    add(node, "t:StartDate", _shown(span.start_date, zone_name))
    if span.type == "endDate" and span.end_date is not None:
        add(node, "t:EndDate", _shown(span.end_date, zone_name))
    elif span.type == "numbered":
        add(node, "t:NumberOfOccurrences", str(span.number_of_occurrences))
    return made


def _shown(day: date, zone_name: str) -> str:
    """An xs:date with the zone's offset at its beginning, as the documents' examples show."""
    offset = datetime.combine(day, time(), zone(zone_name)).utcoffset() or timedelta()
    minutes = int(offset.total_seconds()) // 60
    if not minutes:
        return f"{day.isoformat()}Z"
    sign = "-" if minutes < 0 else "+"
    return f"{day.isoformat()}{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _relative_days(days: tuple[DayOfWeek, ...]) -> str:
    """DayOfWeekType has one name: of a day, or of all, all working or all weekend days."""
    for name, group in _GROUPS.items():
        if set(group) == set(days):
            return name
    return days[0].capitalize()
