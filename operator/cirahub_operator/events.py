"""Events on our objects (`kubectl describe`): few, and the same one only counted.

Events tell what happened; what is the case stands in the conditions. Notes name objects by their
Kubernetes names and by ids only.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from cirahub_operator.api import Resource
from cirahub_operator.api.meta import API_VERSION, Metadata
from cirahub_operator.cluster import Cluster, Json
from cirahub_operator.conditions import shortened
from cirahub_operator.errors import (
    ClusterUnreachableError,
    NamespaceTerminatingError,
    OperatorError,
)

logger = logging.getLogger(__name__)

CONTROLLER = "cirahub.io/operator"
NOTE_LIMIT = 1000
"""Bytes in UTF-8. The API admits 1,024."""
NAME_LIMIT = 200
"""Characters of the object's name in the event's. The API admits 253 in all."""
SAME_FOR = 600.0
"""Seconds during which the same event is counted on the first one."""
COUNT_EVERY = 60.0
"""Seconds between two updates of a count."""
BURST = 20
"""Events of one object at once; after that one every `REFILL` seconds."""
REFILL = 30.0


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Of a request, say: another one each time, and the event is the same all the same."""


class EventType(StrEnum):
    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass
class _Series:
    name: str
    namespace: str
    started: float
    count: int = 1
    told: float = 0.0


@dataclass
class _Bucket:
    left: float
    filled: float


class Events:
    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._series: dict[tuple[str, ...], _Series] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._instance = f"{socket.gethostname()}-{os.getpid()}"[:128]

    async def record(
        self,
        kind: type[Resource],
        metadata: Metadata,
        *,
        type: EventType,  # noqa: A002 (the event's own field)
        reason: str,
        note: str,
        action: str = "Reconcile",
    ) -> None:
        """An event that can't be delivered is logged and dropped: nothing depends on it."""
        now = self._clock()
        self._tidy(now)
        key = (metadata.uid, type, reason, _ID.sub("", note))
        series = self._series.get(key)
        try:
            if series is not None:
                await self._count(series, now)
            elif self._allowed(metadata.uid, now):
                body = self._body(kind, metadata)
                body |= {"type": str(type), "reason": reason[:128], "action": action}
                body["note"] = _within(shortened(note, NOTE_LIMIT), NOTE_LIMIT)
                name = body["metadata"]["name"]
                self._series[key] = _Series(name, metadata.namespace, now, told=now)
                await self._cluster.create_event(metadata.namespace, body)
        except NamespaceTerminatingError:
            logger.debug("event %s of %s: its namespace is being deleted", reason, metadata.key)
        except OperatorError as error:
            known = isinstance(error, ClusterUnreachableError) and error.said
            level = logging.DEBUG if known else logging.WARNING
            logger.log(level, "event %s of %s was not delivered: %s", reason, metadata.key, error)

    def _body(self, kind: type[Resource], metadata: Metadata) -> Json:
        return {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata.name[:NAME_LIMIT].rstrip('.-')}.{secrets.token_hex(8)}",
                "namespace": metadata.namespace,
            },
            "eventTime": _micro_time(),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": kind.definition.kind,
                "name": metadata.name,
                "namespace": metadata.namespace,
                "uid": metadata.uid,
                "resourceVersion": metadata.resource_version,
            },
        }

    async def _count(self, series: _Series, now: float) -> None:
        series.count += 1
        if now - series.told < COUNT_EVERY:
            return
        series.told = now
        body = {"series": {"count": series.count, "lastObservedTime": _micro_time()}}
        await self._cluster.patch_event(series.namespace, series.name, body)

    def _allowed(self, uid: str, now: float) -> bool:
        bucket = self._buckets.setdefault(uid, _Bucket(BURST, now))
        bucket.left = min(BURST, bucket.left + (now - bucket.filled) / REFILL)
        bucket.filled = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    def _tidy(self, now: float) -> None:
        for key, series in list(self._series.items()):
            if now - series.started > SAME_FOR:
                del self._series[key]
        for uid, bucket in list(self._buckets.items()):
            if now - bucket.filled > BURST * REFILL:
                del self._buckets[uid]


def _within(text: str, limit: int) -> str:
    """The beginning that takes at most so many bytes."""
    return text.encode()[:limit].decode(errors="ignore")


def _micro_time() -> str:
    """MicroTime of the API: microseconds and Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
