"""Outlook's service limits and Graph's own, as documented, and adjustable.

https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits: 10,000 API requests in
10 minutes, 4 concurrent requests, 150 MB of uploads in 5 minutes, for each combination of app and
mailbox. The same page, of all of Graph: 130,000 requests in 10 seconds for an app over all tenants.
https://learn.microsoft.com/graph/json-batching: the requests of a batch are counted one by one,
each may answer 429 with its own `Retry-After`.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

from cirahub_simulator.clock import Clock
from cirahub_simulator.odata import graph_error
from cirahub_simulator.switches import Switches
from cirahub_simulator.wire import Request, Response

BATCH_WAVE = 4
"""How many requests of one batch reach Outlook at the same time."""


class Limits(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The limits in force. None switches one off."""

    requests: int | None = 10_000
    requests_seconds: float = 600.0
    upload_bytes: int | None = 150_000_000
    upload_seconds: float = 300.0
    concurrent: int | None = 4
    app_requests: int | None = 130_000
    app_seconds: float = 10.0


class _Window:
    """Amounts within the last `seconds`, in a hundred slices: cheap, and exact to one percent."""

    __slots__ = ("_slices", "total")

    def __init__(self) -> None:
        self._slices: deque[list[float]] = deque()
        self.total = 0.0

    def drop_old(self, now: float, seconds: float) -> None:
        while self._slices and self._slices[0][0] <= now - seconds:
            self.total -= self._slices.popleft()[1]

    def add(self, now: float, seconds: float, amount: float) -> None:
        self.total += amount
        if self._slices and now - self._slices[-1][0] < seconds / 100:
            self._slices[-1][1] += amount
        else:
            self._slices.append([now, amount])

    def free_in(self, now: float, seconds: float, room: float) -> float:
        """Seconds until the total is at most `room`."""
        total = self.total
        for start, amount in self._slices:
            total -= amount
            if total <= room:
                return max(0.0, start + seconds - now)
        return seconds


class Flight:
    """One HTTP request from its arrival to its answer, and the mailboxes it keeps busy."""

    __slots__ = ("items", "slots")

    def __init__(self) -> None:
        self.slots: dict[tuple[str, str], int] = {}
        self.items: dict[tuple[str, str], int] = {}


class Throttle:
    """Counts requests by application and mailbox, and refuses those over a limit."""

    def __init__(self, clock: Clock, limits: Limits | None = None) -> None:
        self._clock = clock
        self.limits = limits or Limits()
        self.refused = 0
        self._requests: dict[tuple[str, str], _Window] = {}
        self._uploads: dict[tuple[str, str], _Window] = {}
        self._apps: dict[str, _Window] = {}
        self._in_flight: dict[tuple[str, str], int] = {}
        self._flight: Flight | None = None

    def reset(self) -> None:
        """Forget what was counted; requests in flight stay counted."""
        self._requests.clear()
        self._uploads.clear()
        self._apps.clear()
        self.refused = 0

    def admit(self, switches: Switches, request: Request, mailbox: str) -> Response | None:
        """Count one request to a mailbox (its user id); return the 429 if it is over a limit.

        A service calls it once for every request of its own and every request inside a batch, as
        soon as it knows the mailbox. The admin endpoint's requests (no client) are not counted.
        """
        client = request.client
        if client is None:
            return None
        limits = self.limits
        if self._flight is not None and limits.concurrent is not None:
            refusal = self._take_slot(self._flight, switches, request, client.client_id, mailbox)
            if refusal is not None:
                return refusal
        key = (client.client_id, mailbox)
        now = self._clock.time()
        if limits.app_requests is not None:
            window = self._apps.get(client.client_id)
            if window is None:
                window = self._apps[client.client_id] = _Window()
            window.drop_old(now, limits.app_seconds)
            if window.total + 1 > limits.app_requests:
                wait = window.free_in(now, limits.app_seconds, limits.app_requests - 1)
                return self._refuse(switches, request, "ApplicationRequests", wait)
            window.add(now, limits.app_seconds, 1)
        if limits.requests is not None:
            window = self._requests.get(key)
            if window is None:
                window = self._requests[key] = _Window()
            window.drop_old(now, limits.requests_seconds)
            if window.total + 1 > limits.requests:
                wait = window.free_in(now, limits.requests_seconds, limits.requests - 1)
                return self._refuse(switches, request, "MailboxRequests", wait)
            window.add(now, limits.requests_seconds, 1)
        upload = len(request.body)
        if limits.upload_bytes is not None and upload:
            window = self._uploads.get(key)
            if window is None:
                window = self._uploads[key] = _Window()
            window.drop_old(now, limits.upload_seconds)
            if window.total + upload > limits.upload_bytes:
                wait = window.free_in(now, limits.upload_seconds, limits.upload_bytes - upload)
                return self._refuse(switches, request, "MailboxUpload", wait)
            window.add(now, limits.upload_seconds, upload)
        return None

    def begin(self) -> Flight:
        """An HTTP request arrived; what `admit` counts until `handled` belongs to it.

        The server's part: a service answers at once, and only the server knows how long a request
        stays in flight (its latency setting). Without any latency nothing is ever concurrent.
        """
        self._flight = Flight()
        return self._flight

    def handled(self) -> None:
        """The service is done with the request of `begin`; it stays in flight."""
        self._flight = None

    def end(self, flight: Flight) -> None:
        """The request has been answered."""
        if self._flight is flight:
            self._flight = None
        for key, slots in flight.slots.items():
            left = self._in_flight.get(key, 0) - slots
            if left > 0:
                self._in_flight[key] = left
            else:
                self._in_flight.pop(key, None)

    def _take_slot(
        self,
        flight: Flight,
        switches: Switches,
        request: Request,
        client_id: str,
        mailbox: str,
    ) -> Response | None:
        """Graph hands a batch's requests to Outlook four at a time, whatever their mailboxes.

        https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits (batching). So
        each wave of four competes with the requests of others for the mailbox's slots.
        """
        key = ("" if switches.concurrency_per == "mailbox" else client_id, mailbox)
        own = flight.slots.get(key, 0)
        others = self._in_flight.get(key, 0) - own
        position = flight.items.get(key, 0)
        flight.items[key] = position + 1
        place = position % BATCH_WAVE if switches.batch_concurrency == "each" else 0
        if others + place >= (self.limits.concurrent or 0):
            return self._refuse(switches, request, "MailboxConcurrency", 1)
        if place >= own:
            flight.slots[key] = own + 1
            self._in_flight[key] = others + own + 1
        return None

    def _refuse(self, switches: Switches, request: Request, limit: str, wait: float) -> Response:
        self.refused += 1
        return graph_error(
            request,
            self._clock.now(),
            429,
            switches.throttle_code,
            f"Application is over its {limit} limit.",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )
