"""Time zones: IANA names here, Microsoft's at the edge, by CLDR's table `windowsZones`.

The table comes with `tzlocal`, which is made anew from CLDR at each of its releases; the rules of
the zones come from the machine or else from `tzdata`.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_WEEK = 7 * 86_400
_SAMPLES = range(1_767_225_600, 1_767_225_600 + 520 * _WEEK, _WEEK)
"""Ten years of weeks, from 2026 on: whether two zones' clocks go alike is asked of them."""
_UTC = ("UTC", "Etc/UTC", "Etc/GMT", "GMT", "Etc/UCT", "Etc/Zulu", "Zulu", "UCT")


class UnknownZoneError(ValueError):
    """No zone has that name. The text does not tell the name: it comes from a remote."""


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownZoneError."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise UnknownZoneError("a time zone that is not known here") from None


@lru_cache(maxsize=1024)
def iana(name: str) -> str:
    """The IANA name of a zone that a service calls by its Windows or its IANA name. Raises
    UnknownZoneError."""
    if name in _UTC:
        return "UTC"
    from tzlocal.windows_tz import win_tz  # not at the top: a hub of contacts has no zones

    known = win_tz.get(name, name)
    if known in _UTC:
        return "UTC"
    zone(known)
    return known


@lru_cache(maxsize=1024)
def windows(name: str) -> str:
    """The Windows name of an IANA zone. Raises UnknownZoneError if it has none, or one under which
    clocks go otherwise: CLDR gives some zones their nearest neighbour's."""
    if name in _UTC:
        return "UTC"
    from tzlocal.windows_tz import tz_win, win_tz  # as in `iana`

    found = tz_win.get(name)
    if not name or found is None or not _alike(zone(name), zone(win_tz[found])):
        raise UnknownZoneError("a time zone that Windows has no name for")
    return found


def _alike(one: ZoneInfo, other: ZoneInfo) -> bool:
    return all(
        datetime.fromtimestamp(when, one).utcoffset()
        == datetime.fromtimestamp(when, other).utcoffset()
        for when in _SAMPLES
    )


@lru_cache(maxsize=1024)
def as_windows_has_it(name: str) -> str:
    """The zone that comes back of one that is written to a service by its Windows name: many zones
    share one (Vienna's is Berlin's). One without any comes back as itself."""
    try:
        return iana(windows(name))
    except UnknownZoneError:
        return name


def instant(local: datetime, name: str) -> float:
    """POSIX seconds of a local time. One that the clocks skip is read by the offset from before
    (RFC 5545, 3.3.5); of one that they show twice `fold` says which."""
    return local.replace(tzinfo=zone(name)).timestamp()


def repeated(local: datetime, name: str) -> bool:
    """Whether the clocks show this time twice."""
    first, second = (local.replace(tzinfo=zone(name), fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second


def local_time(seconds: float, name: str) -> datetime:
    """The local time of an instant, without its zone; `fold` is set in a repeated hour."""
    return datetime.fromtimestamp(seconds, zone(name)).replace(tzinfo=None)
