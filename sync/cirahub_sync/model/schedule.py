"""When an event takes place: start, end, zone and recurrence as one value.

They are merged as one, so that two people who concurrently move a meeting's start and its end never
make a meeting that neither of them meant. The text form is canonical: equal texts are equal
schedules. It is made of iCalendar's content lines (RFC 5545), always in this order:

    DTSTART;TZID=Europe/Berlin:20261124T090000
    DTEND;TZID=Europe/Berlin:20261124T100000
    RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=MO;UNTIL=20270131

All-day events have dates (`DTSTART;VALUE=DATE:20261124`) and no zone: they are on that date
wherever they are looked at. `X-FOLD=1` marks the second of two equal local times. Other than in
RFC 5545, `UNTIL` is a date in the series' zone, for dates and times alike.

**Month ends.** Day 31 of every month is two different rules. iCalendar leaves out the months that
have no such day; Exchange takes their last one (EWS reference, AbsoluteMonthlyRecurrence). Both can
be said, as RFC 7529 (4.1) says them: `SKIP=BACKWARD` is Exchange's. Who reads one system's rule and
writes another's must not turn the one into the other.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from cirahub_sync.model.zone import UnknownZoneError, instant, repeated, zone

if TYPE_CHECKING:
    from dateutil import rrule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LINE = re.compile(r"(DTSTART|DTEND)(?:;(VALUE=DATE)|;TZID=([^;:]+)(;X-FOLD=1)?):([0-9T]+)")
_TIME = "%Y%m%dT%H%M%S"
_DATE = "%Y%m%d"
_LONGEST = 999
"""The greatest interval."""
_LIMIT = 10_000
"""Occurrences that are looked through, at most, in one question."""
_DAY = timedelta(days=1)
_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Of the months, at most."""


class ScheduleError(ValueError):
    """Not the text of a schedule, or one that can't be. The message has nothing of it."""


class Frequency(StrEnum):
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with at most one occurrence a day: the patterns of Exchange, and of iCalendar those
    that are like them. At most one of `count` and `until` is set; neither: without end."""

    frequency: Frequency
    interval: int = 1
    by_day: tuple[str, ...] = ()
    """Of DAYS. WEEKLY: on these; with `position`: the n-th of these in the month."""
    by_month_day: int = 0
    """1 to 31; 0: not given."""
    clamped: bool = False
    """Whether a month that is too short for `by_month_day` has its last day instead. Only where
    that can be (from day 29 on); otherwise such a month has no occurrence."""
    by_month: int = 0
    position: int = 0
    """1 to 4, or -1 for the last; 0: not given."""
    week_start: str = "MO"
    """Matters for WEEKLY with an interval."""
    count: int = 0
    until: date | None = None
    """The last date, inclusive, in the series' zone."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """`text` writes it, `parse` reads it. `start` and `end` are local times without tzinfo, whole
    seconds; for an all-day event midnights, `end` exclusive. A time that occurs twice has its
    `fold`. The start of a series is its first occurrence; `count` counts it."""

    start: datetime
    end: datetime
    zone: str = ""
    """IANA; blank for an all-day event, and only for that."""
    recurrence: Recurrence | None = None

    @property
    def all_day(self) -> bool:
        return not self.zone

    def text(self) -> str:
        """Raises ScheduleError for what can't be."""
        _check(self)
        lines = [self._line("DTSTART", self.start), self._line("DTEND", self.end)]
        if self.recurrence is not None:
            lines.append(f"RRULE:{_rule(self.recurrence)}")
        return "\n".join(lines)

    def _line(self, name: str, when: datetime) -> str:
        if self.all_day:
            return f"{name};VALUE=DATE:{_day(when)}"
        fold = ";X-FOLD=1" if when.fold else ""
        return f"{name};TZID={self.zone}{fold}:{_day(when)}T{when:%H%M%S}"

    def begins(self) -> float:
        """POSIX seconds. All-day events count as in UTC."""
        return instant(self.start, self.zone or "UTC")

    def starts(self, since: datetime | None = None) -> Iterator[datetime]:
        """The local starts of its occurrences, as the rule has them, from `since` on."""
        if self.recurrence is None:
            yield self.start
            return
        made = _dates(self)
        yield from made if since is None else made.xafter(since, inc=True)

    def has(self, original: str) -> bool:
        """Whether the rule puts an occurrence on this date (`YYYY-MM-DD`)."""
        if self.recurrence is None:
            return False
        day = datetime.combine(date.fromisoformat(original), time())
        return bool(_dates(self).between(day, day + _DAY - timedelta(microseconds=1), inc=True))

    def begins_after(self, seconds: float) -> float | None:
        """When the first occurrence after this begins; None: there is none. POSIX seconds."""
        name = self.zone or "UTC"
        since = datetime.fromtimestamp(seconds, zone("UTC")).replace(tzinfo=None) - _DAY
        for number, start in enumerate(self.starts(since)):
            begun = instant(start, name)
            if begun > seconds or number > _LIMIT:
                return begun
        return None

    def touches(self, first: float, last: float) -> bool:
        """Whether an occurrence, as the rule has it, lasts into the time from `first` to `last`
        (POSIX seconds). All-day ones count as in every zone there is."""
        if self.recurrence is None:
            return self._overlaps(self.start, self.end, first, last)
        length = self.end - self.start
        since = datetime.fromtimestamp(first, zone("UTC")).replace(tzinfo=None)
        for number, start in enumerate(self.starts(since - length - 2 * _DAY)):
            if instant(start, self.zone or "UTC") > last + _DAY.total_seconds():
                return False
            if self._overlaps(start, start + length, first, last):
                return True
            if number > _LIMIT:
                return True
        return False

    def _overlaps(self, start: datetime, end: datetime, first: float, last: float) -> bool:
        slack = 14 * 3600.0 if self.all_day else 0.0
        name = self.zone or "UTC"
        return instant(end, name) + slack >= first and instant(start, name) - slack <= last


