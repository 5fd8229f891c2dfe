"""Many spokes, a few at a time: as many tasks as there are lanes, not as there are spokes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Each = TypeVar("Each")

LOOK = 0.25
"""Seconds from one look at how busy the loop is to the next."""
BUSY = 0.05
"""Seconds by which a timer is late in a loop that is busy."""


async def each(
    subjects: Sequence[Each],
    work: Callable[[Each], Awaitable[None]],
    *,
    lanes: int,
    most: int = 0,
) -> None:
    """Do the work for each of them, in order, in so many lanes; in up to `most`, as long as answers
    are waited for and not this process: then twice as many at each look. What one raises stops the
    others, and comes in an exception group."""
    waiting = iter(subjects)
    widening: asyncio.Task[None] | None = None

    async def lane() -> None:
        for subject in waiting:
            await work(subject)
        if widening is not None:
            widening.cancel()  # nobody is left to begin with

    async def widen(running: int) -> None:
        loop = asyncio.get_running_loop()
        while running < most:
            due = loop.time() + LOOK
            await asyncio.sleep(LOOK)
            if loop.time() - due < BUSY:
                more = min(running, most - running)
                for _ in range(more):
                    group.create_task(lane())
                running += more

    async with asyncio.TaskGroup() as group:
        for _ in range(min(lanes, len(subjects))):
            group.create_task(lane())
        if lanes < min(most, len(subjects)):
            widening = group.create_task(widen(lanes))
