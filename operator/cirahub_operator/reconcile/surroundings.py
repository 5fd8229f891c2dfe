"""What reconcilers act through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from cirahub_operator.api import Metadata, Resource
from cirahub_operator.cluster import Cluster
from cirahub_operator.events import Events, EventType
from cirahub_operator.metrics import Metrics
from cirahub_operator.notices import Notices
from cirahub_operator.objects import Objects
from cirahub_operator.resolver import Trust
from cirahub_operator.runners import Runner
from cirahub_operator.settings import Timing
from cirahub_operator.status import StatusWriter
from cirahub_sync.engine.report import Problem
from cirahub_sync.origins import Origins

Answer = TypeVar("Answer")

WRITES = 6
"""Objects whose statuses and finalizers are written at the same time, each over a connection of
its own, which takes a quarter of a megabyte at least."""


@dataclass(frozen=True)
class Surroundings:
    cluster: Cluster
    objects: Objects
    """What the cluster holds; to be read, where `cluster` is for writing."""
    runner: Runner
    statuses: StatusWriter
    events: Events
    metrics: Metrics
    timing: Timing
    trust: Trust
    pass_slots: asyncio.Semaphore
    """As many passes may run at the same time."""
    notices: Notices = field(default_factory=Notices)
    """Hubs that services told of."""
    notified_pause: float = 0.0
    """Seconds between two passes over a hub that they asked for."""
    no_workers: Problem | None = None
    """Why Hubs with the runner Job can't be passed over, if so."""
    namespaces: frozenset[str] = frozenset()
    """Those that are served; none: all."""
    origins: Origins = field(default_factory=Origins)
    """Where services are that the operator was told of."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def serves(self, namespace: str) -> bool:
        return not self.namespaces or namespace in self.namespaces

    def overdue(self, metadata: Metadata) -> bool:
        """Whether an object that is being deleted has been held long enough."""
        return metadata.deleting and self.held_for(metadata) <= 0

    def held_for(self, metadata: Metadata) -> float:
        """Seconds for which an object that is being deleted may be held yet; negative when it has
        been for too long."""
        deleted = metadata.deletion_timestamp or self.now()
        return self.timing.erase_timeout - (self.now() - deleted).total_seconds()

    async def give_up(self, kind: type[Resource], metadata: Metadata, why: str) -> None:
        """Say that an object is let go although copies of it remain."""
        self.metrics.erasures_incomplete.labels(kind.definition.kind).inc()
        await self.events.record(
            kind,
            metadata,
            type=EventType.WARNING,
            reason="ErasureIncomplete",
            note=f"let go after the erase timeout, and not all is erased: {why}",
            action="Erase",
        )


async def each(work: Iterable[Coroutine[object, object, Answer]]) -> list[Answer]:
    """All of it, some at a time, in order; others get their turn in between, be there thousands.
    What is handed in may be made only as it is done. The first error is raised when all have
    ended."""
    waiting = iter(enumerate(work))
    answers: dict[int, Answer] = {}
    errors: dict[int, Exception] = {}

    async def one_after_the_other() -> None:
        for number, coroutine in waiting:
            try:
                answers[number] = await coroutine
            except Exception as error:
                errors[number] = error
            await asyncio.sleep(0)

    try:
        await asyncio.gather(*(one_after_the_other() for _ in range(WRITES)))
    finally:
        if isinstance(work, Sequence):
            for _, coroutine in waiting:
                coroutine.close()
    if errors:
        raise errors[min(errors)]
    return [answers[number] for number in range(len(answers))]
