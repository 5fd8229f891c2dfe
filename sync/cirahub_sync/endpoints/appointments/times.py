"""When an appointment is, as far as Exchange can say it. Pure.

- Day 31 of a shorter month is its last day, as everywhere in Exchange (EWS reference,
  AbsoluteMonthlyRecurrence): `clamped` in our terms, and the only form that can be written.
- Zones are written by their Windows names, the ones that every part of Exchange knows. Many zones
  share one, so that another may come back: see `as_shown`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from cirahub_sync.model.schedule import Recurrence, Schedule, ScheduleError, parse
from cirahub_sync.model.zone import (
    UnknownZoneError,
    as_windows_has_it,
    iana,
    instant,
    local_time,
    windows,
)

MICROSOFT_UTC = "tzone://Microsoft/Utc"
"""What Outlook calls UTC."""
HALF_DAY = timedelta(hours=12)
_LATEST_SURE_DAY = 28
"""Every month has it."""


@lru_cache(maxsize=4096)
def as_shown(text: str) -> str:
    """The schedule that comes back of one that is written. A lone event at a time that can't be
    said in its own zone comes back in UTC."""
    when = parse(text)
    if when.all_day:
        return text
    if when.recurrence is None and (when.start.fold or when.end.fold or not _named(when.zone)):
        start, end = (local_time(instant(one, when.zone), "UTC") for one in (when.start, when.end))
        return msgspec.structs.replace(when, start=start, end=end, zone="UTC").text()
    return msgspec.structs.replace(when, zone=as_windows_has_it(when.zone)).text()


def zone_called(name: str) -> str:
    """The IANA name of a zone by Exchange's. Raises UnknownZoneError."""
    return "UTC" if name == MICROSOFT_UTC else iana(name)


def zone_name(name: str) -> str:
    """Exchange's name of a zone; UTC for days, which have none. Raises UnknownZoneError."""
    return windows(name or "UTC")


def in_step(made: Schedule) -> Schedule:
    """A series starts with its first occurrence. Services may show the day on which somebody began
    to look for it. Raises ScheduleError."""
    first = next(made.starts(), None)
    if first is None:
        raise ScheduleError("a series without an occurrence")
    if first == made.start.replace(fold=0):
        return made
    return msgspec.structs.replace(made, start=first, end=first + (made.end - made.start))


def original_day(start: datetime, series: Schedule) -> str:
    """The day (`YYYY-MM-DD`) on which its series has the occurrence that began at this moment, an
    aware one: a midnight of UTC or of where the series was made, for one of whole days."""
    if series.all_day:
        return (start + HALF_DAY).date().isoformat()
    return local_time(start.timestamp(), series.zone).date().isoformat()


def shortens(day: int, month: int) -> bool:
    """Whether some month of a rule is too short for its day. `month` 0: a rule of all months."""
    return day > _LATEST_SURE_DAY and month in (0, 2)


def sayable(rule: Recurrence) -> None:
    """Raises ScheduleError for a rule that Exchange does not have."""
    if shortens(rule.by_month_day, rule.by_month) and not rule.clamped:
        raise ScheduleError(
            "a rule that leaves out months without its day, which Exchange does not have"
        )


def _named(name: str) -> bool:
    try:
        windows(name)
    except UnknownZoneError:
        return False
    return True
