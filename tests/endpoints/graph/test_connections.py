"""How many requests a session can carry at a time."""

from __future__ import annotations

from cirahub_sync.endpoints.graph.session import GraphSession


async def test_each_request_that_may_be_on_its_way_has_a_connection(session: GraphSession) -> None:
    connector = session._opened().connector
    assert connector is not None
    assert connector.limit == session.throttle.limits.in_flight
