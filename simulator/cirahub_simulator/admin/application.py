"""The admin endpoint's routes.

Everything is JSON; an error is `{"error": "…"}`. Routes are documented where they are handled:
`appointments` (calendars, as their users see them), `behaviour` (rules, switches, throttle,
latency, clock), `log` (requests, counters, messages), `notifications` (subscriptions), `people`
(mailboxes, as their users see them), `tenancy` (users, applications, vaults, the cluster) and
`exchange` (accounts of Exchange Servers, cmdlets of Exchange Online).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from cirahub_simulator.admin.answer import answer, explain
from cirahub_simulator.admin.appointments import Appointments
from cirahub_simulator.admin.behaviour import Behaviour
from cirahub_simulator.admin.exchange import Exchange
from cirahub_simulator.admin.log import Log
from cirahub_simulator.admin.notifications import Notifications
from cirahub_simulator.admin.people import People
from cirahub_simulator.admin.tenancy import Tenancy

if TYPE_CHECKING:
    from cirahub_simulator.server import Simulator

LARGEST_IMPORT = 256 * 1024 * 1024


def make_admin(simulator: Simulator) -> web.Application:
    """The admin endpoint of a simulator.

    `GET /health` answers `{"status": "ok"}`; `GET /endpoints` what the endpoints file holds;
    `DELETE /connections` closes those that are idle, and answers how many there were.
    """

    async def health(_: web.Request) -> web.StreamResponse:
        return answer({"status": "ok"})

    async def endpoints(_: web.Request) -> web.StreamResponse:
        return answer(simulator.endpoints)

    async def close_idle(_: web.Request) -> web.StreamResponse:
        return answer({"closed": simulator.close_idle()})

    @web.middleware
    async def beat(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        finally:
            simulator.world.pulse.beat()

    application = web.Application(middlewares=[explain, beat], client_max_size=LARGEST_IMPORT)
    application.router.add_get("/health", health)
    application.router.add_get("/endpoints", endpoints)
    application.router.add_delete("/connections", close_idle)
    for room in (
        Appointments(simulator.world),
        Behaviour(simulator.world, simulator.tokens),
        Log(simulator.world),
        Notifications(simulator),
        People(simulator.world, simulator.graph),
        Tenancy(simulator),
        Exchange(simulator.world, simulator.exchange_admin),
    ):
        application.add_routes(room.routes())
    return application
