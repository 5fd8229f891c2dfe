"""What reconcilers act through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cirahub_operator.api import Metadata, Resource
from cirahub_operator.cluster import Cluster
from cirahub_operator.events import Events, EventType
from cirahub_operator.metrics import Metrics
from cirahub_operator.objects import Objects
from cirahub_operator.resolver import Trust
from cirahub_operator.runners import Runner
from cirahub_operator.settings import Timing
from cirahub_operator.status import StatusWriter


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
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def overdue(self, metadata: Metadata) -> bool:
        """Whether an object that is being deleted has been held long enough."""
        deleted = metadata.deletion_timestamp
        return (
            deleted is not None
            and (self.now() - deleted).total_seconds() > self.timing.erase_timeout
        )

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
