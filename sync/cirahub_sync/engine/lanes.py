"""Many spokes, a few at a time: as many tasks as there are lanes, not as there are spokes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

Each = TypeVar("Each")


async def each(
    subjects: Sequence[Each], work: Callable[[Each], Awaitable[None]], *, lanes: int
) -> None:
    """Do the work for each of them, in order, in so many lanes. What one raises stops the others,
    and comes in an exception group."""
    waiting = iter(subjects)

    async def lane() -> None:
        for subject in waiting:
            await work(subject)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(lanes, len(subjects))):
            group.create_task(lane())
