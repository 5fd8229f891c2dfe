"""Requests for events: list, view, instances, count, get, create, update, delete, purge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import msgspec

from cirahub_simulator.calendar.errors import CalendarError, validation_failure
from cirahub_simulator.calendar.event import Event, Instance, Item
from cirahub_simulator.calendar.zone import Window, zone
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.etag import check_if_match
from cirahub_simulator.graph.event import (
    ON_REQUEST,
    PROPERTIES,
    SCHEMA,
    SORTABLE,
    TYPE,
    cancelled_occurrences,
    etag_of,
    filterable,
    item_id,
    values_of,
)
from cirahub_simulator.graph.event_body import new_fields, read_event
from cirahub_simulator.graph.extended_property import expanded
from cirahub_simulator.graph.listing import matching, page_of
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.own_data import EXPANDABLE, expanded_own_data
from cirahub_simulator.graph.query import MAX_TOP, NOTHING, Query
from cirahub_simulator.wire import Response

LONGEST_VIEW = timedelta(days=1825)
"""Of a calendar view: https://learn.microsoft.com/graph/api/calendar-list-calendarview"""

_EXPANDABLE = EXPANDABLE | {"attachments", "exceptionOccurrences"}


def find_calendar(call: Call, mailbox: Mailbox) -> Calendar:
    """The calendar that the path names; the default one if it names none. Raises GraphError."""
    name = call.route.calendar
    return mailbox.calendars.calendar(name) if name else mailbox.calendars.default


def find_item(call: Call, mailbox: Mailbox) -> Item:
    """The event or instance that the path names. Raises GraphError."""
    calendar = find_calendar(call, mailbox) if call.route.in_folder else None
    return mailbox.calendars.item(call.route.event, calendar)


def encode(call: Call, item: Item, query: Query, annotations: str = "") -> bytes:
    """The JSON of an event as a query asks for it; `annotations` are members that go first."""
    values = values_of(call, item)
    members: dict[str, object] = {"@odata.etag": etag_of(item)}
    if query.select:
        if "cancelledOccurrences" in query.select and isinstance(item, Event):
            values["cancelledOccurrences"] = cancelled_occurrences(call, item)
        members["id"] = item_id(call, item)
        members |= {
            name: values.get(name)
            for name in query.select
            if name in values or name not in ON_REQUEST
        }
    else:
        members |= values
    if query.extended_ids and (extended := expanded(item.extended, query.extended_ids)):
        members["singleValueExtendedProperties"] = extended
    members |= expanded_own_data(query, item.multiple, item.extensions)
    if "attachments" in query.expand:
        members["attachments"] = []
    if "exceptionOccurrences" in query.expand and isinstance(item, Event):
        members["exceptionOccurrences"] = [
            _selected(values_of(call, instance), query) for instance in _exceptions(item)
        ]
    return b"{" + annotations.encode() + msgspec.json.encode(members)[1:]


def _selected(values: dict[str, object], query: Query) -> dict[str, object]:
    """An exception beside its master: `$select` is for both, by the example in
    https://learn.microsoft.com/graph/api/event-get."""
    if not query.select:
        return values
    return {name: value for name, value in values.items() if name == "id" or name in query.select}