def _check(schedule: Schedule) -> None:
    start, end, name = schedule.start, schedule.end, schedule.zone
    if name:
        try:
            zone(name)
        except UnknownZoneError as error:
            raise ScheduleError(str(error)) from None
    elif (start.time(), end.time()) != (time(), time()):
        raise ScheduleError("an all-day event with a time of day")
    for when in (start, end):
        if when.microsecond or when.tzinfo is not None:
            raise ScheduleError("a time that is no whole second of a local clock")
        if when.fold and not (name and repeated(when, name)):
            raise ScheduleError("the second of two equal times, of which there is one")
    if (instant(end, name) < instant(start, name)) if name else end <= start:
        raise ScheduleError("an event that ends before it starts")
    if schedule.recurrence is not None:
        _check_rule(schedule.recurrence)
        if not _in_step(start, schedule.recurrence):
            raise ScheduleError("a series that does not begin with an occurrence")


def _check_rule(rule: Recurrence) -> None:
    monthly = rule.frequency in (Frequency.MONTHLY, Frequency.YEARLY)
    sound = (
        1 <= rule.interval <= _LONGEST
        and all(day in DAYS for day in rule.by_day)
        and len(set(rule.by_day)) == len(rule.by_day)
        and rule.week_start in DAYS
        and rule.count >= 0
        and not (rule.count and rule.until)
        and rule.position in (-1, 0, 1, 2, 3, 4)
        and 0 <= rule.by_month_day <= (_LENGTHS[rule.by_month] if rule.by_month else 31)
        and rule.by_month in range(13)
        and bool(rule.by_month) == (rule.frequency is Frequency.YEARLY)
        and (bool(rule.by_day) == (rule.frequency is Frequency.WEEKLY or bool(rule.position)))
        and (not (rule.by_month_day or rule.position) or monthly)
        and (not monthly or bool(rule.by_month_day) != bool(rule.position))
        and (not rule.clamped or _shortens(rule))
    )
    if not sound:
        raise ScheduleError("a recurrence rule that is none")


def _shortens(rule: Recurrence) -> bool:
    """Whether some month of the rule is too short for its day."""
    return rule.by_month_day > 28 and rule.by_month in (0, 2)


def _in_step(start: datetime, rule: Recurrence) -> bool:
    """Whether a rule that was checked puts an occurrence on its series' first day."""
    if rule.until is not None and rule.until < start.date():
        return False
    if rule.by_month and start.month != rule.by_month:
        return False
    if rule.by_month_day:
        last = monthrange(start.year, start.month)[1]
        return start.day == (min(rule.by_month_day, last) if rule.clamped else rule.by_month_day)
    if rule.by_day and DAYS[start.weekday()] not in rule.by_day:
        return False
    if rule.position:
        wanted = [DAYS.index(day) for day in rule.by_day]
        last = monthrange(start.year, start.month)[1]
        days = [d for d in range(1, last + 1) if start.replace(day=d).weekday() in wanted]
        return days[rule.position if rule.position < 0 else rule.position - 1] == start.day
    return True


