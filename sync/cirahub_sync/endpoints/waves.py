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

HELD = 400
"""Outcomes that are handed on together. To note 20 at a time costs twice as much of the processor
for each and three times the time: pages of all indexes are written for every few rows."""
HELD_FOR = 0.5
"""Seconds that an outcome waits at most for others to come. Whoever dies meanwhile has to look for
what it stands for."""


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
    """Outcomes as they come, many of them together, with at most so many batches on their way. An
    error that concerns the whole place is raised after the outcomes of all those that were. Who is
    cancelled gets no more of them: to note them may take as long as a database is waited for."""
    for wave in _waves(operations):
        waiting = list(batches(wave))[::-1]
        running: set[asyncio.Task[Sent]] = set()
        broken: CirahubError | None = None
        held = _Held()
        try:
            while running or (waiting and broken is None):
                while waiting and broken is None and len(running) < most:
                    running.add(asyncio.create_task(send(waiting.pop())))
                done, running = await asyncio.wait(
                    running, timeout=held.patience, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    sent = _result(task)
                    broken = broken or sent.broken
                    held.add(sent.outcomes)
                if held.full:
                    yield held.taken()
        except Exception:
            if held:
                yield held.taken()
            raise
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if held:
            yield held.taken()
        if broken is not None:
            raise broken


def _result(task: asyncio.Task[Sent]) -> Sent:
    """An error of ours, of a fence or of a sign-in, ends it as one that a batch came back with."""
    try:
        return task.result()
    except CirahubError as error:
        return Sent((), error)


class _Held:
    """Outcomes that wait for others, to be noted together."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome] = []
        self._until = 0.0
        self._now = asyncio.get_running_loop().time

    def __bool__(self) -> bool:
        return bool(self._outcomes)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and not self._outcomes:
            self._until = self._now() + HELD_FOR
        self._outcomes += outcomes

    @property
    def patience(self) -> float | None:
        """Seconds that are left to wait for more; None if there is nothing that waits."""
        return max(0.0, self._until - self._now()) if self._outcomes else None

    @property
    def full(self) -> bool:
        return len(self._outcomes) >= HELD or self.patience == 0.0

    def taken(self) -> Sequence[Outcome]:
        taken, self._outcomes = self._outcomes, []
        return taken


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
