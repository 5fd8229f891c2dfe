"""Sending operations: which may be on their way together, and what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from cirahub_sync.endpoints.base import Create, Operation, Outcome, Result
from cirahub_sync.errors import CirahubError

Indexed = tuple[int, Operation]
"""An operation, and its index among those that were given to `Endpoint.push`."""
Batch = TypeVar("Batch")


class Sent(NamedTuple):
    """What came of a batch. `broken` concerns the whole place: the operations without an outcome
    had no effect, and no others are sent."""

    outcomes: Sequence[Outcome]
    broken: CirahubError | None = None


async def in_waves(
    operations: Sequence[Operation],
    batches: Callable[[Sequence[Indexed]], Iterable[Batch]],
    send: Callable[[Batch], Coroutine[Any, Any, Sent]],
    *,
    most: int,
) -> AsyncGenerator[Sequence[Outcome], None]:
    """Outcomes as they come, with at most so many batches on their way. An error that concerns the
    whole place is raised after the outcomes of all those that were."""
    for wave in _waves(operations):
        waiting = list(batches(wave))[::-1]
        running: set[asyncio.Task[Sent]] = set()
        broken: CirahubError | None = None
        try:
            while running or (waiting and broken is None):
                while waiting and broken is None and len(running) < most:
                    running.add(asyncio.create_task(send(waiting.pop())))
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    sent = task.result()
                    broken = broken or sent.broken
                    if sent.outcomes:
                        yield sent.outcomes
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if broken is not None:
            raise broken


def alike(
    operations: Sequence[Indexed], result: Result, error: str, retry_after: float | None = None
) -> list[Outcome]:
    """Of operations that had their answer together."""
    return [
        Outcome(index=index, result=result, error=error, retry_after=retry_after)
        for index, _ in operations
    ]


def _waves(operations: Sequence[Operation]) -> Iterable[list[Indexed]]:
    """The operations in the order given, but no two of one item on their way together: the
    requests of a batch take effect in any order."""
    waves: list[list[Indexed]] = []
    depth: dict[str, int] = {}
    for index, operation in enumerate(operations):
        wave = 0
        if not isinstance(operation, Create):
            wave = depth.get(operation.id, 0)
            depth[operation.id] = wave + 1
        if wave == len(waves):
            waves.append([])
        waves[wave].append((index, operation))
    return waves
