"""Writes statuses: whole, when they changed, by one field manager; an event tells of readiness."""

from __future__ import annotations

import logging

from cirahub_operator.api import Resource, Status
from cirahub_operator.api.meta import Condition, ConditionStatus, Metadata
from cirahub_operator.cluster import Cluster
from cirahub_operator.conditions import (
    ITEMS_FAILING,
    MEMBERS_FAILING,
    NOTIFICATIONS_FAILING,
    READY,
    THROTTLED,
)
from cirahub_operator.errors import PermissionMissingError, StatusRefusedError
from cirahub_operator.events import Events, EventType
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.summary import ERASING, IN_USE, PROGRESSING, RETAINING, SUSPENDED

logger = logging.getLogger(__name__)

AS_WANTED = frozenset({PROGRESSING, SUSPENDED, ERASING, RETAINING, IN_USE})
"""Reasons for which something is not ready that nobody has to be warned of."""
TOLD = frozenset({ITEMS_FAILING, MEMBERS_FAILING, NOTIFICATIONS_FAILING, THROTTLED})
"""What may be wrong with something that is ready."""

STATUS_REFUSED = "StatusRefused"
STATUS_FORBIDDEN = "StatusForbidden"


class StatusWriter:
    def __init__(self, cluster: Cluster, events: Events, metrics: Metrics, health: Health) -> None:
        self._cluster = cluster
        self._events = events
        self._metrics = metrics
        self._health = health
        self._refused: set[str] = set()
        """Kinds of which it was said that their statuses are."""

    async def write(
        self, kind: type[Resource], metadata: Metadata, before: Status, after: Status
    ) -> bool:
        """True if there was something to write. Raises ClusterUnreachableError, and
        PermissionMissingError. A status that is refused is told by an event, and, once of its kind,
        by the log."""
        name = kind.definition.kind
        self._metrics.condition(name, metadata, after)
        if before == after:
            return False
        asked = self._health.now()
        try:
            alive = await self._cluster.apply_status(kind, metadata, after)
        except StatusRefusedError as error:
            # Trying again won't help, and syncing does not hang on it.
            self._metrics.status_refused.labels(name).inc()
            if name not in self._refused:
                self._refused.add(name)
                logger.error("%s", error)  # noqa: TRY400 (the message says it all)
            await self._warn(kind, metadata, STATUS_REFUSED, str(error))
            return False
        except PermissionMissingError as error:
            await self._warn(kind, metadata, STATUS_FORBIDDEN, str(error))
            raise
        self._refused.discard(name)
        if not alive:
            logger.debug("%s %s is gone; its status is not written", name, metadata.key)
            return False
        self._health.wrote(kind.definition.plural, asked=asked)
        await self._tell(kind, metadata, before, after)
        return True

    async def _warn(self, kind: type[Resource], metadata: Metadata, reason: str, note: str) -> None:
        """By an event, where the status can't."""
        await self._events.record(
            kind, metadata, type=EventType.WARNING, reason=reason, note=note, action="WriteStatus"
        )

    async def _tell(
        self, kind: type[Resource], metadata: Metadata, before: Status, after: Status
    ) -> None:
        for condition in after.conditions:
            if not _news(before, after, condition):
                continue
            await self._events.record(
                kind,
                metadata,
                type=EventType.NORMAL if _fine(condition) else EventType.WARNING,
                reason=condition.reason,
                note=condition.message,
            )


def _news(before: Status, after: Status, condition: Condition) -> bool:
    """Whether an event tells of a condition: of readiness, and of what is wrong although the
    object is ready. Else readiness tells it already."""
    if condition.type != READY and not (condition.type in TOLD and _ready(after)):
        return False
    old = before.condition(condition.type)
    return old is None or (old.status, old.reason) != (condition.status, condition.reason)


def _fine(condition: Condition) -> bool:
    if condition.type != READY:
        return condition.type == THROTTLED
    return condition.status is ConditionStatus.TRUE or condition.reason in AS_WANTED


def _ready(status: Status) -> bool:
    ready = status.condition(READY)
    return ready is not None and ready.status is ConditionStatus.TRUE
