"""The window: how far back and ahead a calendar is looked at. What is outside of it was not looked
at, so nothing is known of it; it is no deletion."""

from __future__ import annotations

from datetime import datetime

import msgspec

from cirahub_sync.configuration import Window
from cirahub_sync.model import schedule
from cirahub_sync.model.event import Event
from cirahub_sync.model.schedule import Schedule
from cirahub_sync.model.zone import instant

_DAY = 86_400


class Span(msgspec.Struct, frozen=True):
    """In POSIX seconds; both belong to it. It moves by whole days (UTC)."""

    first: float
    last: float

    def holds(self, event: Event) -> bool:
        """Whether any occurrence lasts into it, where the rule has it or where it was moved to."""
        if not event.schedule:
            return False
        when = schedule.parse(event.schedule)
        return when.touches(self.first, self.last) or any(
            self.first <= ended and begun <= self.last for begun, ended in _moved(event, when)
        )

    def entered_at(self, event: Event, window: Window) -> float | None:
        """When the first of its occurrences that are still ahead of this comes into the window;
        None: none is ahead."""
        if not event.schedule:
            return None
        when = schedule.parse(event.schedule)
        ahead = [begun for begun, _ in _moved(event, when) if begun > self.last]
        following = when.begins_after(self.last)
        if following is not None:
            ahead.append(following)
        return min(ahead) - window.future if ahead else None


def span(window: Window, now: float) -> Span:
    """It holds everything that begins within `future` from now, at least."""
    today = now // _DAY * _DAY
    return Span(today - window.past, today + _DAY + window.future)


def _moved(event: Event, when: Schedule) -> list[tuple[float, float]]:
    zone = when.zone or "UTC"
    return [
        (
            instant(datetime.fromisoformat(one.start), zone),
            instant(datetime.fromisoformat(one.end or one.start), zone),
        )
        for one in event.exceptions
        if one.start
    ]
