"""Requests for calendars: list, get, create, update, delete.

https://learn.microsoft.com/graph/api/resources/calendar
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.event_body import read_calendar
from cirahub_simulator.graph.event_requests import find_calendar
from cirahub_simulator.graph.filter import Kind, Schema
from cirahub_simulator.graph.listing import matching, page_of
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.query import MAX_TOP, NOTHING, Query
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.calendar"

_KINDS: dict[str, Kind] = {
    "id": "string",
    "name": "string",
    "color": "string",
    "hexColor": "string",
    "isDefaultCalendar": "boolean",
    "changeKey": "string",
    "canShare": "boolean",
    "canViewPrivateItems": "boolean",
    "canEdit": "boolean",
    "allowedOnlineMeetingProviders": "strings",
    "defaultOnlineMeetingProvider": "string",
    "isTallyingResponses": "boolean",
    "isRemovable": "boolean",
    "owner": "complex",
}
PROPERTIES = frozenset(_KINDS)
SCHEMA = Schema(TYPE, _KINDS)


def values_of(mailbox: Mailbox, calendar: Calendar, query: Query) -> dict[str, object]:
    """A calendar's members as a query asks for them."""
    values: dict[str, object] = {
        "id": calendar.id,
        "name": calendar.name,
        "color": calendar.color,
        "hexColor": "",
        "isDefaultCalendar": calendar.is_default,
        "changeKey": mailbox.calendars.change_key(calendar),
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"],
        "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": calendar.is_default,
        "isRemovable": not calendar.is_default,
        "owner": mailbox.calendars.owner,
    }
    if query.select:
        return {"id": calendar.id} | {name: values[name] for name in query.select}
    return values


def list_calendars(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-calendars"""
    query = _query(call)
    found = matching(
        mailbox.calendars.all(),
        query,
        SCHEMA,
        lambda calendar: msgspec.to_builtins(values_of(mailbox, calendar, NOTHING)),
    )
    page = page_of(call, query, found)
    return call.page(
        f"users('{mailbox.user_id}')/calendars",
        [msgspec.json.encode(values_of(mailbox, calendar, query)) for calendar in page.items],
        count=page.total if query.count else None,
        next_link=page.next_link,
    )


def get_calendar(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/calendar-get"""
    query = _query(call)
    return _entity(call, 200, mailbox, find_calendar(call, mailbox), query)


def create_calendar(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-calendars"""
    _check_content(call)
    body = read_calendar(call.request.body)
    if not body.name:
        raise errors.bad_request(
            "The property 'Name' is required when creating the entity.", "ErrorInvalidProperty"
        )
    calendar = mailbox.calendars.create_calendar(body.name)
    calendar.color = body.color or "auto"
    return _entity(call, 201, mailbox, calendar, NOTHING)


def update_calendar(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/calendar-update"""
    calendar = find_calendar(call, mailbox)
    _check_content(call)
    body = read_calendar(call.request.body)
    if body.name:
        mailbox.calendars.rename_calendar(calendar, body.name)
    if body.color is not None:
        calendar.color = body.color
        mailbox.calendars.touch_calendar(calendar)
    return _entity(call, 200, mailbox, calendar, NOTHING)


def delete_calendar(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/calendar-delete: any but the default one."""
    if not call.route.calendar:
        raise errors.method_not_allowed()
    mailbox.calendars.delete_calendar(find_calendar(call, mailbox))
    return call.nothing()


def _query(call: Call) -> Query:
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    if query.expand:
        raise errors.not_simulated("$expand of calendars")
    return query


def _check_content(call: Call) -> None:
    check_content(call.request.body, call.request.headers.get("content-type", ""))


def _entity(
    call: Call, status: int, mailbox: Mailbox, calendar: Calendar, query: Query
) -> Response:
    context = f"users('{mailbox.user_id}')/calendars/$entity"
    return call.entity(status, context, values_of(mailbox, calendar, query))
