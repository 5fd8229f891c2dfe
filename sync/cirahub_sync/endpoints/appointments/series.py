"""The occurrences of a series: what they are to say, and what of that differs from what is there.
Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time

import msgspec

from cirahub_sync.endpoints.appointments.times import as_shown
from cirahub_sync.model.event import INNER, Event, Occurrence
from cirahub_sync.model.schedule import Schedule


class Goal(msgspec.Struct, frozen=True):
    """What the occurrences of a series are to say."""

    schedule: str
    exceptions: tuple[Occurrence, ...] = ()
    subject: str = ""
    body: str = ""
    location: str = ""

    def wanted(self, original: str) -> Occurrence:
        """The occurrence of a day."""
        found = (one for one in self.exceptions if one.original == original)
        return next(found, Occurrence(original))


def goal_of(content: Event) -> Goal:
    return Goal(
        as_shown(content.schedule),
        content.exceptions,
        content.subject,
        content.body,
        content.location,
    )


def followed(before: Event | None, after: Event, changed: Iterable[str]) -> bool:
    """Whether an update of these fields has something to do about occurrences."""
    excepted = after.exceptions or (before is not None and before.exceptions)
    inner = set(changed).intersection(("exceptions", "schedule", *INNER))
    return "exceptions" in inner if before is None else bool(excepted and inner)


def differing(series: Event, goal: Goal) -> Iterator[tuple[str, Occurrence, Occurrence]]:
    """The days of a series whose occurrence is not what it is to be: the one that is there, and
    the one that is to be."""
    there = {one.original: one for one in series.exceptions}
    wanted = {one.original: one for one in goal.exceptions}
    for day in sorted({*there, *wanted}):
        now, then = (some.get(day, Occurrence(day)) for some in (there, wanted))
        if now != then:
            yield day, now, then


def texts(wanted: Occurrence, goal: Goal) -> Event:
    """What an occurrence says: its own, or its series'."""
    return Event(**{name: getattr(wanted, name) or getattr(goal, name) for name in INNER})


def said(there: Occurrence, wanted: Occurrence) -> tuple[str, ...]:
    """The names of INNER that one says otherwise than the other."""
    return tuple(name for name in INNER if getattr(wanted, name) != getattr(there, name))


def span_of(series: Schedule, one: Occurrence) -> tuple[datetime, datetime]:
    """When an occurrence begins and ends, in the series' zone."""
    if one.start:
        return datetime.fromisoformat(one.start), datetime.fromisoformat(one.end or one.start)
    day = datetime.fromisoformat(one.original).date()
    start = datetime.combine(day, series.start.time())
    return start, start + (series.end - series.start)


def exception(
    original: str,
    own: Mapping[str, str],
    span: tuple[datetime, datetime],
    series: Event,
    when: Schedule,
) -> Occurrence:
    """An occurrence with what it says (`own`, by the names of INNER) and when it is, but for what
    its series says too."""
    differs = {name: text for name, text in own.items() if text != getattr(series, name)}
    start, end = span
    if span != span_of(when, Occurrence(original)):
        form = "%Y-%m-%d" if when.all_day else "%Y-%m-%dT%H:%M:%S"
        differs |= {"start": start.strftime(form), "end": end.strftime(form)}
    return msgspec.structs.replace(Occurrence(original), **differs)


def whole_days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The days that a time touches, as midnights, the second exclusive."""
    first = datetime.combine(start.date(), time())
    last = datetime.combine(end.date(), time())
    if last < end or last == first:
        last = datetime.fromordinal(last.toordinal() + 1)
    return first, last
