"""Wakes whoever waits for something to happen in a world."""

from __future__ import annotations

import asyncio


class Pulse:
    """Beats after every request that may have changed something.

    All of it happens in one event loop.
    """

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def beat(self) -> None:
        """Wake everybody who waits."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def wait(self, most: float) -> None:
        """Wait for the next beat, at most so many seconds."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait((future,), timeout=most)
        finally:
            self._waiting.discard(future)
