"""Which calendar of which mailbox, and what of it: the paths below `/v1.0`."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from cirahub_sync.endpoints.graph.place import query, segment
from cirahub_sync.endpoints.graph.properties import STAMP, expansion
from cirahub_sync.model.window import Span

ROLES = "Calendars.ReadWrite (or Calendars.Read, for a spoke that only contributes)"
"""What a mailbox answers 403 without: https://learn.microsoft.com/graph/permissions-reference"""
WRITE_ROLE = "Calendars.ReadWrite"
TEXT = 'outlook.body-content-type="text"'
"""The preference that has bodies come as text: https://learn.microsoft.com/graph/api/event-get"""
STAMPED = query(expand=expansion((STAMP,)))
"""The query option that brings our stamp along; it does not work in a delta (FACTS)."""
OCCURRENCES = (
    query(
        select="id,subject,body,location,start,end,isAllDay,originalStart,originalStartTimeZone,"
        "type,attendees,exceptionOccurrences,cancelledOccurrences"
    )
    + "&"
    + query(expand="exceptionOccurrences")
)
"""The query options by which a master tells of its occurrences, in a GET of that very event and
nowhere else; `$select` is for the exceptions, too
(https://learn.microsoft.com/graph/api/event-get, example of a series master)."""


class CalendarPlace(msgspec.Struct, frozen=True):
    mailbox: str
    """The user's id."""
    calendar: str

    def __str__(self) -> str:
        return f"mailbox {self.mailbox}, calendar {self.calendar}"

    @property
    def mailbox_path(self) -> str:
        return f"/users/{segment(self.mailbox)}"

    @property
    def path(self) -> str:
        return f"{self.mailbox_path}/calendars/{segment(self.calendar)}"

    @property
    def events_path(self) -> str:
        return f"{self.path}/events"

    def event_path(self, event: str) -> str:
        """The event wherever it is in the mailbox."""
        return f"{self.mailbox_path}/events/{segment(event)}"

    def event_here_path(self, event: str) -> str:
        """The event, if it is in this calendar."""
        return f"{self.events_path}/{segment(event)}"

    def view_path(self, span: Span) -> str:
        """A delta over what lasts into a span of time."""
        start, end = (segment(_utc(each)) for each in (span.first, span.last))
        return f"{self.path}/calendarView/delta?startDateTime={start}&endDateTime={end}"

    def instances_path(self, master: str, first: float, last: float) -> str:
        """A series' occurrences between two moments, in POSIX seconds."""
        start, end = (segment(_utc(each)) for each in (first, last))
        return (
            f"{self.event_path(master)}/instances?startDateTime={start}&endDateTime={end}"
            f"&{query(select='id,type,start,end,isAllDay,originalStart,originalStartTimeZone')}"
        )


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
