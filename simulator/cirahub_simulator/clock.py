"""The simulator's time, which an admin call may move ahead."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Real time plus an offset, so that tokens expire without anybody sleeping."""

    def __init__(self) -> None:
        self._offset = 0.0

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._offset

    def now(self) -> datetime:
        """The same as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, by: timedelta) -> None:
        """Move ahead. Time never goes back: a negative step raises ValueError."""
        if by < timedelta():
            raise ValueError(f"the clock only moves ahead, not by {by}")
        self._offset += by.total_seconds()

    @property
    def offset(self) -> timedelta:
        """How far ahead of real time it is."""
        return timedelta(seconds=self._offset)
