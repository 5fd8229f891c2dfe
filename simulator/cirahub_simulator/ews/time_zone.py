"""Time zones as definitions: [MS-OXWSGTZ] 2.2.4, made of the rules of the IANA database.

Windows' names and IANA's are paired as in CLDR's windowsZones table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from cirahub_simulator.ews.markup import Element, add, element

WINDOWS = {name: iana for name, iana in win_tz.items() if "/" in iana or name == "UTC"}
"""Ids of the zones that the server knows, and IANA's names."""
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class _Change(NamedTuple):
    at: datetime
    """On the clock before the change."""
    offset: timedelta
    summer: bool


def definition(name: str, year: int, *, full: bool) -> Element:
    """The definition of a zone by Windows' name: with its periods and transitions, if full."""
    standard, summer, changes = _rules(WINDOWS[name], year)
    made = element("t:TimeZoneDefinition", Id=name, Name=f"({_offset(standard)}) {name}")
    if not full:
        return made
    periods = add(made, "t:Periods")
    ids = {False: f"trule:Microsoft/Registry/{name}/{year}-Standard"}
    add(periods, "t:Period", Bias=_duration(-standard), Name="Standard", Id=ids[False])
    if changes and summer is not None:
        ids[True] = f"trule:Microsoft/Registry/{name}/{year}-Daylight"
        add(periods, "t:Period", Bias=_duration(-summer), Name="Daylight", Id=ids[True])
    group = add(add(made, "t:TransitionsGroups"), "t:TransitionsGroup", Id="0")
    for change in changes:
        node = add(group, "t:RecurringDayTransition")
        add(node, "t:To", ids[change.summer], Kind="Period")
        clock = timedelta(hours=change.at.hour, minutes=change.at.minute)
        add(node, "t:TimeOffset", _duration(clock))
        add(node, "t:Month", str(change.at.month))
        add(node, "t:DayOfWeek", _DAYS[change.at.weekday()])
        last = (change.at + timedelta(days=7)).month != change.at.month
        add(node, "t:Occurrence", "-1" if last else str((change.at.day - 1) // 7 + 1))
    if not changes:
        add(add(group, "t:Transition"), "t:To", ids[False], Kind="Period")
    add(add(add(made, "t:Transitions"), "t:Transition"), "t:To", "0", Kind="Group")
    return made


@lru_cache(maxsize=1024)
def _rules(iana: str, year: int) -> tuple[timedelta, timedelta | None, list[_Change]]:
    """Standard offset, summer offset and the two changes of a year; no changes for odd years."""
    zone = ZoneInfo(iana)

    def offset(moment: datetime) -> timedelta:
        return _known(moment.astimezone(zone).utcoffset())

    changes = []
    first = datetime(year, 1, 1, tzinfo=UTC)
    for number in range(365):
        moment = first + timedelta(days=number)
        before, after = offset(moment), offset(moment + timedelta(days=1))
        if before != after:
            while offset(moment + timedelta(hours=1)) == before:
                moment += timedelta(hours=1)
            at = (moment + timedelta(hours=1) + before).replace(tzinfo=None)
            changes.append(_Change(at, after, summer=False))
    offsets = {change.offset for change in changes}
    if len(changes) != 2 or len(offsets) != 2:
        return offset(first), None, []
    low, high = sorted(offsets)
    return low, high, [change._replace(summer=change.offset == high) for change in changes]


def _known(offset: timedelta | None) -> timedelta:
    return timedelta() if offset is None else offset


def _duration(delta: timedelta) -> str:
    """An xs:duration."""
    seconds = int(delta.total_seconds())
    sign = "-" if seconds < 0 else ""
    hours, rest = divmod(abs(seconds), 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{hours}H" if hours else "", f"{minutes}M" if minutes else ""]
    parts.append(f"{seconds}S" if seconds else "")
    return f"{sign}PT{''.join(parts) or '0S'}"


def _offset(delta: timedelta) -> str:
    minutes = int(delta.total_seconds()) // 60
    if not minutes:
        return "UTC"
    return f"UTC{'+' if minutes > 0 else '-'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
