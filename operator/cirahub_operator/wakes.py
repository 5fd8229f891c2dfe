"""Who is woken by what: the watches' events, turned into rings of the work queues.

Only what people change wakes anybody (spec, deletion, our annotations); our own writes of statuses
and finalizers come back as events, too, and don't.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cirahub_operator.api import Connection, Hub, Metadata, Resource, Spoke
from cirahub_operator.api.meta import APPROVE
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.workqueue import Key, Workqueue

Mark = tuple[int, bool, str | None, str | None]


class Wakes:
    def __init__(
        self, *, hubs: Workqueue, connections: Workqueue, health: Health, metrics: Metrics
    ) -> None:
        self._hubs = hubs
        self._connections = connections
        self._health = health
        self._metrics = metrics
        self._marks: dict[str, Mark] = {}

    def hub(self, event: str | None, body: Mapping[str, Any]) -> None:
        """`event` is the watch's: ADDED, MODIFIED, DELETED, or None for the first listing."""
        metadata = Metadata.model_validate(body["metadata"])
        self._health.saw(Hub.definition.plural)
        if (change := self._change(event, metadata)) is not None:
            self._hubs.ring(Key(metadata.namespace, metadata.name), interrupt=change)

    def spoke(self, event: str | None, body: Mapping[str, Any]) -> None:
        metadata = Metadata.model_validate(body["metadata"])
        self._health.saw(Spoke.definition.plural)
        hub = str(body["spec"]["hubRef"]["name"])
        if (change := self._change(event, metadata)) is not None:
            self._hubs.ring(Key(metadata.namespace, hub), interrupt=change)
        self._forget(Spoke, event, metadata)

    def connection(self, event: str | None, body: Mapping[str, Any]) -> None:
        metadata = Metadata.model_validate(body["metadata"])
        self._health.saw(Connection.definition.plural)
        if self._change(event, metadata) is not None:
            self._connections.ring(Key(metadata.namespace, metadata.name))

    def _change(self, event: str | None, metadata: Metadata) -> bool | None:
        """None if nothing changed that matters; else whether it makes work that is being done on
        the object's behalf pointless."""
        if event == "DELETED":
            return None if self._marks.pop(metadata.uid, None) is None else True
        mark = (
            metadata.generation,
            metadata.deleting,
            metadata.requested_at,
            metadata.annotations.get(APPROVE),
        )
        before = self._marks.get(metadata.uid)
        self._marks[metadata.uid] = mark
        if before == mark:
            return None
        return before is not None and before[:2] != mark[:2]

    def _forget(self, kind: type[Resource], event: str | None, metadata: Metadata) -> None:
        if event == "DELETED":
            self._metrics.forget(kind.definition.kind, metadata.namespace, metadata.name)
