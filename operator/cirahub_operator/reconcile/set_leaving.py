"""How SpokeSets leave: each member is recorded in the store, and erased when its time has come.

As with Spokes (`leaving`): with a grace period the object is let go once that is recorded, so that
its name is free, and without one it is held until nothing of its members remains.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cirahub_operator.api import SpokeSet
from cirahub_operator.api.duration import seconds
from cirahub_operator.api.hub import DeletionSpec
from cirahub_operator.departures import stamp
from cirahub_operator.events import EventType
from cirahub_operator.reconcile.backlog import Backlog
from cirahub_operator.reconcile.haste import Haste
from cirahub_operator.reconcile.scene import Scene
from cirahub_operator.reconcile.spoke_set import SpokeSetReconciler
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import hub_not_found, lasting_uid
from cirahub_operator.set_summary import retains
from cirahub_operator.summary import ERASING, ERASURE_PENDING, Leaving
from cirahub_operator.workqueue import Key
from cirahub_sync.configuration import HubConfig
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)


class DepartingSets:
    def __init__(
        self, surroundings: Surroundings, sets: SpokeSetReconciler, backlog: Backlog
    ) -> None:
        self._around = surroundings
        self._sets = sets
        self._backlog = backlog
        self._haste = Haste(surroundings.cluster)

    async def leave(self, scene: Scene) -> float | None:
        """Have the deleted ones leave. Seconds until the next look, if one is held."""
        hub = scene.hub
        grace = seconds(hub.spec.deletion.grace_period)
        waits: list[float] = []
        for one in _gone(scene.sets):
            hasty = not grace or await self._haste.wanted((one.metadata, hub.metadata))
            wait = await self._leave(scene.resolution.hub, one, 0.0 if hasty else grace)
            if wait is not None:
                waits.append(wait)
        return min(waits, default=None)

    async def with_hub(self, scene: Scene) -> None:
        """Those that are deleted together with their Hub are part of its leaving, but for what is
        to stay."""
        for one in _gone(scene.sets):
            if retains(one) and await self._recorded(scene.resolution.hub, one, 0.0):
                return
            await self._around.cluster.release(SpokeSet, one.metadata)

    async def without_hub(self, key: Key, sets: Sequence[SpokeSet]) -> float | None:
        """There is no such Hub: those that live say so, and those that are deleted leave all the
        same. Seconds until the next look, if one is held."""
        missed = hub_not_found(key.namespace, key.name)
        for one in sets:
            if not one.metadata.deleting:
                await self._sets.report(one, missed)
        return await self.beside_invalid(key, sets)

    async def beside_invalid(self, key: Key, sets: Sequence[SpokeSet]) -> float | None:
        """Their Hub can't be read; who leaves it leaves all the same."""
        hub = HubConfig(uid=lasting_uid("Hub", str(key)), name=str(key))
        grace = seconds(DeletionSpec().grace_period)
        waits: list[float] = []
        for one in _gone(sets):
            hasty = await self._haste.wanted([one.metadata])
            wait = await self._leave(hub, one, 0.0 if hasty else grace)
            if wait is not None:
                waits.append(wait)
        return min(waits, default=None)

    async def _leave(self, hub: HubConfig, one: SpokeSet, grace: float) -> float | None:
        metadata = one.metadata
        uid = lasting_uid("SpokeSet", metadata.key)
        why = await self._recorded(hub, one, grace)
        jobs = [job for job in await self._backlog.open() if job.set == uid]
        if not why and (grace or not jobs):
            if jobs:
                until = stamp(max(job.erase_at for job in jobs))
                await self._say(one, "Leaving", f"{len(jobs)} members are erased at {until} unless "
                                "it is created again before")  # fmt: skip
            elif not grace:
                await self._say(one, "Erased", "nothing of its members remains")
            await self._around.cluster.release(SpokeSet, metadata)
            return None
        told = why or f"the copies of {len(jobs)} members are being deleted"
        if self._around.overdue(metadata):
            await self._around.give_up(SpokeSet, metadata, told)
            await self._around.cluster.release(SpokeSet, metadata)
            return None
        reason = ERASURE_PENDING if why else ERASING
        await self._sets.report(one, Leaving(reason, f"being erased: {told}"))
        return min(self._around.timing.retry_most, max(0.0, self._around.held_for(metadata)))

    async def _recorded(self, hub: HubConfig, one: SpokeSet, grace: float) -> str:
        """Blank when it is, else why not."""
        deleted = one.metadata.deletion_timestamp or self._around.now()
        uid = lasting_uid("SpokeSet", one.metadata.key)
        try:
            await self._around.runner.leave_set(
                hub, uid, erase_at=deleted.timestamp() + grace, retain=retains(one)
            )
        except CirahubError as error:
            if not one.synced:
                logger.info("SpokeSet %s never synced and is let go: %s", one.metadata.key, error)
                return ""
            logger.warning("SpokeSet %s does not leave yet: %s", one.metadata.key, error)
            return str(error)
        return ""

    async def _say(self, one: SpokeSet, reason: str, note: str) -> None:
        await self._around.events.record(
            SpokeSet,
            one.metadata,
            type=EventType.NORMAL,
            reason=reason,
            note=note,
            action="Erase",
        )


def _gone(sets: Sequence[SpokeSet]) -> Sequence[SpokeSet]:
    """Those that are being deleted, and that we hold."""
    return [one for one in sets if one.metadata.deleting and one.metadata.held]
