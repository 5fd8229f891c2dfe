"""Subscriptions are made after their endpoints have answered, which takes a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import msgspec

from cirahub_simulator.graph.service import GraphService
from cirahub_simulator.notification.delivery import Deliveries
from cirahub_simulator.wire import Request, Response


class Doorkeeper:
    """The Graph service, with whatever has to be asked elsewhere before it answers."""

    def __init__(self, graph: GraphService, deliveries: Deliveries) -> None:
        self._graph = graph
        self._deliveries = deliveries

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request: at once, unless it asks for subscriptions."""
        path = request.path.lower()
        asks = path.startswith("/subscriptions") or (
            path.startswith("/$batch") and b"subscriptions" in request.body
        )
        return self._after_handshakes(request) if asks else self._graph.handle(request)

    async def _after_handshakes(self, request: Request) -> Response:
        wanted = self._graph.destinations(request)
        found = await asyncio.gather(*map(self._deliveries.shake_hands, wanted.values()))
        known = dict(zip(wanted, found, strict=True))
        response = self._graph.handle(msgspec.structs.replace(request, handshakes=known))
        self._deliveries.wake()
        return response
