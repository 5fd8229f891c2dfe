"""Bodies of requests that write events and calendars: read strictly, refused in Graph's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from cirahub_simulator.calendar.errors import validation_failure
from cirahub_simulator.calendar.fields import (
    Address,
    Attendee,
    Body,
    EventFields,
    Importance,
    Location,
    Sensitivity,
    ShowAs,
    TimeSlot,
)
from cirahub_simulator.calendar.recurrence import Recurrence, normal
from cirahub_simulator.calendar.zone import UTC_NAME, Moment
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import invalid, read_members, read_own_data
from cirahub_simulator.graph.contact import ExtendedValue
from cirahub_simulator.graph.event import TYPE
from cirahub_simulator.graph.extended_property import read_values
from cirahub_simulator.graph.own_data import NO_DATA, OwnData
from cirahub_simulator.switches import Switches

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?(?:Z|[+-]\d\d:\d\d)?")

_SERVER_FIELDS = frozenset(
    (
        "bodyPreview",
        "calendar",
        "cancelledOccurrences",
        "changeKey",
        "createdDateTime",
        "exceptionOccurrences",
        "hasAttachments",
        "iCalUId",
        "id",
        "instances",
        "isCancelled",
        "isDraft",
        "isOrganizer",
        "lastModifiedDateTime",
        "onlineMeeting",
        "onlineMeetingUrl",
        "organizer",
        "originalEndTimeZone",
        "originalStart",
        "originalStartTimeZone",
        "responseStatus",
        "seriesMasterId",
        "type",
        "webLink",
    )
)
"""What only the server sets. A client that sends them back is not refused, and not obeyed."""

_NOT_SIMULATED = frozenset(("attachments",))

_WORDS = {
    word.lower(): word
    for word in (
        "absoluteMonthly",
        "absoluteYearly",
        "businessAddress",
        "conferenceRoom",
        "endDate",
        "geoCoordinates",
        "homeAddress",
        "localBusiness",
        "locationStore",
        "noEnd",
        "postalAddress",
        "relativeMonthly",
        "relativeYearly",
        "streetAddress",
        "teamsForBusiness",
        "skypeForBusiness",
        "skypeForConsumer",
        "workingElsewhere",
    )
}
_ENUMERATED = frozenset(
    (
        "contentType",
        "daysOfWeek",
        "firstDayOfWeek",
        "importance",
        "index",
        "locationType",
        "onlineMeetingProvider",
        "sensitivity",
        "showAs",
        "type",
        "uniqueIdType",
    )
)


class _DateTimeTimeZone(msgspec.Struct, rename="camel"):
    date_time: str
    time_zone: str = UTC_NAME


class _Attendee(msgspec.Struct, rename="camel"):
    email_address: Address = Address()
    type: Literal["required", "optional", "resource"] = "required"
    proposed_new_time: TimeSlot | msgspec.UnsetType = msgspec.UNSET


class _Body(msgspec.Struct, rename="camel"):
    content_type: Literal["text", "html"] = "text"
    content: str = ""


class _Event(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    start: _DateTimeTimeZone | None = None
    end: _DateTimeTimeZone | None = None
    subject: str | None = None
    body: _Body = msgspec.field(default_factory=_Body)
    categories: tuple[str, ...] = ()
    importance: Importance = "normal"
    sensitivity: Sensitivity = "normal"
    show_as: ShowAs = "busy"
    is_all_day: bool = False
    is_reminder_on: bool = True
    reminder_minutes_before_start: int = 15
    location: Location | None = None
    locations: tuple[Location, ...] = ()
    attendees: tuple[_Attendee, ...] = ()
    response_requested: bool = True
    allow_new_time_proposals: bool = True
    hide_attendees: bool = False
    is_online_meeting: bool = False
    online_meeting_provider: Literal[
        "unknown", "teamsForBusiness", "skypeForBusiness", "skypeForConsumer"
    ] = "unknown"
    recurrence: Recurrence | None = None
    transaction_id: str | None = None
    single_value_extended_properties: list[ExtendedValue] = []


_PLAIN = {
    name: attribute
    for name, attribute in zip(
        _Event.__struct_encode_fields__, _Event.__struct_fields__, strict=True
    )
    if attribute
    not in (
        "start",
        "end",
        "body",
        "location",
        "locations",
        "attendees",
        "recurrence",
        "transaction_id",
        "single_value_extended_properties",
    )
}
"""What goes into an event as it is."""


_TRUTHS = frozenset(
    name
    for name, field in zip(
        _Event.__struct_encode_fields__, msgspec.structs.fields(_Event), strict=True
    )
    if field.type is bool
)
_TRUTH = {"true": True, "false": False}
"""A string becomes a boolean by .NET's own conversion (github.com/OData/odata.net,
ODataJsonReaderUtils.ConvertStringValue). Clients count on it: python-o365 sends `"false"`."""


class EventBody(NamedTuple):
    """An event as a request writes it."""

    changes: dict[str, object]
    """Attributes of EventFields that the body has."""
    extended: dict[str, str | None]
    transaction_id: str | None
    own: OwnData = NO_DATA


def new_fields(body: EventBody) -> EventFields:
    """A new event's fields. Raises CalendarError for one without a start and an end."""
    start, end = body.changes.get("start"), body.changes.get("end")
    if isinstance(start, Moment) and isinstance(end, Moment):
        return msgspec.structs.replace(EventFields(start=start, end=end), **body.changes)
    raise validation_failure("At least one property failed validation: start or end is missing.")


