"""Who gets no grace period: whoever is asked to go at once, and what goes with its namespace."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from cirahub_operator.api.meta import Metadata
from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import ClusterRefusedError

logger = logging.getLogger(__name__)

FRESH = 2.0
"""Seconds for which an answer about a namespace counts."""


class Haste:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._answers: dict[str, tuple[float, bool]] = {}

    async def wanted(self, involved: Iterable[Metadata]) -> bool:
        """Whether something that is deleted has to be erased now. `involved` are the objects that
        it hangs on, with itself: one that is annotated, or one that is being deleted together with
        its namespace, whose ServiceAccounts and Secrets go with it."""
        namespaces = set()
        for metadata in involved:
            if metadata.erase_now:
                return True
            if metadata.deleting:
                namespaces.add(metadata.namespace)
        for namespace in sorted(namespaces):
            if await self.terminating(namespace):
                return True
        return False

    async def terminating(self, namespace: str) -> bool:
        known = self._answers.get(namespace)
        now = time.monotonic()
        if known is not None and now - known[0] < FRESH:
            return known[1]
        try:
            answer = await self._cluster.namespace_terminating(namespace)
        except ClusterRefusedError as error:
            logger.warning(
                "whether namespace %s is being deleted is not known: %s", namespace, error
            )
            answer = False
        self._answers = {
            name: one for name, one in self._answers.items() if now - one[0] < FRESH
        } | {namespace: (now, answer)}
        return answer
