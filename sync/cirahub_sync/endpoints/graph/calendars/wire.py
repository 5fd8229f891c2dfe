"""Graph's JSON of events and calendars, as far as we read it
(https://learn.microsoft.com/graph/api/resources/event). As in `graph.wire`, unknown members are
skipped and everything is optional that the contract makes nullable.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.endpoints.graph.wire import Removal, WireProperty


class WireMoment(msgspec.Struct, rename="camel"):
    """https://learn.microsoft.com/graph/api/resources/datetimetimezone"""

    date_time: str
    time_zone: str | None = None


class WireBody(msgspec.Struct, rename="camel"):
    content_type: str | None = None
    content: str | None = None


class WireLocation(msgspec.Struct, rename="camel"):
    display_name: str | None = None


class WirePattern(msgspec.Struct, rename="camel"):
    """https://learn.microsoft.com/graph/api/resources/recurrencepattern"""

    type: str | None = None
    interval: int = 1
    month: int = 0
    day_of_month: int = 0
    days_of_week: list[str] | None = None
    first_day_of_week: str | None = None
    index: str | None = None


class WireRange(msgspec.Struct, rename="camel"):
    """https://learn.microsoft.com/graph/api/resources/recurrencerange"""

    type: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    number_of_occurrences: int = 0
    recurrence_time_zone: str | None = None


class WireRecurrence(msgspec.Struct):
    pattern: WirePattern | None = None
    range: WireRange | None = None


class WireResponse(msgspec.Struct):
    response: str | None = None


class WireEvent(msgspec.Struct, rename="camel", kw_only=True):
    id: str
    etag: str = msgspec.field(default="", name="@odata.etag")
    removed: Removal | None = msgspec.field(default=None, name="@removed")
    type: str | None = None
    """`singleInstance`, `occurrence`, `exception` or `seriesMaster`."""
    series_master_id: str | None = None
    change_key: str | None = None
    created_date_time: str | None = None
    last_modified_date_time: str | None = None
    i_cal_u_id: str | None = msgspec.field(default=None, name="iCalUId")
    subject: str | None = None
    body: WireBody | None = None
    location: WireLocation | None = None
    start: WireMoment | None = None
    end: WireMoment | None = None
    is_all_day: bool | None = None
    original_start: str | None = None
    original_start_time_zone: str | None = None
    recurrence: WireRecurrence | None = None
    attendees: list[msgspec.Raw] | None = None
    """How many is all that is read."""
    is_organizer: bool | None = None
    response_status: WireResponse | None = None
    show_as: str | None = None
    is_reminder_on: bool | None = None
    reminder_minutes_before_start: int | None = None
    sensitivity: str | None = None
    categories: list[str] | None = None
    cancelled_occurrences: list[str] | None = None
    exception_occurrences: list[WireEvent] | None = None
    single_value_extended_properties: list[WireProperty] | None = None


class EventKey(msgspec.Struct, rename="camel"):
    """What is left to read of an event that can't be read."""

    id: str
    series_master_id: str | None = None
    removed: Removal | None = msgspec.field(default=None, name="@removed")


class EventStub(msgspec.Struct, rename="camel"):
    """What a search for stamps reads of an event."""

    id: str
    series_master_id: str | None = None
    single_value_extended_properties: list[WireProperty] | None = None


class Owner(msgspec.Struct):
    address: str | None = None


class WireCalendar(msgspec.Struct):
    id: str
    name: str | None = None
    owner: Owner | None = None


class _Links(msgspec.Struct, kw_only=True):
    next: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class EventPage(_Links):
    """Each event apart, so that one that can't be read stops no other."""

    value: list[msgspec.Raw]


class StubPage(_Links):
    value: list[EventStub]


class CalendarPage(_Links):
    value: list[WireCalendar]


EVENT = msgspec.json.Decoder(WireEvent)
EVENT_KEY = msgspec.json.Decoder(EventKey)
EVENT_PAGE = msgspec.json.Decoder(EventPage)
STUB_PAGE = msgspec.json.Decoder(StubPage)
CALENDAR = msgspec.json.Decoder(WireCalendar)
CALENDAR_PAGE = msgspec.json.Decoder(CalendarPage)