def read_event(body: bytes, switches: Switches, zone_name: str = UTC_NAME) -> EventBody:
    """An event to create or to update. Raises GraphError and CalendarError.

    `zone_name`: the zone of a recurrence that comes with neither a zone nor a start.
    """
    kept: dict[str, object] = {}
    names: set[str] = set()
    members = read_members(body)
    own = read_own_data(members)
    for name, value in members.items():
        if name in _SERVER_FIELDS:
            continue
        if name in _NOT_SIMULATED:
            raise errors.not_simulated(f"the event property {name}")
        if name not in _Event.__struct_encode_fields__:
            raise errors.unknown_property(name, TYPE)
        names.add(name)
        if value is not None:
            kept[name] = _spelled(value, enumerated=name in _ENUMERATED)
            if name in _TRUTHS and isinstance(value, str):
                kept[name] = _TRUTH.get(value.lower(), value)
    try:
        event = msgspec.convert(kept, _Event)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    return EventBody(
        _changes(event, names, switches, zone_name),
        read_values(event.single_value_extended_properties),
        event.transaction_id,
        own,
    )


def _changes(
    event: _Event, names: set[str], switches: Switches, zone_name: str
) -> dict[str, object]:
    changes: dict[str, object] = {
        attribute: getattr(event, attribute) for name, attribute in _PLAIN.items() if name in names
    }
    for name, given in (("start", event.start), ("end", event.end)):
        if name in names:
            changes[name] = _moment(name, given)
    if "body" in names:
        changes["body"] = Body(content_type=event.body.content_type, content=event.body.content)
    if "locations" in names and event.locations:
        changes["locations"] = tuple(_place(location) for location in event.locations)
    elif "location" in names:
        place = event.location
        changes["locations"] = () if place is None or place == Location() else (_place(place),)
    elif "locations" in names:
        changes["locations"] = ()
    if "attendees" in names:
        changes["attendees"] = tuple(_attendee(a, switches) for a in event.attendees)
    if "recurrence" in names:
        zone_name = event.start.time_zone if event.start is not None else zone_name
        changes["recurrence"] = (
            None if event.recurrence is None else normal(event.recurrence, zone_name)
        )
    return changes


