"""Keeping within the service's limits, so that it seldom has to refuse.

https://learn.microsoft.com/graph/throttling-limits (Outlook service limits): for each application
and mailbox 10,000 requests in 10 minutes, 4 requests at a time and 150 MB of uploads in 5 minutes;
for an application, over all tenants, 130,000 requests in 10 seconds. Requests inside a `$batch`
are counted one by one and reach a mailbox four at a time
(https://learn.microsoft.com/graph/json-batching).

The amounts are kept over a sliding window: a token bucket that is full lets through up to twice
its size within one of the service's windows. How many run at a time adapts: halved when the service
refuses, one more after a run of answers that were not refusals, never above the documented limit.

Whoever waits is served in turns: small requests and large ones alternately, those of a size in the
order of their arrival; first within a mailbox, then among all, where each mailbox has one at a
time. So who fills thousands of mailboxes keeps nobody waiting for long who has one change to bring.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from cirahub_sync.errors import ThrottledError
from cirahub_sync.turns import Gate, Queue

IN_FLIGHT = 640
"""Requests of an application on their way at the same time, to all mailboxes: each has a
connection of its own. A batch of 20 takes most of a second, so 550 are enough for 13,000 requests a
second; processes have 1,024 files where nobody has allowed more."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a service allows; the defaults are Outlook's. Spans are in seconds."""

    requests: int = 10_000
    requests_span: float = 600.0
    uploads: int = 150_000_000
    """Bytes."""
    uploads_span: float = 300.0
    concurrent: int = 4
    app_requests: int = 13_000
    """A tenth of what is allowed, in a tenth of the time: spread like that, nobody waits for
    longer than a second because others were quick."""
    app_requests_span: float = 1.0
    in_flight: int = IN_FLIGHT


_CALM = 20
"""Requests without a refusal after which one more may run at a time."""


_SHORTEST = 0.001
"""Seconds."""
_PRUNE_FROM = 1024
"""Mailboxes."""


class _Window:
    """Amounts within the last `span` seconds, in slices of a hundredth of it.

    A slice counts until its end has left the window, so never too little is counted. There may be
    thousands of windows: slices are bare numbers, start and amount by turns.
    """

    __slots__ = ("_slice", "_slices", "_total", "limit", "span")

    def __init__(self, limit: int, span: float) -> None:
        self.limit = limit
        self.span = span
        self._slice = span / 100
        self._slices: array[float] | None = None
        self._total = 0

    def take(self, now: float, amount: int) -> None:
        if not amount:
            return
        self._total += amount
        if self._slices is None:
            self._slices = array("d")
        if self._slices and now - self._slices[-2] < self._slice:
            self._slices[-1] += amount
        else:
            self._slices.extend((now, amount))

    def empty(self, now: float) -> bool:
        self.wait(now, 0)
        return self._total == 0

    def wait(self, now: float, amount: int) -> float:
        """Seconds until there is room. More than the limit at once waits for an empty window."""
        if self._slices is None:
            return 0.0
        gone = now - self.span - self._slice
        while self._slices and self._slices[0] <= gone:
            self._total -= int(self._slices[1])
            del self._slices[:2]
        excess = self._total + min(amount, self.limit) - self.limit
        if excess <= 0:
            return 0.0
        for at in range(0, len(self._slices), 2):
            excess -= int(self._slices[at + 1])
            if excess <= 0:
                return self._slices[at] - gone
        return self.span


