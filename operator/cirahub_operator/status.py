"""Writes statuses: whole, when they changed, by one field manager; an event tells of readiness."""

from __future__ import annotations

import logging

from cirahub_operator.api import Resource, Status
from cirahub_operator.api.meta import ConditionStatus, Metadata
from cirahub_operator.cluster import Cluster
from cirahub_operator.conditions import READY
from cirahub_operator.errors import StatusRefusedError
from cirahub_operator.events import Events, EventType
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.summary import ERASING, IN_USE, PROGRESSING, RETAINING, SUSPENDED

logger = logging.getLogger(__name__)

AS_WANTED = frozenset({PROGRESSING, SUSPENDED, ERASING, RETAINING, IN_USE})
"""Reasons for which something is not ready that nobody has to be warned of."""


class StatusWriter:
    def __init__(self, cluster: Cluster, events: Events, metrics: Metrics, health: Health) -> None:
        self._cluster = cluster
        self._events = events
        self._metrics = metrics
        self._health = health

    async def write(
        self, kind: type[Resource], metadata: Metadata, before: Status, after: Status
    ) -> bool:
        """True if there was something to write. Raises ClusterUnreachableError."""
        name = kind.definition.kind
        self._metrics.condition(name, metadata, after)
        if before == after:
            return False
        try:
            alive = await self._cluster.apply_status(kind, metadata, after)
        except StatusRefusedError as error:
            # Trying again won't help, and syncing does not hang on it.
            logger.error("%s", error)  # noqa: TRY400 (the message says it all)
            self._metrics.status_refused.labels(name).inc()
            return False
        if not alive:
            logger.debug("%s %s is gone; its status is not written", name, metadata.key)
            return False
        self._health.wrote(kind.definition.plural)
        await self._tell(kind, metadata, before, after)
        return True

    async def _tell(
        self, kind: type[Resource], metadata: Metadata, before: Status, after: Status
    ) -> None:
        old, new = before.condition(READY), after.condition(READY)
        if new is None or (
            old is not None and (old.status, old.reason) == (new.status, new.reason)
        ):
            return
        fine = new.status is ConditionStatus.TRUE or new.reason in AS_WANTED
        await self._events.record(
            kind,
            metadata,
            type=EventType.NORMAL if fine else EventType.WARNING,
            reason=new.reason,
            note=new.message,
        )
