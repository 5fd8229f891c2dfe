"""Events: single appointments, series, and the instances of a series.

A series is kept as one `Event`, its master, with the days that were cancelled and those that differ
from it. An `Instance` is one day of it, made when it is looked at. Both are read alike: `kind`,
`fields`, `id`, `change_key` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from cirahub_simulator.calendar import recurrence as rule
from cirahub_simulator.calendar.fields import Address, EventFields, Response
from cirahub_simulator.calendar.recurrence import Recurrence
from cirahub_simulator.calendar.zone import Moment, Window, zone

if TYPE_CHECKING:
    from cirahub_simulator.graph.calendar import Calendar

Kind = Literal["singleInstance", "seriesMaster", "occurrence", "exception"]

GLOBAL_OBJECT_ID = "040000008200E00074C5B7101A82E008"
"""What Outlook's own UIDs begin with: [MS-OXOCAL] 2.2.1.27, PidLidGlobalObjectId."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Series:
    """When the instances of a series are, at one point of its history."""

    start: Moment
    end: Moment
    recurrence: Recurrence
    cancelled: frozenset[date] = frozenset()
    moved: Mapping[date, tuple[Moment, Moment]] = field(default_factory=dict)
    """Where an instance lies that was moved, by the day on which it was."""

    @property
    def zone(self) -> str:
        """The zone whose clock the series keeps."""
        return self.recurrence.range.recurrence_time_zone or self.start.zone

    def times(self, day: date) -> tuple[Moment, Moment]:
        """When the instance of a day starts and ends."""
        moved = self.moved.get(day)
        return moved if moved is not None else self.planned(day)

    def planned(self, day: date) -> tuple[Moment, Moment]:
        """When it would, had nobody moved it: the time of day stays, whatever clocks do."""
        first = self.start.seen_in(self.zone)
        length = self.end.seen_in(self.zone) - first
        local = datetime.combine(day, first.time())
        return (
            self._in_zone_of(self.start, local),
            self._in_zone_of(self.end, local + length),
        )

    def has(self, day: date) -> bool:
        """Whether there is an instance of a day."""
        return day not in self.cancelled and rule.is_day(self.recurrence, day)

    def days(self, window: Window) -> Iterator[date]:
        """The days whose instances are in a window, in order of days."""
        clock = zone(self.zone)
        length = self.end.instant - self.start.instant
        wide = window.padded(length + _DAY)
        first = _date(wide.start.astimezone(clock))
        last = _date(wide.end.astimezone(clock))
        found = rule.days(self.recurrence, first, last)
        for day in sorted({*found, *self.moved}) if self.moved else found:
            if day in self.cancelled:
                continue
            start, end = self.times(day)
            if window.holds(start.instant, end.instant):
                yield day

    def _in_zone_of(self, moment: Moment, local: datetime) -> Moment:
        if moment.zone == self.zone:
            return Moment(local, moment.zone)
        there = Moment(local, self.zone).seen_in(moment.zone)
        return Moment(there, moment.zone)


def _date(moment: datetime) -> date:
    return moment.date()


class Override(msgspec.Struct, kw_only=True):
    """What one instance has of its own."""

    changes: dict[str, object]
    """Attributes of EventFields."""
    extended: dict[str, str | None]
    change_key: str
    modified: str
    sequence: int


class Event:
    """A single appointment or the master of a series, in a calendar."""

    __slots__ = (
        "calendar",
        "change_key",
        "created",
        "extended",
        "extensions",
        "fields",
        "history",
        "id",
        "immutable_id",
        "instance_prefix",
        "is_cancelled",
        "master_sequence",
        "modified",
        "multiple",
        "number",
        "organizer",
        "overrides",
        "response",
        "sequence",
        "series",
        "transaction_id",
        "uid",
    )

    def __init__(
        self,
        *,
        item_id: str,
        immutable_id: str,
        number: int,
        calendar: Calendar,
        fields: EventFields,
        uid: str,
        organizer: Address,
        response: Response,
        created: str,
    ) -> None:
        self.id = item_id
        self.immutable_id = immutable_id
        self.number = number
        self.calendar = calendar
        self.fields = fields
        self.uid = uid
        """What all copies of a meeting share. Of a master, that of no single day."""
        self.organizer = organizer
        self.response = response
        """The mailbox owner's own."""
        self.created = created
        self.modified = created
        self.transaction_id: str | None = None
        self.is_cancelled = False
        self.extended: dict[str, str] = {}
        self.multiple: dict[str, list[str]] = {}
        """Extended properties of several values."""
        self.extensions: dict[str, dict[str, object]] = {}
        """Open extensions by name."""
        self.overrides: dict[date, Override] = {}
        self.series: Series | None = None
        self.history: list[tuple[int, Series | tuple[Moment, Moment]]] = []
        """When it was before the write of each sequence number."""
        self.change_key = ""
        self.sequence = 0
        """Of the last write to the event or to any instance of it."""
        self.master_sequence = 0
        """Of the last write that was not one instance's alone."""

    @property
    def kind(self) -> Kind:
        """singleInstance or seriesMaster."""
        return "singleInstance" if self.series is None else "seriesMaster"

    @property
    def master(self) -> Event | None:
        """None: it is no instance of another."""
        return None

    @property
    def day(self) -> date | None:
        """None: it is no instance of another."""
        return None

    @property
    def ical_uid(self) -> str:
        """The UID in iCalendar's sense, as Graph shows it."""
        return self.uid

    @property
    def original_start(self) -> datetime | None:
        """None: it is no instance of another."""
        return None

    def instance(self, day: date) -> Instance | None:
        """The instance of a day, if there is one."""
        if self.series is None or not self.series.has(day):
            return None
        return Instance(self, self.series, day)

    def instances(self, window: Window) -> Iterator[Instance]:
        """The instances in a window, in order of days."""
        if self.series is not None:
            for day in self.series.days(window):
                yield Instance(self, self.series, day)

    def every_instance(self) -> Iterator[Instance]:
        """All instances in order of days, one at a time; a series without an end has no last."""
        if self.series is not None:
            for day in rule.every_day(self.series.recurrence):
                if day not in self.series.cancelled:
                    yield Instance(self, self.series, day)

    def in_window(self, window: Window) -> bool:
        """Whether a single appointment is in a window."""
        return window.holds(self.fields.start.instant, self.fields.end.instant)


