"""The last moment before a write's bytes leave: whoever may not write any more is stopped there.

Before it lie the throttle, sign-in and the making of a connection, each of which may take longer
than a lease; behind it nothing waits. aiohttp calls its trace hooks `on_request_headers_sent` and
`on_request_chunk_sent` just before it hands headers, and headers with a body, to the transport; an
exception there takes the request back, and closes the connection. Their names say otherwise, so
`test_gate.py` holds aiohttp to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import aiohttp

from cirahub_sync.endpoints.base import Fence
from cirahub_sync.errors import CirahubError


class Gate:
    """Of one request."""

    def __init__(self, fence: Fence, seconds: float) -> None:
        """`seconds`: how long the request may take once it has left."""
        self.refusal: CirahubError | None = None
        """Why the request was not sent; None if it may have been."""
        self._fence = fence
        self._seconds = seconds

    def check(self) -> None:
        try:
            self._fence(self._seconds)
        except CirahubError as error:
            self.refusal = error
            raise


_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


@contextmanager
def guarded(gate: Gate | None) -> Iterator[None]:
    """Requests that are sent in this block pass the gate."""
    token = _gate.set(gate)
    try:
        yield
    finally:
        _gate.reset(token)


def last_moment() -> aiohttp.TraceConfig:
    """For a session whose requests have gates. The request's task, and the one that writes its
    body, carry the gate in their context."""

    async def check(*_: object) -> None:
        gate = _gate.get()
        if gate is not None:
            gate.check()

    traces = aiohttp.TraceConfig()
    traces.on_request_headers_sent.append(check)
    traces.on_request_chunk_sent.append(check)
    return traces