class _Lane:
    """One mailbox: its limits, and who waits for it, in turn."""

    __slots__ = (
        "allowed",
        "calm",
        "gate",
        "most",
        "paused_until",
        "requests",
        "room",
        "running",
        "uploads",
    )

    def __init__(self, limits: Limits) -> None:
        self.gate = Gate()
        self.requests = _Window(limits.requests, limits.requests_span)
        self.uploads = _Window(limits.uploads, limits.uploads_span)
        self.most = limits.concurrent
        self.allowed = limits.concurrent
        self.running = 0
        self.room: asyncio.Event | None = None
        self.paused_until = 0.0
        self.calm = 0

    def idle(self, now: float) -> bool:
        return (
            not self.running
            and not self.gate.closed
            and self.allowed == self.most
            and self.paused_until <= now
            and self.requests.empty(now)
            and self.uploads.empty(now)
        )

    async def wait_for_room(self) -> None:
        """Until somebody leaves, or more may run."""
        if self.room is None:
            self.room = asyncio.Event()
        self.room.clear()
        await self.room.wait()

    def leave(self) -> None:
        if self.room is not None:
            self.room.set()

    def refused(self) -> None:
        self.allowed = max(1, self.allowed // 2)
        self.calm = 0

    def answered(self, count: int) -> None:
        self.calm += count
        if self.calm >= _CALM and self.allowed < self.most:
            self.allowed += 1
            self.calm = 0
            self.leave()


class _Turns:
    """What all mailboxes share: the application's requests, and how many are on their way."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._window = _Window(limits.app_requests, limits.app_requests_span)
        self._places = limits.in_flight
        self._small = limits.concurrent
        self._now = now
        self._running = 0
        self._queue = Queue()
        self._opening: asyncio.TimerHandle | None = None
        self._closed = 0.0

    async def take(self, cost: int) -> float:
        """A place, for this many requests; seconds for which the limit on requests was waited."""
        closed = self._closed
        turn = self._queue.join(cost, small=cost <= self._small)
        self._grant()
        await turn.come(self.leave)
        return self._closed - closed

    def leave(self) -> None:
        self._running -= 1
        self._grant()

    def _grant(self) -> None:
        while self._running < self._places and self._opening is None:
            turn = self._queue.first()
            if turn is None:
                return
            now = self._now()
            wait = self._window.wait(now, turn.cost)
            if wait > 0:
                wait = max(wait, _SHORTEST)
                loop = asyncio.get_running_loop()
                self._opening = loop.call_later(wait, self._opened, wait)
                return
            self._queue.serve()
            self._window.take(now, turn.cost)
            self._running += 1

    def _opened(self, waited: float) -> None:
        self._opening = None
        self._closed += waited
        self._grant()


class Throttle:
    """The limits of one application. Belongs to one event loop.

    `clock` gives seconds that only grow; by default the loop's own.
    """

    def __init__(
        self, limits: Limits | None = None, *, clock: Callable[[], float] | None = None
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._prune_at = _PRUNE_FROM
        self._turns = _Turns(self.limits, self._now)
        self.waited = 0.0
        """Seconds that requests waited because of a limit on amounts or a refusal, in sum."""
        self._waited_for: dict[str, float] = {}

    @asynccontextmanager
    async def slot(
        self, mailbox: str, *, cost: int = 1, upload: int = 0, longest: float = math.inf
    ) -> AsyncIterator[None]:
        """The right to send `cost` requests (the items of a batch) with `upload` bytes now.

        Waits as long as the limits ask; raises ThrottledError when they
        ask for more than `longest` seconds. At most four of a batch run at a time, so a batch
        takes up to four of the mailbox's places.
        """
        lane = self._lane(mailbox)
        width = min(cost, lane.most)
        async with lane.gate.passed(small=cost <= lane.most):
            while True:
                await self._wait_for_amounts(mailbox, lane, cost, upload, longest)
                if lane.running and lane.running + width > lane.allowed:
                    await lane.wait_for_room()
                    continue
                self._waited(mailbox, await self._turns.take(cost))
                now = self._now()
                if lane.paused_until <= now:
                    break
                self._turns.leave()  # the mailbox refused another one meanwhile
            lane.requests.take(now, cost)
            lane.uploads.take(now, upload)
            lane.running += width
        try:
            yield
        finally:
            self._turns.leave()
            lane.running -= width
            lane.leave()

    def refused(self, mailbox: str, retry_after: float) -> None:
        """The service answered 429: nothing goes there for `retry_after` seconds, then less."""
        lane = self._lane(mailbox)
        lane.refused()
        lane.paused_until = max(lane.paused_until, self._now() + retry_after)

    def answered(self, mailbox: str, count: int = 1) -> None:
        """The service took `count` requests."""
        self._lane(mailbox).answered(count)

    def concurrency(self, mailbox: str) -> int:
        """How many requests may run at a time there now."""
        return self._lane(mailbox).allowed

    def take_waited(self, mailbox: str) -> float:
        """Seconds that requests to the mailbox waited since this was last asked."""
        return self._waited_for.pop(mailbox, 0.0)

    async def _wait_for_amounts(
        self, mailbox: str, lane: _Lane, cost: int, upload: int, longest: float
    ) -> None:
        while True:
            now = self._now()
            seconds = max(
                lane.paused_until - now,
                lane.requests.wait(now, cost),
                lane.uploads.wait(now, upload),
            )
            if seconds <= 0:
                return
            if seconds > longest:
                raise ThrottledError(
                    f"the service's limits let the next request through in {seconds:.0f} s; comes "
                    "right by itself",
                    retry_after=seconds,
                )
            # Rounding may leave less than a clock can tell apart.
            seconds = max(seconds, _SHORTEST)
            self._waited(mailbox, seconds)
            await asyncio.sleep(seconds)

    def _waited(self, mailbox: str, seconds: float) -> None:
        if seconds:
            self.waited += seconds
            self._waited_for[mailbox] = self._waited_for.get(mailbox, 0.0) + seconds

    def _lane(self, mailbox: str) -> _Lane:
        lane = self._lanes.get(mailbox)
        if lane is None:
            if len(self._lanes) >= self._prune_at:
                self._prune()
            lane = self._lanes[mailbox] = _Lane(self.limits)
        return lane

    def _prune(self) -> None:
        """Forget mailboxes of which there is nothing to know any more."""
        now = self._now()
        self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.idle(now)}
        self._prune_at = max(_PRUNE_FROM, 2 * len(self._lanes))

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()