def _day(when: date) -> str:
    return f"{when.year:04}{when.month:02}{when.day:02}"


def _rule(rule: Recurrence) -> str:
    parts = ["RSCALE=GREGORIAN"] if rule.clamped else []
    parts.append(f"FREQ={rule.frequency.value}")
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.by_month:
        parts.append(f"BYMONTH={rule.by_month}")
    if rule.by_month_day:
        parts.append(f"BYMONTHDAY={rule.by_month_day}")
    if rule.by_day:
        parts.append(f"BYDAY={','.join(day for day in DAYS if day in rule.by_day)}")
    if rule.position:
        parts.append(f"BYSETPOS={rule.position}")
    if rule.frequency is Frequency.WEEKLY and rule.interval > 1:
        parts.append(f"WKST={rule.week_start}")
    if rule.count:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        parts.append(f"UNTIL={_day(rule.until)}")
    if rule.clamped:
        parts.append("SKIP=BACKWARD")
    return ";".join(parts)


@lru_cache(maxsize=4096)
def parse(text: str) -> Schedule:
    """Of a canonical text. Raises ScheduleError."""
    start, end, *rest = [*text.split("\n"), ""]
    begun, zoned = _moment(start, "DTSTART")
    ended, ends_in = _moment(end, "DTEND")
    if zoned != ends_in or len(rest) > 2:
        raise ScheduleError("a schedule whose start and end are of two zones")
    recurrence = _recurrence(rest[0]) if len(rest) == 2 else None
    schedule = Schedule(start=begun, end=ended, zone=zoned, recurrence=recurrence)
    if schedule.text() != text:
        raise ScheduleError("a schedule that is not in its canonical form")
    return schedule


def _moment(line: str, name: str) -> tuple[datetime, str]:
    found = _LINE.fullmatch(line)
    if found is None or found.group(1) != name:
        raise ScheduleError("a text that is no schedule")
    _, dated, zoned, fold, value = found.groups()
    try:
        when = datetime.strptime(value, _DATE if dated else _TIME)  # noqa: DTZ007 -- a local time
    except ValueError:
        raise ScheduleError("a schedule with a date that is none") from None
    return when.replace(fold=1 if fold else 0), zoned or ""


def _recurrence(line: str) -> Recurrence:
    name, _, value = line.partition(":")
    try:
        parts = dict(part.split("=", 1) for part in value.split(";"))
        until = parts.get("UNTIL")
        rule = Recurrence(
            frequency=Frequency(parts["FREQ"]),
            interval=int(parts.get("INTERVAL", "1")),
            by_day=tuple(parts["BYDAY"].split(",")) if "BYDAY" in parts else (),
            by_month_day=int(parts.get("BYMONTHDAY", "0")),
            clamped=parts.get("SKIP") == "BACKWARD",
            by_month=int(parts.get("BYMONTH", "0")),
            position=int(parts.get("BYSETPOS", "0")),
            week_start=parts.get("WKST", "MO"),
            count=int(parts.get("COUNT", "0")),
            until=datetime.strptime(until, _DATE).date() if until else None,  # noqa: DTZ007
        )
    except (KeyError, ValueError):
        raise ScheduleError("a recurrence rule that is none") from None
    if name != "RRULE":
        raise ScheduleError("a text that is no schedule")
    return rule


@lru_cache(maxsize=4096)
def _dates(schedule: Schedule) -> rrule.rrule:
    from dateutil import rrule  # not at the top: a hub of contacts has no schedules

    rule = schedule.recurrence
    assert rule is not None
    until = datetime.combine(rule.until, time.max) if rule.until is not None else None
    days: int | range = rule.by_month_day
    position = rule.position
    if rule.clamped:  # of the days that the month has, the last one that is not above
        days, position = range(28, rule.by_month_day + 1), -1
    return rrule.rrule(
        getattr(rrule, rule.frequency.value),
        dtstart=schedule.start.replace(fold=0),
        interval=rule.interval,
        wkst=DAYS.index(rule.week_start),
        count=rule.count or None,
        until=until,
        bysetpos=position or None,
        bymonth=rule.by_month or None,
        bymonthday=days or None,
        byweekday=[DAYS.index(day) for day in rule.by_day] or None,
    )
