"""Birthdays as Exchange keeps them, whichever service shows them: a moment, of which a day is
meant. [MS-OXOCNTC] 2.2.1.5.1."""

from __future__ import annotations

from datetime import datetime, timedelta

_HALF_DAY = timedelta(hours=11, minutes=59, seconds=59)


def day_of(timestamp: str) -> str:
    """The day that a birthday's moment means.

    It has a time of day that depends on the writer: midnight UTC, or midnight where Outlook ran,
    that is up to half a day before or after. So the day of the nearest midnight is meant; noon
    counts for the day that it is in.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
        return (moment + _HALF_DAY).date().isoformat()
    except (ValueError, OverflowError):
        return timestamp[:10]


def moment_of(date: str) -> str:
    """Just before noon UTC: the day that is shown is the same nearly everywhere on earth."""
    return f"{date}T11:59:00Z"
