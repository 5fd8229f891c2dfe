"""Who waits for something, and whose turn it is: the small and the large alternately."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Turn:
    """Somebody's place in a queue."""

    __slots__ = ("_served", "cost")

    def __init__(self, cost: int) -> None:
        self.cost = cost
        self._served: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def given_up(self) -> bool:
        return self._served.cancelled()

    def serve(self) -> None:
        self._served.set_result(None)

    async def come(self, give_back: Callable[[], None]) -> None:
        """Wait for it; `give_back` what it brings, if it came to one who is cancelled."""
        try:
            await self._served
        except asyncio.CancelledError:
            if not self.given_up:
                give_back()
            raise


class Queue:
    """Small ones and large ones by turns, those of a size in the order of their arrival."""

    __slots__ = ("_large", "_small", "_small_is_next")

    def __init__(self) -> None:
        self._small: deque[Turn] = deque()
        self._large: deque[Turn] = deque()
        self._small_is_next = True

    def join(self, cost: int, *, small: bool) -> Turn:
        turn = Turn(cost)
        (self._small if small else self._large).append(turn)
        return turn

    def first(self) -> Turn | None:
        """Who is next. Those that have given up are dropped."""
        for waiting in (self._small, self._large):
            while waiting and waiting[0].given_up:
                waiting.popleft()
        if self._small and (self._small_is_next or not self._large):
            return self._small[0]
        return self._large[0] if self._large else None

    def serve(self) -> bool:
        """Whoever is next; False: nobody waits."""
        turn = self.first()
        if turn is None:
            return False
        waiting = self._small if self._small and turn is self._small[0] else self._large
        waiting.popleft()
        self._small_is_next = waiting is self._large
        turn.serve()
        return True


class Gate:
    """One at a time."""

    __slots__ = ("_queue", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._queue: Queue | None = None

    @asynccontextmanager
    async def passed(self, *, small: bool) -> AsyncIterator[None]:
        if self.closed:
            self._queue = self._queue or Queue()
            await self._queue.join(0, small=small).come(self._open)
        self.closed = True
        try:
            yield
        finally:
            self._open()

    def _open(self) -> None:
        """To the next one, to whom it stays closed for the others."""
        self.closed = self._queue is not None and self._queue.serve()
