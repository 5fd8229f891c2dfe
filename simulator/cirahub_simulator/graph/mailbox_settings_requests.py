"""Requests for a mailbox's settings.

https://learn.microsoft.com/graph/api/user-get-mailboxsettings and
https://learn.microsoft.com/graph/api/user-update-mailboxsettings. What is a text of its own can be
changed; nobody is out of office, and working hours are what they are.
"""

from __future__ import annotations

import msgspec

from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.query import MAX_TOP
from cirahub_simulator.wire import Response

TYPE = "microsoft.graph.mailboxSettings"
_TEXTS = {
    "dateFormat": "M/d/yyyy",
    "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
    "timeFormat": "h:mm tt",
    "timeZone": "UTC",
}
_NEVER = {"dateTime": "2026-01-01T00:00:00.0000000", "timeZone": "UTC"}
_REST: dict[str, object] = {
    "archiveFolder": None,
    "automaticRepliesSetting": {
        "status": "disabled",
        "externalAudience": "none",
        "internalReplyMessage": "",
        "externalReplyMessage": "",
        "scheduledStartDateTime": _NEVER,
        "scheduledEndDateTime": _NEVER,
    },
    "language": {"locale": "en-US", "displayName": "English (United States)"},
    "userPurpose": "user",
    "workingHours": {
        "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "startTime": "08:00:00.0000000",
        "endTime": "17:00:00.0000000",
        "timeZone": {"name": "UTC"},
    },
}
PROPERTIES = frozenset((*_TEXTS, *_REST))


def get_settings(call: Call, mailbox: Mailbox) -> Response:
    """All of them, or those selected."""
    query = call.query(TYPE, PROPERTIES, MAX_TOP)
    values = _TEXTS | mailbox.settings | _REST
    chosen = {name: values[name] for name in query.select or values}
    return call.entity(200, f"users('{mailbox.user_id}')/mailboxSettings", chosen)


def update_settings(call: Call, mailbox: Mailbox) -> Response:
    """Change those that are given."""
    body = call.request.body
    check_content(body, call.request.headers.get("content-type", ""))
    try:
        given = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise errors.unreadable_body() from error
    for name, value in given.items():
        if name in _TEXTS:
            if not isinstance(value, str):
                raise errors.invalid_value(name, "Expected `str`")
        elif name in _REST:
            raise errors.not_simulated(f"another {name} of a mailbox")
        elif not name.startswith("@"):
            raise errors.unknown_property(name, TYPE)
    mailbox.settings |= {
        name: value for name, value in given.items() if name in _TEXTS and isinstance(value, str)
    }
    return get_settings(call, mailbox)
