"""Calendars as their users see them: no token, no throttling, no faults, nothing in the log.

Events are created, edited and deleted by Graph requests as the user (`people`).
"""

from __future__ import annotations

from datetime import date
from urllib.parse import unquote

import msgspec
from aiohttp import web

from cirahub_simulator.admin.answer import AdminError, answer, read
from cirahub_simulator.calendar.errors import CalendarError
from cirahub_simulator.calendar.event import Event
from cirahub_simulator.calendar.fields import Address, ResponseType
from cirahub_simulator.graph.call import Call
from cirahub_simulator.graph.errors import GraphError
from cirahub_simulator.graph.event import values_of
from cirahub_simulator.graph.event_seed import add_event
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.routing import Route
from cirahub_simulator.graph.seed import mailbox_of
from cirahub_simulator.wire import Request
from cirahub_simulator.world import World


class _Import(msgspec.Struct, forbid_unknown_fields=True):
    event: dict[str, object]
    calendar: str = ""
    uid: str | None = None
    organizer: Address | None = None
    response: ResponseType | None = None
    cancelled: list[date] = []
    exceptions: dict[date, dict[str, object]] = {}


class _Target(msgspec.Struct, forbid_unknown_fields=True):
    calendar: str | None = None


class Appointments:
    """What users do in their calendars beyond what Graph offers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/mailboxes/{user}/events", self.dump),
            web.post("/mailboxes/{user}/events", self.add),
            web.post("/mailboxes/{user}/events/{id}/move", self.move),
            web.post("/mailboxes/{user}/events/{id}/copy", self.copy),
        ]

    async def dump(self, request: web.Request) -> web.StreamResponse:
        """`GET /mailboxes/{user}/events`: every event with all that it carries.

        Each is `{"calendar": "Calendar", "event": {…}}`, where the event has its regular `id`, its
        `immutableId`, `singleValueExtendedProperties`, and a master its `cancelled` days and its
        `exceptions`. `user` is an id or a userPrincipalName.
        """
        mailbox = self._mailbox(request)
        return answer(
            [
                {"calendar": calendar.name, "event": self._whole(event)}
                for calendar in mailbox.calendars.all()
                for event in calendar.events.values()
            ]
        )

    async def add(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/events` `{"event": {…}, "calendar": "Team", …}`.

        The event is Graph's JSON, a missing calendar is made, nobody is invited. Optional: `uid`,
        `organizer` `{"name", "address"}` of somebody else's meeting, the owner's `response` to it,
        and of a series the days `cancelled` and `exceptions` `{"2026-12-07": {…}}`.
        """
        body = await read(request, _Import)
        try:
            made = add_event(
                self._world,
                self._mailbox(request),
                body.event,
                calendar=body.calendar,
                uid=body.uid,
                organizer=body.organizer,
                response=body.response,
                cancelled=body.cancelled,
                exceptions=body.exceptions,
            )
        except (GraphError, CalendarError, ValueError) as error:
            raise AdminError(400, str(error)) from error
        return answer(self._whole(made), 201)

    async def move(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/events/{id}/move` `{"calendar": "Team"}`; also out of the bin."""
        return await self._transfer(request, copy=False)

    async def copy(self, request: web.Request) -> web.StreamResponse:
        """`POST /mailboxes/{user}/events/{id}/copy`, by default beside the original."""
        return await self._transfer(request, copy=True)

    async def _transfer(self, request: web.Request, *, copy: bool) -> web.StreamResponse:
        mailbox = self._mailbox(request)
        target = await read(request, _Target) if request.body_exists else _Target()
        calendars = mailbox.calendars
        try:
            item = calendars.item(unquote(request.match_info["id"]))
        except GraphError as error:
            raise AdminError(error.status, str(error)) from error
        if not isinstance(item, Event):
            raise AdminError(400, "an instance of a series is neither moved nor copied alone")
        calendar = item.calendar
        if target.calendar is not None:
            named = [c for c in calendars.all() if c.name == target.calendar]
            if not named:
                raise AdminError(404, f"no calendar {target.calendar}")
            calendar = named[0]
        moved = (
            calendars.copy_event(item, calendar) if copy else calendars.move_event(item, calendar)
        )
        return answer(self._whole(moved), 201)

    def _whole(self, event: Event) -> dict[str, object]:
        call = Call(self._world, Request(method="GET", path="", service="admin"), Route("event"))
        values: dict[str, object] = values_of(call, event)
        values["immutableId"] = event.immutable_id
        values["singleValueExtendedProperties"] = [
            {"id": name, "value": value} for name, value in event.extended.items()
        ]
        if event.series is not None:
            values["cancelled"] = sorted(event.series.cancelled)
            values["exceptions"] = [
                values_of(call, instance)
                for day in sorted(event.overrides)
                if (instance := event.instance(day)) is not None
            ]
        return values

    def _mailbox(self, request: web.Request) -> Mailbox:
        name = request.match_info["user"]
        user = self._world.directory.find_user(name)
        if user is None or not user.has_mailbox:
            raise AdminError(404, f"no mailbox {name}")
        return mailbox_of(self._world, user.id)