class Instance:
    """One day of a series: an occurrence, or an exception once it differs from its master."""

    __slots__ = ("_override", "day", "event", "series")

    def __init__(self, event: Event, series: Series, day: date) -> None:
        self.event = event
        self.series = series
        self.day: date = day
        self._override = event.overrides.get(day)

    @property
    def kind(self) -> Kind:
        """occurrence or exception."""
        return "occurrence" if self._override is None else "exception"

    @property
    def master(self) -> Event:
        """The series that it belongs to."""
        return self.event

    @property
    def calendar(self) -> Calendar:
        """The calendar that the series is in."""
        return self.event.calendar

    @property
    def id(self) -> str:
        """The regular id; it stays when an occurrence becomes an exception."""
        return instance_id(self.event.id, self.day)

    @property
    def immutable_id(self) -> str:
        """The immutable id."""
        return instance_id(self.event.immutable_id, self.day)

    @property
    def fields(self) -> EventFields:
        """The master's, with what this day has of its own."""
        start, end = self.series.planned(self.day)
        whole = msgspec.structs.replace(self.event.fields, start=start, end=end, recurrence=None)
        if self._override is None:
            return whole
        return msgspec.structs.replace(whole, **self._override.changes)

    @property
    def extended(self) -> dict[str, str]:
        """Extended properties: the master's, with this day's own."""
        if self._override is None or not self._override.extended:
            return self.event.extended
        merged: dict[str, str | None] = {**self.event.extended, **self._override.extended}
        return {name: value for name, value in merged.items() if value is not None}

    @property
    def multiple(self) -> dict[str, list[str]]:
        """The master's."""
        return self.event.multiple

    @property
    def extensions(self) -> dict[str, dict[str, object]]:
        """The master's."""
        return self.event.extensions

    @property
    def ical_uid(self) -> str:
        """The master's with the day in it: [MS-OXOCAL] 2.2.1.27, bytes 16 to 19.

        https://learn.microsoft.com/graph/api/resources/event: iCalUId differs for each occurrence.
        """
        uid = self.event.uid
        if not uid.upper().startswith(GLOBAL_OBJECT_ID):
            return uid
        return f"{uid[:32]}{self.day.year:04X}{self.day.month:02X}{self.day.day:02X}{uid[40:]}"

    @property
    def original_start(self) -> datetime:
        """When it was to start before anybody moved it, in UTC."""
        return self.series.planned(self.day)[0].instant.astimezone(UTC)

    @property
    def change_key(self) -> str:
        """The exception's own, else the master's."""
        return self._override.change_key if self._override is not None else self.event.change_key

    @property
    def modified(self) -> str:
        """When it was last written, as Graph shows it."""
        return self._override.modified if self._override is not None else self.event.modified

    @property
    def sequence(self) -> int:
        """Of the last write that it shows."""
        own = self._override.sequence if self._override is not None else 0
        return max(own, self.event.master_sequence)

    @property
    def created(self) -> str:
        """The master's."""
        return self.event.created

    @property
    def organizer(self) -> Address:
        """The master's."""
        return self.event.organizer

    @property
    def response(self) -> Response:
        """The master's."""
        return self.event.response

    @property
    def is_cancelled(self) -> bool:
        """The master's."""
        return self.event.is_cancelled

    @property
    def transaction_id(self) -> str | None:
        """The master's."""
        return self.event.transaction_id

    @property
    def uid(self) -> str:
        """The master's."""
        return self.event.uid


Item: TypeAlias = Event | Instance

_INSTANCE_MARK = "FRAAI"


def instance_id(master_id: str, day: date) -> str:
    """The id of a series' instance: its master's, with the day."""
    head, tail = master_id[:8], master_id[8:]
    return f"{head}{_INSTANCE_MARK}{day.toordinal():07d}{tail}"


def read_instance_id(text: str) -> tuple[str, date] | None:
    """The master's id and the day of an instance's id; None for another id."""
    if text[8:13] != _INSTANCE_MARK or not text[13:20].isdigit():
        return None
    try:
        day = date.fromordinal(int(text[13:20]))
    except (ValueError, OverflowError):
        return None
    return text[:8] + text[20:], day
