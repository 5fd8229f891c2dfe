"""Requests about invitations: accept, decline, tentativelyAccept, cancel, forward.

https://learn.microsoft.com/graph/api/event-accept and its neighbours answer 202 without content.
"""

from __future__ import annotations

from typing import Literal

from cirahub_simulator.calendar.event import Item
from cirahub_simulator.calendar.fields import Response as OwnResponse
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.event_body import ResponseBody, read_response
from cirahub_simulator.graph.event_requests import find_item
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.wire import Response

Answer = Literal["accepted", "tentativelyAccepted", "declined"]


def accept(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-accept"""
    return _respond(call, mailbox, "accepted")


def tentatively_accept(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-tentativelyaccept"""
    return _respond(call, mailbox, "tentativelyAccepted")


def decline(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-decline"""
    return _respond(call, mailbox, "declined")


def cancel(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-cancel: the organizer's; others get 400.

    The event goes to Deleted Items, the cancellation to every attendee.
    """
    item, body = _read(call, mailbox)
    if not mailbox.calendars.meetings.is_organizer(item):
        raise errors.bad_request(
            "Your request can't be completed. You need to be an organizer to cancel a meeting.",
            "ErrorInvalidRequest",
        )
    mailbox.calendars.meetings.cancel(item, body.comment)
    mailbox.calendars.delete_item(item, send=False)
    return _accepted(call)


def forward(call: Call, mailbox: Mailbox) -> Response:
    """https://learn.microsoft.com/graph/api/event-forward"""
    item, body = _read(call, mailbox)
    to = [
        recipient["emailAddress"].address or ""
        for recipient in body.to_recipients
        if "emailAddress" in recipient
    ]
    if not any(to):
        raise errors.bad_request("At least one recipient is required.", "ErrorInvalidRecipients")
    mailbox.calendars.meetings.forward(item, to, body.comment)
    return _accepted(call)


def _respond(call: Call, mailbox: Mailbox, answer: Answer) -> Response:
    item, body = _read(call, mailbox)
    calendars = mailbox.calendars
    if calendars.meetings.is_organizer(item):
        raise errors.bad_request(
            "Your request can't be completed. You can't respond to this meeting because you're "
            "the meeting organizer.",
            "ErrorInvalidRequest",
        )
    if body.proposed_new_time is not None and (
        not item.fields.allow_new_time_proposals or not body.send_response
    ):
        raise errors.bad_request(
            "Your request can't be completed. A new time can't be proposed for this meeting, or "
            "not without sending a response.",
            "ErrorInvalidRequest",
        )
    if body.send_response:
        calendars.meetings.answer(answer, item, body.comment)
    if answer == "declined" and call.switches.declined_event == "removed":
        calendars.delete_item(item, send=False)
        return _accepted(call)
    stamp = f"{call.world.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    calendars.respond(item, OwnResponse(answer, stamp))
    return _accepted(call)


def _read(call: Call, mailbox: Mailbox) -> tuple[Item, ResponseBody]:
    item = find_item(call, mailbox)
    if call.request.body:
        check_content(call.request.body, call.request.headers.get("content-type", ""))
    return item, read_response(call.request.body)


def _accepted(call: Call) -> Response:
    answer = call.nothing()
    answer.status = 202
    return answer
