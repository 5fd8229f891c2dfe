"""How Spokes and Hubs leave: recorded in the store first, erased when their time has come.

With a grace period an object is let go as soon as its leaving is recorded, so that its name is
free: who comes back in time takes up where they stopped. Without one, it is held until nothing of
it remains, or for as long as the erase timeout allows. Called by the Hub, one after the other with
its passes, so that nothing else touches the hub meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cirahub_operator.api import DeletionPolicy, Hub, Metadata, Resource, Spoke
from cirahub_operator.api.duration import seconds
from cirahub_operator.api.hub import DeletionSpec
from cirahub_operator.departures import Departures, erased, stamp
from cirahub_operator.events import EventType
from cirahub_operator.objects import Member
from cirahub_operator.reconcile.backlog import Backlog
from cirahub_operator.reconcile.haste import Haste
from cirahub_operator.reconcile.scene import Scene
from cirahub_operator.reconcile.spoke import SpokeReconciler
from cirahub_operator.reconcile.surroundings import Surroundings, each
from cirahub_operator.resolver import hub_not_found, lasting_uid
from cirahub_operator.summary import (
    ERASING,
    ERASURE_PENDING,
    RETAINING,
    Leaving,
    erasure_pending,
    hub_waiting,
)
from cirahub_operator.workqueue import Bell, Key, Result, backoff
from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import Problem
from cirahub_sync.erasure import Erasure
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Held:
    """A deleted object that has to wait."""

    spoke: Spoke
    why: str = ""
    """What stood in the way of recording that it leaves, if that is it."""


class Departing:
    def __init__(
        self, surroundings: Surroundings, spokes: SpokeReconciler, backlog: Backlog
    ) -> None:
        self._around = surroundings
        self._spokes = spokes
        self._backlog = backlog
        self._haste = Haste(surroundings.cluster)
        self._failures: dict[Key, int] = {}

    async def departures(self, key: Key) -> Departures:
        return await self._backlog.departures(key)

    async def spokes(self, scene: Scene, bell: Bell) -> float | None:
        """Take the deleted ones out; erase now what must not wait. Seconds until the next look, if
        one is held."""
        gone = _gone(scene.members)
        recorded = await each([self._record(scene, spoke) for spoke in gone])
        held = [one for one in recorded if one is not None]
        jobs = await self._jobs(scene.key)
        waiting = {one.spoke.metadata.uid for one in held}
        hurried = await self._hurried(jobs, scene.hub, gone)
        urgent = [
            job
            for job in jobs
            if job.id in waiting or job.id in hurried or job.started_at is not None
        ]
        if urgent:
            await self._attempt(scene, urgent, bell)
        await self._settle(scene, held)
        again = self._again(scene.key, any(one.why for one in held))
        waits = [max(0.0, self._around.held_for(one.spoke.metadata)) for one in held]
        return min(waits if again is None else [*waits, again], default=None)

    async def due(self, scene: Scene, bell: Bell) -> bool:
        """Erase those whose grace period is over. Whether anything was tried. After a pass: who
        came back has taken up their place in it."""
        now = self._around.now().timestamp()
        due = [job for job in await self._jobs(scene.key) if job.erase_at <= now]
        return bool(due) and await self._attempt(scene, due, bell)

    async def wait(self, key: Key) -> float | None:
        """Seconds until there is something to erase."""
        return self._backlog.wait(await self._jobs(key))

    async def earlier(self, scene: Scene) -> Problem | None:
        """An earlier Hub of this name whose erasure has begun: it has to end first."""
        for job in await self._backlog.of(scene.key):
            if job.whole_hub and job.started_at is not None:
                why = self._backlog.why(job) or "its copies are being deleted"
                return Problem(
                    ERASURE_PENDING,
                    f"an earlier Hub of this name is being erased, and syncing starts when that "
                    f"is done: {why}",
                )
        return None

    async def hub(self, scene: Scene, bell: Bell) -> Result:
        """A Hub that is being deleted."""
        hub = scene.hub
        if not hub.metadata.held:
            return await self.without_hub(scene.key, scene.members, bell)
        await self._retain_spokes(scene)
        if hub.spec.deletion_policy is DeletionPolicy.RETAIN:
            why = await self._retain(scene, bell)
        else:
            why = await self._erase(scene, bell)
        again = self._again(scene.key, bool(why))
        if again is not None and not self._around.overdue(hub.metadata):
            await self._say(hub, Leaving(ERASURE_PENDING, f"being erased: {why}"))
            return Result(after=min(again, self._around.held_for(hub.metadata)))
        self._backlog.let_go(scene.resolution.hub.uid)
        if why:
            await self._around.give_up(Hub, hub.metadata, why)
        for member in scene.members:
            if member.deleting:
                await self._around.cluster.release(Spoke, member.spoke().metadata)
        await self._around.cluster.release(Hub, hub.metadata)
        return Result(after=self._backlog.wait(await self._backlog.of(scene.key)))

    async def without_hub(self, key: Key, members: Sequence[Member], bell: Bell) -> Result:
        """There is no Hub of that name, or not any more: its erasures go on, and its Spokes say
        what they miss."""
        jobs = await self._backlog.of(key)
        whole = next((job for job in jobs if job.whole_hub), None)
        until = _until(whole)
        missed = hub_not_found(key.namespace, key.name, until)
        living = (one.spoke() for one in members if not one.deleting)
        await each(self._spokes.report(one, missed) for one in living)
        return await self._alone(key, members, bell, whole)

    async def beside_invalid(self, key: Key, members: Sequence[Member], bell: Bell) -> float | None:
        """Its Hub can't be read; who leaves it leaves all the same. Seconds until the next look."""
        return (await self._alone(key, members, bell, None)).after

    async def _alone(
        self, key: Key, members: Sequence[Member], bell: Bell, whole: Erasure | None
    ) -> Result:
        """Everything that does not need the Hub's spec. `whole`: the Hub's own erasure."""
        gone = _gone(members)
        released = [await self._orphan_leaves(key, one, whole) for one in gone]
        jobs = await (self._backlog.of(key) if whole else self._jobs(key))
        hurried = await self._hurried(jobs, None, gone)
        now = self._around.now().timestamp()
        due = [
            job
            for job in jobs
            if job.erase_at <= now or job.started_at is not None or job.id in hurried
        ]
        if due and await self._backlog.attempt(due, hub=None, spokes=None, bell=bell):
            return Result(after=0.0)
        again = self._again(key, not all(released))
        if again is not None:
            return Result(after=again)
        return Result(after=self._backlog.wait(jobs), gone=not jobs)

    async def _record(self, scene: Scene, spoke: Spoke) -> _Held | None:
        """Record that a Spoke leaves, and let it go if it has a grace period. What has to wait."""
        metadata, hub = spoke.metadata, scene.hub
        if spoke.spec.deletion_policy is DeletionPolicy.RETAIN:
            why = await self._retain_spoke(scene, spoke)
            if why is not None:
                return _Held(spoke, why)
            await self._around.cluster.release(Spoke, metadata)
            return None
        grace = seconds(hub.spec.deletion.grace_period)
        hasty = not grace or await self._haste.wanted((metadata, hub.metadata))
        erase_at = self._erase_at(metadata, 0.0 if hasty else grace)
        try:
            known = await self._around.runner.leave_spoke(
                scene.resolution.hub,
                metadata.uid,
                erase_at=erase_at,
                spoke=_synced(scene, spoke),
            )
        except CirahubError as error:
            if not spoke.synced:
                logger.info("Spoke %s never synced and is let go: %s", metadata.key, error)
                await self._around.cluster.release(Spoke, metadata)
                return None
            return _Held(spoke, str(error))
        if not known:
            await self._around.cluster.release(Spoke, metadata)
            return None
        if hasty:
            self._backlog.hold(metadata.uid)
            if not erasure_pending(spoke.status):
                await self._spokes.report(spoke, Leaving(ERASING, "its copies are being deleted"))
            return _Held(spoke)
        await self._let_leave(Spoke, metadata, erase_at)
        return None

    async def _settle(self, scene: Scene, held: Sequence[_Held]) -> None:
        """Let go of those who need not wait any longer, and say of the others why they do."""
        if not held:
            return
        open_jobs = {job.id: job for job in await self._backlog.of(scene.key)}
        for one in held:
            metadata = one.spoke.metadata
            job = open_jobs.get(metadata.uid)
            if job is None and not one.why and not self._backlog.unreadable:
                await self._erased(metadata)
                continue
            why = one.why or (self._backlog.why(job) if job else self._backlog.unreadable)
            if self._around.overdue(metadata):
                self._backlog.let_go(metadata.uid)
                await self._around.give_up(Spoke, metadata, why or "it takes longer")
                await self._around.cluster.release(Spoke, metadata)
            elif why:
                await self._spokes.report(
                    one.spoke, Leaving(ERASURE_PENDING, f"being erased: {why}")
                )

    async def _erased(self, metadata: Metadata) -> None:
        report = self._backlog.closed(metadata.uid)
        if report is not None:
            await self._around.events.record(
                Spoke,
                metadata,
                type=EventType.NORMAL,
                reason="Erased",
                note=erased(report),
                action="Erase",
            )
        await self._around.cluster.release(Spoke, metadata)

    async def _retain_spoke(self, scene: Scene, spoke: Spoke) -> str | None:
        """None when done, else why not."""
        if not erasure_pending(spoke.status):
            await self._spokes.report(spoke, Leaving(RETAINING, "its copies are retained"))
        config = scene.resolution.spokes.get(spoke.label)
        if config is None:
            problem = scene.resolution.problems[spoke.label]
            return None if not spoke.synced else problem.message
        try:
            await self._around.runner.retain_spoke(scene.resolution.hub, config)
        except CirahubError as error:
            logger.warning("Spoke %s is not retained yet: %s", spoke.metadata.key, error)
            return str(error)
        return None

    async def _retain_spokes(self, scene: Scene) -> None:
        """Those that are deleted together with their Hub, and whose copies are to stay."""
        for spoke in _gone(scene.members):
            if spoke.spec.deletion_policy is DeletionPolicy.RETAIN:
                await self._retain_spoke(scene, spoke)

    async def _retain(self, scene: Scene, bell: Bell) -> str:
        """Blank when done, else why not. Spokes that left before, and were to be erased, are; what
        is deleted together with the Hub is retained with it."""
        hub = scene.hub
        await self._attempt(scene, await self._backlog.of(scene.key), bell)
        if why := await self._unfinished(scene.key):
            return why
        if not erasure_pending(hub.status):
            await self._say(hub, Leaving(RETAINING, "copies are retained"))
        try:
            await self._around.runner.retain_hub(scene.resolution.hub)
        except CirahubError as error:
            logger.warning("Hub %s is not let go yet: %s", hub.metadata.key, error)
            return "" if hub.status.last_sync_time is None else str(error)
        return ""

    async def _erase(self, scene: Scene, bell: Bell) -> str:
        """Blank when the Hub may go, else why not."""
        hub = scene.hub
        grace = seconds(hub.spec.deletion.grace_period)
        hasty = not grace or await self._haste.wanted([hub.metadata])
        erase_at = self._erase_at(hub.metadata, 0.0 if hasty else grace)
        try:
            known = await self._around.runner.leave_hub(
                scene.resolution.hub,
                erase_at=erase_at,
                spokes=[one for member in scene.members if (one := _synced(scene, member))],
            )
        except CirahubError as error:
            logger.warning("Hub %s is not erased yet: %s", hub.metadata.key, error)
            return "" if hub.status.last_sync_time is None else str(error)
        if not known:
            return ""
        if not hasty:
            await self._let_leave(Hub, hub.metadata, erase_at)
            return ""
        if not erasure_pending(hub.status):
            await self._say(hub, Leaving(ERASING, "copies are being deleted"))
        jobs = await self._backlog.of(scene.key)
        for job in jobs:
            self._backlog.hold(job.id)
        await self._attempt(scene, jobs, bell)
        return await self._unfinished(scene.key)

    async def _orphan_leaves(self, key: Key, spoke: Spoke, whole: Erasure | None) -> bool:
        """Whether a deleted Spoke without a Hub was let go. It is part of its Hub's leaving; if
        that was never recorded (somebody took the finalizer away), it leaves by itself."""
        metadata = spoke.metadata
        if whole is None and spoke.spec.deletion_policy is DeletionPolicy.ERASE:
            hub = HubConfig(uid=lasting_uid("Hub", str(key)), name=str(key))
            hasty = await self._haste.wanted([metadata])
            grace = 0.0 if hasty else seconds(DeletionSpec().grace_period)
            try:
                await self._around.runner.leave_spoke(
                    hub, metadata.uid, erase_at=self._erase_at(metadata, grace)
                )
            except CirahubError as error:
                if not self._around.overdue(metadata) and spoke.synced:
                    await self._spokes.report(
                        spoke, Leaving(ERASURE_PENDING, f"being erased: {error}")
                    )
                    return False
                if spoke.synced:
                    await self._around.give_up(Spoke, metadata, str(error))
        await self._around.cluster.release(Spoke, metadata)
        return True

    async def _unfinished(self, key: Key) -> str:
        """Blank when nothing of the hub is left to be erased."""
        jobs = await self._backlog.of(key)
        if not jobs:
            return self._backlog.unreadable
        return self._backlog.why(jobs[0]) or "copies are being deleted"

    async def _jobs(self, key: Key) -> Sequence[Erasure]:
        """Those of a hub whose Hub is there: an earlier one of its name that has not begun to be
        erased is no more leaving, and the next pass says so to the store."""
        return [
            job
            for job in await self._backlog.of(key)
            if not job.whole_hub or job.started_at is not None
        ]

    def _again(self, key: Key, failed: bool) -> float | None:
        """Seconds until another attempt, if there has to be one."""
        if not failed:
            self._failures.pop(key, None)
            return None
        self._failures[key] = self._failures.get(key, 0) + 1
        return backoff(self._failures[key], self._around.timing)

    async def _let_leave(self, kind: type[Resource], metadata: Metadata, erase_at: float) -> None:
        name = kind.definition.kind
        logger.info("%s %s is leaving until %s", name, metadata.key, stamp(erase_at))
        await self._around.events.record(
            kind,
            metadata,
            type=EventType.NORMAL,
            reason="Leaving",
            note=f"is erased at {stamp(erase_at)} unless it is created again before",
            action="Erase",
        )
        await self._around.cluster.release(kind, metadata)

    async def _attempt(self, scene: Scene, jobs: Sequence[Erasure], bell: Bell) -> bool:
        others = [
            scene.resolution.spokes[member.label]
            for member in scene.members
            if not member.deleting and member.label in scene.resolution.spokes
        ]
        return await self._backlog.attempt(jobs, hub=scene.hub, spokes=others, bell=bell)

    async def _hurried(
        self, jobs: Sequence[Erasure], hub: Hub | None, gone: Sequence[Spoke]
    ) -> Collection[str]:
        """Jobs in their grace period that have none any more, by id."""
        now = self._around.now().timestamp()
        spokes = {spoke.metadata.uid: spoke.metadata for spoke in gone}
        hurried = set()
        for job in jobs:
            if job.erase_at <= now:
                continue
            involved = [one.metadata for one in self._backlog.connections(job)]
            involved = [metadata for metadata in involved if metadata.deleting]
            if job.id in spokes:
                involved.append(spokes[job.id])
            if hub is not None:
                involved.append(hub.metadata)
            if await self._haste.wanted(involved):
                hurried.add(job.id)
        return hurried

    def _erase_at(self, metadata: Metadata, grace: float) -> float:
        """POSIX seconds. The grace period begins with the deletion."""
        deleted = metadata.deletion_timestamp
        now = self._around.now().timestamp()
        return now if deleted is None or not grace else deleted.timestamp() + grace

    async def _say(self, hub: Hub, state: Leaving) -> None:
        after = hub_waiting(
            hub, state, handled=hub.status.last_handled_reconcile_at, now=self._around.now()
        )
        await self._around.statuses.write(Hub, hub.metadata, hub.status, after)


def _until(whole: Erasure | None) -> str:
    """What a Spoke adds of a Hub that is leaving."""
    if whole is None:
        return ""
    if whole.started_at is not None:
        return "the one that was deleted is being erased"
    return f"it is leaving until {stamp(whole.erase_at)}; create it again to resume"


def _gone(members: Sequence[Member]) -> Sequence[Spoke]:
    """Those that are being deleted, and that we hold."""
    return [member.spoke() for member in members if member.deleting and member.held]


def _synced(scene: Scene, spoke: Spoke | Member) -> SpokeConfig | None:
    """For a store that was lost: it takes our word for it that there is something to erase."""
    return scene.resolution.spokes.get(spoke.label) if spoke.synced else None
