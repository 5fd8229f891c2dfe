"""Filling calendars without requests: what a seed file holds, put where it belongs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from cirahub_simulator.calendar.event import Event
from cirahub_simulator.calendar.fields import NEVER, Address, Response, ResponseType
from cirahub_simulator.graph.calendar import Calendar
from cirahub_simulator.graph.event_body import new_fields, read_event
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.world import World


def ensure_calendar(mailbox: Mailbox, name: str) -> Calendar:
    """The calendar of this name, made where it is missing; without a name the default one."""
    if not name:
        return mailbox.calendars.default
    for calendar in mailbox.calendars.all():
        if calendar.name.casefold() == name.casefold():
            return calendar
    return mailbox.calendars.create_calendar(name)


def add_event(
    world: World,
    mailbox: Mailbox,
    event: Mapping[str, object],
    *,
    calendar: str = "",
    uid: str | None = None,
    organizer: Address | None = None,
    response: ResponseType | None = None,
    cancelled: Sequence[date] = (),
    exceptions: Mapping[date, Mapping[str, object]] | None = None,
) -> Event:
    """Add an event, in the form in which Graph takes it, and send it to nobody.

    `cancelled` and `exceptions` are days of a series: those without an instance, and those whose
    instance has something of its own. Raises GraphError, CalendarError and ValueError for what
    Graph would refuse.
    """
    body = read_event(msgspec.json.encode(event), world.switches)
    fields = new_fields(body)
    made = mailbox.calendars.create_event(
        ensure_calendar(mailbox, calendar),
        fields,
        body.extended,
        transaction_id=body.transaction_id,
        uid=uid,
        organizer=organizer,
        send=False,
    )
    if response is not None:
        mailbox.calendars.respond(made, Response(response, NEVER))
    for day, changes in (exceptions or {}).items():
        own = read_event(msgspec.json.encode(changes), world.switches, fields.start.zone)
        instance = made.instance(day)
        if instance is None:
            raise ValueError(f"the series has no instance on {day}")
        mailbox.calendars.update_item(instance, own.changes, own.extended, send=False)
    for day in cancelled:
        instance = made.instance(day)
        if instance is None:
            raise ValueError(f"the series has no instance on {day}")
        mailbox.calendars.delete_item(instance, send=False)
    return made