def _moment(name: str, given: _DateTimeTimeZone | None) -> Moment:
    """https://learn.microsoft.com/graph/api/resources/datetimetimezone"""
    if given is None:
        raise validation_failure(f"At least one property failed validation: {name} is missing.")
    if _DATE_TIME.fullmatch(given.date_time) is None:
        raise errors.invalid_value(f"{name}/dateTime", f"'{given.date_time}' is no date and time")
    try:
        return Moment.parse(given.date_time, given.time_zone)
    except ValueError as error:
        raise errors.invalid_value(f"{name}/dateTime", str(error)) from error


def _place(location: Location) -> Location:
    """A place as it is kept: https://learn.microsoft.com/graph/api/user-post-events, example 1."""
    if location.display_name and location.unique_id is msgspec.UNSET:
        return msgspec.structs.replace(
            location, unique_id=location.display_name, unique_id_type="private"
        )
    return location


def _attendee(attendee: _Attendee, switches: Switches) -> Attendee:
    address = attendee.email_address
    if address.name is None and switches.email_name == "address":
        address = Address(name=address.address, address=address.address)
    return Attendee(
        type=attendee.type,
        email_address=address,
        proposed_new_time=attendee.proposed_new_time,
    )


def _spelled(value: object, *, enumerated: bool = False) -> object:
    """Enumerations in Graph's spelling, which clients may write in any case; nulls left out."""
    if isinstance(value, str):
        return _WORDS.get(value.lower(), value.lower()) if enumerated else value
    if isinstance(value, Mapping):
        return {
            name: _spelled(member, enumerated=name in _ENUMERATED)
            for name, member in value.items()
            if member is not None
        }
    if isinstance(value, list):
        return [_spelled(member, enumerated=enumerated) for member in value]
    return value


class CalendarBody(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A calendar as a request writes it."""

    name: str | None = None
    color: str | None = None


_CALENDAR_SERVER_FIELDS = frozenset(
    (
        "allowedOnlineMeetingProviders",
        "canEdit",
        "canShare",
        "canViewPrivateItems",
        "changeKey",
        "defaultOnlineMeetingProvider",
        "hexColor",
        "id",
        "isDefaultCalendar",
        "isRemovable",
        "isTallyingResponses",
        "owner",
    )
)

COLORS = frozenset(
    (
        "auto",
        "lightBlue",
        "lightGreen",
        "lightOrange",
        "lightGray",
        "lightYellow",
        "lightTeal",
        "lightPink",
        "lightBrown",
        "lightRed",
        "maxColor",
    )
)
"""https://learn.microsoft.com/graph/api/resources/calendar"""


def read_calendar(body: bytes) -> CalendarBody:
    """A calendar to create or to update. Raises GraphError."""
    kept = {}
    for name, value in read_members(body).items():
        if name in _CALENDAR_SERVER_FIELDS:
            continue
        if name not in CalendarBody.__struct_encode_fields__:
            raise errors.unknown_property(name, "microsoft.graph.calendar")
        kept[name] = value
    try:
        calendar = msgspec.convert(kept, CalendarBody)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    if calendar.color is not None and calendar.color not in COLORS:
        raise errors.invalid_value("color", f"'{calendar.color}' is no color of a calendar")
    return calendar


class ResponseBody(msgspec.Struct, rename="camel"):
    """The parameters of accept, decline, tentativelyAccept, cancel and forward."""

    comment: str | None = None
    send_response: bool = True
    proposed_new_time: dict[str, object] | None = None
    to_recipients: list[dict[str, Address]] = []


def read_response(body: bytes) -> ResponseBody:
    """The parameters of an action. Their names have no case. Raises GraphError."""
    if not body:
        return ResponseBody()
    names = {name.lower(): name for name in ResponseBody.__struct_encode_fields__}
    members = {
        names.get(name.lower(), name): value
        for name, value in read_members(body).items()
        if value is not None
    }
    try:
        return msgspec.convert(members, ResponseBody)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
