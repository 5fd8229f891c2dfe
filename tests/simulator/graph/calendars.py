"""What tests of calendars write and read."""

from __future__ import annotations

from typing import Any

from tests.simulator.graph.cloud import ADA

EVENTS = f"/users/{ADA}/events"
VIEW = f"/users/{ADA}/calendarView"
IMMUTABLE = 'IdType="ImmutableId"'
BERLIN = "Europe/Berlin"
MONTH = "startDateTime=2026-12-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"


def at(text: str, zone: str = "UTC") -> dict[str, str]:
    """A dateTimeTimeZone."""
    return {"dateTime": text, "timeZone": zone}


def meeting(
    day: str = "2026-12-07",
    start: str = "09:00",
    end: str = "10:00",
    zone: str = "UTC",
    **more: Any,
) -> dict[str, Any]:
    """An event of one day."""
    return {
        "subject": "Meeting",
        "start": at(f"{day}T{start}:00", zone),
        "end": at(f"{day}T{end}:00", zone),
        **more,
    }


def weekly(day: str = "2026-12-07", *days: str, count: int = 4, **more: Any) -> dict[str, Any]:
    """A series of `count` weekly meetings, on Mondays unless days are named."""
    recurrence = {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": list(days) or ["monday"]},
        "range": {"type": "numbered", "startDate": day, "numberOfOccurrences": count},
    }
    return meeting(day, recurrence=recurrence, **more)


def starts(items: list[dict[str, Any]]) -> list[str]:
    """When events start, to the minute; `-` for removals."""
    return ["-" if "@removed" in item else item["start"]["dateTime"][:16] for item in items]


def kinds(items: list[dict[str, Any]]) -> list[str]:
    """Their types; `-` for removals."""
    return ["-" if "@removed" in item else item["type"] for item in items]