def list_events(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-list-events"""
    return _page(call, mailbox, _scope(call, mailbox), "events")


def count_events(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/query-parameters#count"""
    found = matching(
        _scope(call, mailbox), _query(call), SCHEMA, lambda item: filterable(call, item)
    )
    return call.number(len(found))


def list_view(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/calendar-list-calendarview"""
    window = read_window(call)
    items = mailbox.calendars.view(find_calendar(call, mailbox), window)
    return _page(call, mailbox, items, "calendarView")


def list_instances(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-list-instances"""
    item = find_item(call, mailbox)
    window = read_window(call)
    if not isinstance(item, Event) or item.series is None:
        raise errors.bad_request(
            "Your request can't be completed. The instances of an event can be listed for a "
            "series master only.",
            "ErrorInvalidRequest",
        )
    items: list[Item] = sorted(item.instances(window), key=lambda i: i.fields.start.instant)
    return _page(call, mailbox, items, f"events('{call.route.event}')/instances")


def get_event(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-get"""
    query = _query(call)
    return _entity(call, 200, mailbox, find_item(call, mailbox), query)


def create_event(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-events; attendees are sent invitations."""
    calendar = find_calendar(call, mailbox)
    _check_content(call)
    body = read_event(call.request.body, call.switches)
    transaction = body.transaction_id
    if transaction is not None:
        known = mailbox.calendars.created_by(transaction)
        if known is not None:
            return _duplicate(call, mailbox, known)
    event = mailbox.calendars.create_event(
        calendar, new_fields(body), body.extended, transaction_id=transaction
    )
    body.own.write(event.multiple, event.extensions)
    return _entity(call, 201, mailbox, event, NOTHING)


def update_event(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-update"""
    item = find_item(call, mailbox)
    _check_content(call)
    if call.switches.if_match_on_patch == "honoured":
        check_if_match(call, etag_of(item))
    fields = item.fields
    body = read_event(call.request.body, call.switches, fields.start.zone)
    if body.transaction_id is not None and body.transaction_id != item.transaction_id:
        # "you cannot change transactionId in a subsequent update": resources/event
        raise validation_failure()
    if isinstance(item, Event):
        body.own.check(item.extensions)
    elif body.own.multiple or body.own.extensions:
        raise errors.not_simulated("more than single values on one instance of a series")
    written = mailbox.calendars.update_item(item, body.changes, body.extended)
    body.own.write(item.multiple, item.extensions)
    return _entity(call, 200, mailbox, written, NOTHING)


def delete_event(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-delete; the metadata declares If-Match."""
    item = find_item(call, mailbox)
    check_if_match(call, etag_of(item))
    mailbox.calendars.delete_item(item)
    return call.nothing()


def purge_event(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-permanentdelete"""
    mailbox.calendars.purge_item(find_item(call, mailbox), send=call.switches.purge_cancels)
    return call.nothing()


def read_window(call: Call) -> Window:
    """The window that the request's startDateTime and endDateTime name. Raises GraphError.

    https://learn.microsoft.com/graph/api/calendar-list-calendarview: by their own offset, UTC
    without one, whatever zone is preferred.
    """
    given = window_options(call)
    start, end = given.get("startDateTime"), given.get("endDateTime")
    if start is None or end is None:
        raise errors.bad_request(
            "This request requires a time window specified by the query string parameters "
            "StartDateTime and EndDateTime.",
            "ErrorInvalidParameter",
        )
    window = Window(_instant("StartDateTime", start), _instant("EndDateTime", end))
    if window.end < window.start:
        raise errors.bad_request(
            "The end of the time window is before its start.", "ErrorInvalidParameter"
        )
    if window.end - window.start > LONGEST_VIEW:
        raise errors.bad_request(
            "Your request can't be completed. The range between the start and end dates is "
            f"greater than the allowed range. Maximum number of days: {LONGEST_VIEW.days}",
            "ErrorCalendarViewRangeTooBig",
        )
    return window


def window_options(call: Call) -> dict[str, str]:
    """Those of the request's options that name a window. Their names have no case."""
    given = {name.lower(): value for name, value in parse_qsl(call.request.query)}
    return {
        name: given[name.lower()]
        for name in ("startDateTime", "endDateTime")
        if name.lower() in given
    }


def _instant(name: str, text: str) -> datetime:
    try:
        # A plus sign that nobody escaped is a blank by now.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise errors.bad_request(
            f"The value '{text}' of the parameter '{name}' is invalid.", "ErrorInvalidParameter"
        ) from error


def check_preferences(call: Call) -> None:
    """Raises CalendarError for a preferred time zone that is none."""
    if call.preferences.time_zone is not None:
        zone(call.preferences.time_zone)


def collection(call: Call, mailbox: Mailbox, name: str) -> str:
    """The context of a collection of a calendar."""
    user, calendar = f"users('{mailbox.user_id}')", call.route.calendar
    return f"{user}/calendars('{calendar}')/{name}" if calendar else f"{user}/{name}"


def _scope(call: Call, mailbox: Mailbox) -> list[Item]:
    calendars = [find_calendar(call, mailbox)]
    if not call.route.in_folder and call.switches.events_list == "whole-mailbox":
        calendars = mailbox.calendars.all()
    found: list[Item] = []
    for calendar in calendars:
        for event in calendar.events.values():
            found.append(event)
            if call.switches.events_list_exceptions:
                found += _exceptions(event)
    return found


def _exceptions(event: Event) -> list[Instance]:
    found = (event.instance(day) for day in sorted(event.overrides))
    return [instance for instance in found if instance is not None]


def _query(call: Call) -> Query:
    if not call.request.query:
        return NOTHING
    query = call.query(TYPE, PROPERTIES, MAX_TOP, SORTABLE)
    for name in query.expand:
        if name not in _EXPANDABLE:
            raise errors.not_simulated(f"$expand={name} of events")
    return query


def _page(call: Call, mailbox: Mailbox, items: list[Item], name: str) -> Response:
    query = _query(call)
    found = matching(items, query, SCHEMA, lambda item: filterable(call, item))
    page = page_of(call, query, found, window_options(call))
    return call.page(
        collection(call, mailbox, name),
        [encode(call, item, query) for item in page.items],
        count=page.total if query.count else None,
        next_link=page.next_link,
    )


def _entity(call: Call, status: int, mailbox: Mailbox, item: Item, query: Query) -> Response:
    context = f'"@odata.context":"{call.context(collection(call, mailbox, "events"))}/$entity",'
    return call.answer(status, encode(call, item, query, context))


def _check_content(call: Call) -> None:
    check_content(call.request.body, call.request.headers.get("content-type", ""))


def _duplicate(call: Call, mailbox: Mailbox, known: Event) -> Response:
    setting = call.switches.duplicate_transaction
    if setting == "existing":
        return _entity(call, 201, mailbox, known, NOTHING)
    message = (
        "Your request can't be completed. The TransactionId specified in the request has already "
        "been used to create a different event."
    )
    if setting == "bad-request":
        raise CalendarError("ErrorDuplicateTransactionId", message)
    raise errors.GraphError(409, "ErrorDuplicateTransactionId", message)
