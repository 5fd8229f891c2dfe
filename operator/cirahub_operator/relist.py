"""Holds what we know of the cluster to what the API server lists: once at the start, before
anything is reconciled, and from time to time.

Kopf lists and watches; but it tells nobody when a listing is through, nor what was deleted while a
watch was broken off (it lists again then, and yields what there is), and a watch may stall in
silence. So keys and versions alone are listed here, which is cheap, and what is behind is fetched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from cirahub_operator.api import KINDS, Resource
from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import (
    ClusterUnreachableError,
    OperatorError,
    PermissionMissingError,
)
from cirahub_operator.objects import Objects
from cirahub_operator.wakes import Wakes
from cirahub_operator.workqueue import Key

logger = logging.getLogger(__name__)

HANDOVER = 2.0
"""Seconds that the watches get to hand over what they are behind with before it is fetched."""
POLL = 0.05
RETRY = 5.0
FETCHES = 10
"""Objects fetched at the same time."""


class Relist:
    def __init__(
        self,
        cluster: Cluster,
        objects: Objects,
        wakes: Wakes,
        *,
        namespaces: Sequence[str],
        interval: float,
        handover: float = HANDOVER,
    ) -> None:
        """`namespaces` that are served, none: all. `interval` in seconds."""
        self._cluster = cluster
        self._objects = objects
        self._wakes = wakes
        self._scopes: Sequence[str | None] = tuple(namespaces) or (None,)
        self._interval = interval
        self._handover = handover

    async def run(self, complete: Callable[[], None]) -> None:
        """Forever. `complete` is called once everything is known."""
        for kind in KINDS:
            await self._first(kind)
        self._objects.whole = True
        self._wakes.open()
        complete()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._regularly())
            tasks.create_task(self._refused())

    async def _regularly(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            for kind in KINDS:
                await self._again(kind)

    async def _refused(self) -> None:
        """Namespaces that we could not look into at the start join once we can."""
        while self._objects.unlisted:
            await asyncio.sleep(RETRY)
            for scope in sorted(self._objects.unlisted):
                if all([await self._scope(kind, scope) for kind in KINDS]):
                    self._objects.unlisted.discard(scope)
                    self._wakes.open()

    async def _first(self, kind: type[Resource]) -> None:
        while not await self._again(kind):
            logger.warning("nothing is synced until all %s are known", kind.definition.plural)
            await asyncio.sleep(RETRY)

    async def _again(self, kind: type[Resource]) -> bool:
        """Bring what is known of a kind to what is listed now. Whether it could be done."""
        scopes = [scope for scope in self._scopes if scope not in self._objects.unlisted]
        return all([await self._scope(kind, scope) for scope in scopes])

    async def _scope(self, kind: type[Resource], scope: str | None) -> bool:
        """Whatever stands in its way now may be gone the next time. At the start, a namespace into
        which we may not look (its team's role is missing, or it is gone) keeps no other waiting."""
        try:
            await self._hold(kind, scope)
        except PermissionMissingError as error:
            logger.warning("listing %s: %s", kind.definition.plural, error)
            if scope is None or self._objects.whole:
                return False
            self._objects.unlisted.add(scope)
        except OperatorError as error:
            known = isinstance(error, ClusterUnreachableError) and error.said
            level = logging.DEBUG if known else logging.WARNING
            logger.log(level, "listing %s: %s", kind.definition.plural, error)
            return False
        except Exception:
            logger.exception("listing %s", kind.definition.plural)
            return False
        return True

    async def _hold(self, kind: type[Resource], scope: str | None) -> None:
        known = await self._cluster.known(kind, scope)
        deadline = asyncio.get_running_loop().time() + self._handover
        found = self._objects.compare(kind, known, scope)
        for key in found.vanished:
            self._wakes.vanished(kind, key)
        behind = found.behind
        while behind:
            await asyncio.sleep(POLL)
            now = self._objects.compare(kind, known, scope).behind
            if len(now) < len(behind):
                # They are coming.
                deadline = asyncio.get_running_loop().time() + self._handover
            behind = now
            if asyncio.get_running_loop().time() > deadline:
                await self._fetch(kind, behind)
                return

    async def _fetch(self, kind: type[Resource], keys: Sequence[Key]) -> None:
        logger.debug("fetching %d %s that no watch told of", len(keys), kind.definition.plural)
        slots = asyncio.Semaphore(FETCHES)

        async def one(key: Key) -> None:
            async with slots:
                body = await self._cluster.fetch(kind, key.namespace, key.name)
            if body is None:
                self._wakes.vanished(kind, key)
            else:
                self._wakes.saw(kind, "MODIFIED", body)

        await asyncio.gather(*map(one, keys))
