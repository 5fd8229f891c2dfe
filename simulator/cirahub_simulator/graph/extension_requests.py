"""Requests for the open extensions of a contact or an event.

https://learn.microsoft.com/graph/api/opentypeextension-post-opentypeextension and its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cirahub_simulator.calendar.event import Instance
from cirahub_simulator.graph import errors
from cirahub_simulator.graph.body import check_content, read_members
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.contact_requests import find_contact
from cirahub_simulator.graph.event_requests import find_item
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.open_extension import (
    Extensions,
    change_extension,
    check_absent,
    find_extension,
    read_extension,
    shown_extension,
)
from cirahub_simulator.wire import Response


def list_extensions(call: Call, mailbox: Mailbox) -> Response:
    """All extensions of an object."""
    extensions, _ = _owner(call, mailbox)
    return call.page(
        _context(call, mailbox),
        [msgspec.json.encode(shown_extension(name, data)) for name, data in extensions.items()],
    )


def create_extension(call: Call, mailbox: Mailbox) -> Response:
    """Another extension."""
    extensions, written = _owner(call, mailbox)
    name, data = read_extension(_members(call))
    check_absent(extensions, name)
    extensions[name] = data
    written()
    return _entity(call, mailbox, 201, name, data)


def get_extension(call: Call, mailbox: Mailbox) -> Response:
    """One extension, by its id or its name."""
    extensions, _ = _owner(call, mailbox)
    name = _named(call, extensions)
    return _entity(call, mailbox, 200, name, extensions[name])


def update_extension(call: Call, mailbox: Mailbox) -> Response:
    """Other data in an extension."""
    extensions, written = _owner(call, mailbox)
    name = _named(call, extensions)
    data = change_extension(extensions, name, _members(call))
    written()
    return _entity(call, mailbox, 200, name, data)


def delete_extension(call: Call, mailbox: Mailbox) -> Response:
    """No such extension any more."""
    extensions, written = _owner(call, mailbox)
    del extensions[_named(call, extensions)]
    written()
    return call.nothing()


def _owner(call: Call, mailbox: Mailbox) -> tuple[Extensions, Callable[[], None]]:
    """The extensions of the object that the path names, and what notes a write to it."""
    if call.route.contact:
        contact = find_contact(call, mailbox)
        return contact.extensions, lambda: mailbox.touch_contact(contact)
    item = find_item(call, mailbox)
    if isinstance(item, Instance):
        raise errors.not_simulated("extensions of one instance of a series")
    return item.extensions, lambda: mailbox.calendars.touch_event(item)


def _named(call: Call, extensions: Extensions) -> str:
    name = find_extension(extensions, call.route.extension)
    if name is None:
        raise errors.item_not_found()
    return name


def _members(call: Call) -> dict[str, object]:
    request = call.request
    check_content(request.body, request.headers.get("content-type", ""))
    return read_members(request.body)


def _context(call: Call, mailbox: Mailbox) -> str:
    route = call.route
    owner = f"contacts('{route.contact}')" if route.contact else f"events('{route.event}')"
    return f"users('{mailbox.user_id}')/{owner}/extensions"


def _entity(
    call: Call, mailbox: Mailbox, status: int, name: str, data: dict[str, object]
) -> Response:
    return call.entity(status, f"{_context(call, mailbox)}/$entity", shown_extension(name, data))
