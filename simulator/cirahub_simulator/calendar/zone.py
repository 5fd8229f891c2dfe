"""Time zones by Windows' names and IANA's.

https://learn.microsoft.com/graph/api/resources/datetimetimezone: any zone that Windows supports,
and IANA's. The pairs are CLDR's windowsZones table.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from tzlocal.windows_tz import tz_win, win_tz

from cirahub_simulator.calendar.errors import unknown_zone

UTC_NAME = "UTC"
CUSTOM = "tzone://Microsoft/Custom"
"""What stands for a zone that Outlook made up: https://learn.microsoft.com/graph/api/resources/event"""

_UTC_NAMES = frozenset(("utc", "tzone://microsoft/utc", "etc/utc", "etc/gmt"))
_WINDOWS = {name.lower(): iana for name, iana in win_tz.items()}


@lru_cache(maxsize=1024)
def zone(name: str) -> tzinfo:
    """The zone of a Windows or an IANA name. Raises CalendarError for a name of none."""
    if name.lower() in _UTC_NAMES:
        return UTC
    iana = _WINDOWS.get(name.lower(), name)
    try:
        return ZoneInfo(iana)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise unknown_zone(name) from error


def windows_name(name: str) -> str:
    """Windows' name of a zone; the name itself where CLDR pairs it with none."""
    return UTC_NAME if name.lower() in _UTC_NAMES else tz_win.get(name, name)


class Moment(msgspec.Struct, frozen=True):
    """A time of day in a zone, as the one who wrote it meant it."""

    local: datetime
    """Without tzinfo."""
    zone: str
    """A Windows or an IANA name."""

    @classmethod
    def parse(cls, text: str, zone_name: str) -> Moment:
        """The moment of an ISO 8601 time. Raises ValueError and CalendarError.

        A time with an offset is the instant that it says, on the clock of the zone.
        """
        there = zone(zone_name)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(there).replace(tzinfo=None)
        return cls(moment, zone_name)

    @property
    def instant(self) -> datetime:
        """The same in UTC. A time that the clocks skip is the one after the gap."""
        return self.local.replace(tzinfo=zone(self.zone)).astimezone(UTC)

    def shifted(self, local: datetime) -> Moment:
        """Another time in the same zone."""
        return Moment(local, self.zone)

    def seen_in(self, name: str) -> datetime:
        """The time that a clock of another zone shows, without tzinfo."""
        if name == self.zone:
            return self.local
        return self.instant.astimezone(zone(name)).replace(tzinfo=None)


class Window(msgspec.Struct, frozen=True):
    """A range of time, in aware datetimes; the end is not part of it."""

    start: datetime
    end: datetime

    def holds(self, start: datetime, end: datetime) -> bool:
        """Whether something that lasts from start to end is partly in it."""
        if start == end:
            return self.start <= start < self.end
        return start < self.end and end > self.start

    def padded(self, by: timedelta) -> Window:
        """The same, longer at both ends."""
        return Window(_clipped(self.start, -by), _clipped(self.end, by))


def _clipped(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment
