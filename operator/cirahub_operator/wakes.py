"""Who is woken by what: the watches' events, turned into rings of the work queues.

Only what people change wakes anybody (spec, deletion, our annotations); our own writes of statuses
and finalizers come back as events, too, and don't. Before everything is known nobody is woken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cirahub_operator.api import Connection, Hub, Metadata, Resource, Spoke, SpokeSet
from cirahub_operator.api.meta import APPROVE
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.objects import Objects, hub_of
from cirahub_operator.workqueue import Key, Workqueue

Mark = tuple[int, bool, bool, str | None, str | None]


class Wakes:
    def __init__(
        self,
        *,
        objects: Objects,
        hubs: Workqueue,
        connections: Workqueue,
        health: Health,
        metrics: Metrics,
    ) -> None:
        self._objects = objects
        self._hubs = hubs
        self._connections = connections
        self._health = health
        self._metrics = metrics
        self._marks: dict[str, Mark] = {}
        self._open = False

    def open(self) -> None:
        """Wake everybody, once everything is known, and from now on who is concerned."""
        self._open = True
        for connection in self._objects.connections():
            self._connections.ring(connection)
        for hub in self._objects.hubs():
            self._hubs.ring(hub)

    def event(self, kind: type[Resource], event: str | None, body: Mapping[str, Any]) -> None:
        """`event` is the watch's: ADDED, MODIFIED, DELETED, or None for a listing."""
        self._health.saw(kind.definition.plural)
        self.saw(kind, event, body)

    def vanished(self, kind: type[Resource], key: Key) -> None:
        """The object was deleted, and no watch told of it."""
        body = self._objects.body(kind, key)
        if body is not None:
            self.saw(kind, "DELETED", body)

    def saw(self, kind: type[Resource], event: str | None, body: Mapping[str, Any]) -> None:
        """An object that the API server handed over, by whatever way."""
        metadata = Metadata.model_validate(body["metadata"])
        key = Key(metadata.namespace, metadata.name)
        through = self._objects.connections_of(kind, key)
        if event == "DELETED":
            self._objects.remove(kind, key, metadata.uid)
            if kind in {Spoke, SpokeSet}:
                self._metrics.forget(kind.definition.kind, metadata.namespace, metadata.name)
        else:
            self._objects.put(kind, body)
            through += self._objects.connections_of(kind, key)
        change = self._change(event, metadata)
        if change is None or not self._open:
            return
        if kind is Connection:
            self._connections.ring(key)
        elif kind is Hub:
            self._hubs.ring(key, interrupt=change)
        else:
            for connection in dict.fromkeys(through):
                self._connections.ring(connection)  # what it has to be permitted may be other now
            if (hub := hub_of(body)) is not None:
                self._hubs.ring(hub, interrupt=change)

    def _change(self, event: str | None, metadata: Metadata) -> bool | None:
        """None if nothing changed that matters; else whether it makes work that is being done on
        the object's behalf pointless."""
        if event == "DELETED":
            return None if self._marks.pop(metadata.uid, None) is None else True
        mark = (
            metadata.generation,
            metadata.deleting,
            metadata.erase_now,
            metadata.requested_at,
            metadata.annotations.get(APPROVE),
        )
        before = self._marks.get(metadata.uid)
        self._marks[metadata.uid] = mark
        if before == mark:
            return None
        return before is not None and before[:2] != mark[:2]
