"""Events as Graph shows them.

https://learn.microsoft.com/graph/api/resources/event; the order of the members and what stands for
"nothing" are those of the example in https://learn.microsoft.com/graph/api/event-get.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from cirahub_simulator.calendar.event import Event, Item
from cirahub_simulator.calendar.fields import Body, EventFields
from cirahub_simulator.calendar.recurrence import Recurrence
from cirahub_simulator.calendar.text import as_html, as_text, preview
from cirahub_simulator.calendar.zone import UTC_NAME, Moment, windows_name
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.filter import Kind, Schema
from cirahub_simulator.graph.identifiers import etag

TYPE = "microsoft.graph.event"

NO_DATE = "0001-01-01"
"""The end date of a range that has none."""

_KINDS: dict[str, Kind] = {
    "id": "string",
    "createdDateTime": "moment",
    "lastModifiedDateTime": "moment",
    "changeKey": "string",
    "categories": "strings",
    "transactionId": "string",
    "originalStart": "moment",
    "originalStartTimeZone": "string",
    "originalEndTimeZone": "string",
    "iCalUId": "string",
    "reminderMinutesBeforeStart": "number",
    "isReminderOn": "boolean",
    "hasAttachments": "boolean",
    "subject": "string",
    "bodyPreview": "string",
    "importance": "string",
    "sensitivity": "string",
    "isAllDay": "boolean",
    "isCancelled": "boolean",
    "isOrganizer": "boolean",
    "responseRequested": "boolean",
    "seriesMasterId": "string",
    "showAs": "string",
    "type": "string",
    "webLink": "string",
    "onlineMeetingUrl": "string",
    "isOnlineMeeting": "boolean",
    "onlineMeetingProvider": "string",
    "allowNewTimeProposals": "boolean",
    "isDraft": "boolean",
    "hideAttendees": "boolean",
    "responseStatus": "complex",
    "body": "complex",
    "start": "complex",
    "end": "complex",
    "location": "complex",
    "locations": "objects",
    "recurrence": "complex",
    "attendees": "objects",
    "organizer": "complex",
    "onlineMeeting": "complex",
}
ON_REQUEST = frozenset(("cancelledOccurrences", "exceptionOccurrences"))
"""What an event shows only where it is asked for: https://learn.microsoft.com/graph/api/event-get
names both in `$select`, and expands the latter."""

PROPERTIES = frozenset(_KINDS) | ON_REQUEST
"""What `$select` and `$orderby` may name."""

SORTABLE = frozenset(("start/dateTime", "end/dateTime"))
"""What `$orderby` may name besides: https://learn.microsoft.com/graph/api/user-list-events"""

SCHEMA = Schema(TYPE, {**_KINDS, "singleValueExtendedProperties": "extended"})


def item_id(call: Call, item: Item) -> str:
    """The id of the kind that the client prefers."""
    return item.immutable_id if call.preferences.immutable_ids else item.id


def values_of(call: Call, item: Item, *, stored_times: bool = False) -> dict[str, object]:
    """All members under Graph's names.

    `stored_times`: start and end in UTC, whatever is preferred, and of all-day events the instants
    that are kept instead of midnight. That is what filters see
    (github.com/microsoftgraph/microsoft-graph-docs, issue 16798).
    """
    fields = item.fields
    master, original = item.master, item.original_start
    shown_id = item_id(call, item)
    values: dict[str, object] = {
        "id": shown_id,
        "createdDateTime": item.created,
        "lastModifiedDateTime": item.modified,
        "changeKey": item.change_key,
        "categories": fields.categories,
    }
    if item.transaction_id is not None:
        # "only returned in a response payload if an app has set it"
        values["transactionId"] = item.transaction_id
    if original is not None:
        values["originalStart"] = f"{original:%Y-%m-%dT%H:%M:%SZ}"
    place = fields.location
    values |= {
        "originalStartTimeZone": _zone_name(call, fields.start.zone),
        "originalEndTimeZone": _zone_name(call, fields.end.zone),
        "iCalUId": item.ical_uid,
        "reminderMinutesBeforeStart": fields.reminder_minutes_before_start,
        "isReminderOn": fields.is_reminder_on,
        "hasAttachments": False,
        "subject": fields.subject,
        "bodyPreview": preview(fields.body),
        "importance": fields.importance,
        "sensitivity": fields.sensitivity,
        "isAllDay": fields.is_all_day,
        "isCancelled": item.is_cancelled,
        "isOrganizer": item.response.response == "organizer",
        "responseRequested": fields.response_requested,
        "seriesMasterId": None if master is None else item_id(call, master),
        "showAs": fields.show_as,
        "type": item.kind,
        "webLink": "https://outlook.office365.com/owa/?itemid="
        f"{quote(shown_id, safe='')}&exvsurl=1&path=/calendar/item",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": fields.is_online_meeting,
        "onlineMeetingProvider": fields.online_meeting_provider,
        "allowNewTimeProposals": fields.allow_new_time_proposals,
        "isDraft": False,
        "hideAttendees": fields.hide_attendees,
        "responseStatus": item.response,
        "body": _body(call, fields.body),
        **_times(call, fields, stored=stored_times),
        "location": place,
        "locations": fields.locations,
        "recurrence": None
        if fields.recurrence is None
        else _recurrence(call, fields.recurrence, fields.start.zone),
        "attendees": fields.attendees,
        "organizer": {"emailAddress": item.organizer},
        "onlineMeeting": None,
    }
    return values


def short_values_of(call: Call, item: Item) -> dict[str, object]:
    """What delta tells of an occurrence that is as its master.

    github.com/microsoftgraph/microsoft-graph-docs, issue 7632, and microsoft-graph-docs-contrib,
    issue 34: these members and no others.
    """
    master = item.master
    return {
        "seriesMasterId": None if master is None else item_id(call, master),
        "type": item.kind,
        "id": item_id(call, item),
        **_times(call, item.fields, stored=False),
    }


def etag_of(item: Item) -> str:
    """The etag that goes with the change key."""
    return etag(item.change_key)


def cancelled_occurrences(call: Call, event: Event) -> list[str]:
    """The occurrence ids of a master's cancelled days.

    https://learn.microsoft.com/graph/api/resources/event (cancelledOccurrences); the form of an
    occurrence id is that of the example in https://learn.microsoft.com/graph/api/event-get.
    """
    if event.series is None:
        return []
    master_id = item_id(call, event)
    return [f"OID.{master_id}.{day.isoformat()}" for day in sorted(event.series.cancelled)]


def filterable(call: Call, item: Item) -> dict[str, object]:
    """An item's members for filters and orders."""
    values: dict[str, object] = msgspec.to_builtins(values_of(call, item, stored_times=True))
    fields = item.fields
    values["start/dateTime"] = _date_time(fields.start, UTC_NAME)
    values["end/dateTime"] = _date_time(fields.end, UTC_NAME)
    values["singleValueExtendedProperties"] = [
        {"id": name, "value": value} for name, value in item.extended.items()
    ]
    return values


def _times(call: Call, fields: EventFields, *, stored: bool) -> dict[str, object]:
    """Start and end in the preferred zone.

    All-day events are midnight to midnight in whichever zone
    (github.com/microsoftgraph/microsoft-graph-docs, issue 1802: by design).
    """
    name = UTC_NAME if stored else call.preferences.time_zone or UTC_NAME
    shown = []
    for moment in (fields.start, fields.end):
        if fields.is_all_day and not stored:
            text = f"{moment.local:%Y-%m-%dT%H:%M:%S}.0000000"
        else:
            text = _date_time(moment, name)
        shown.append({"dateTime": text, "timeZone": name})
    return {"start": shown[0], "end": shown[1]}


def _date_time(moment: Moment, zone_name: str) -> str:
    local = moment.seen_in(zone_name)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond:06d}0"


def _zone_name(call: Call, name: str) -> str:
    return windows_name(name) if call.switches.zone_names == "windows" else name


def _body(call: Call, body: Body) -> dict[str, str]:
    """https://learn.microsoft.com/graph/api/event-get: HTML unless text is preferred."""
    if call.preferences.body_type == "text":
        return {"contentType": "text", "content": as_text(body)}
    wrapped = call.switches.event_body == "wrapped"
    return {"contentType": "html", "content": as_html(body, wrapped=wrapped)}


def _recurrence(call: Call, recurrence: Recurrence, start_zone: str) -> dict[str, object]:
    pattern, span = recurrence.pattern, recurrence.range
    shown: dict[str, object] = {
        "type": pattern.type,
        "interval": pattern.interval,
        "month": pattern.month,
        "dayOfMonth": pattern.day_of_month,
        "firstDayOfWeek": pattern.first_day_of_week,
        "index": pattern.index,
    }
    if pattern.days_of_week:
        shown["daysOfWeek"] = pattern.days_of_week
    return {
        "pattern": shown,
        "range": {
            "type": span.type,
            "startDate": span.start_date.isoformat(),
            "endDate": NO_DATE if span.end_date is None else span.end_date.isoformat(),
            "recurrenceTimeZone": _zone_name(call, span.recurrence_time_zone or start_zone),
            "numberOfOccurrences": span.number_of_occurrences,
        },
    }
