"""Hubs: everything that happens to a hub and its spokes, in one order, by one task a hub.

Spokes that leave are taken out, what is due is passed over, and what was found is written to the
statuses that it changes. A name that Spokes give and no Hub has is looked at here as well.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace

from cirahub_operator.api import Connection, Hub, Spoke
from cirahub_operator.api.hub import HubStatus
from cirahub_operator.cluster import Unparsable
from cirahub_operator.disputes import frozen
from cirahub_operator.events import EventType
from cirahub_operator.objects import Member
from cirahub_operator.problems import problem_of
from cirahub_operator.reconcile import schedule
from cirahub_operator.reconcile.backlog import Backlog, refused
from cirahub_operator.reconcile.leaving import Departing
from cirahub_operator.reconcile.scene import Scene
from cirahub_operator.reconcile.spoke import SpokeReconciler
from cirahub_operator.reconcile.surroundings import Surroundings, each
from cirahub_operator.resolver import Resolution, not_admitted, resolve
from cirahub_operator.standing import Standing, standing
from cirahub_operator.summary import (
    SUSPENDED,
    hub_progress,
    hub_status,
    hub_waiting,
    invalid_status,
)
from cirahub_operator.workqueue import Bell, Key, Result
from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)

SLICE = 50
"""Spokes resolved in one go; then the event loop may do something else."""


class HubReconciler:
    def __init__(
        self,
        surroundings: Surroundings,
        backlog: Backlog,
        suspect: Callable[[Key], None] = lambda _: None,
    ) -> None:
        """`suspect` takes the key of a Connection through which a pass was refused."""
        self._around = surroundings
        self._suspect = suspect
        self._spokes = SpokeReconciler(surroundings)
        self._departing = Departing(surroundings, self._spokes, backlog)
        self._memories: dict[Key, schedule.Memory] = {}

    async def reconcile(self, key: Key, bell: Bell) -> Result:
        cluster, objects = self._around.cluster, self._around.objects
        # That there is none lets its spokes go: it is asked for before it is believed.
        hub = objects.get(Hub, key)
        if hub is None and self._around.serves(key.namespace):
            hub = await cluster.get(Hub, key.namespace, key.name)
        roster = await objects.roster(key)
        for invalid in roster.unparsable:
            await self._spokes.invalid(invalid)
        members = [one for one in roster.members if _belongs(one, hub)]
        outside = [one for one in roster.members if not _belongs(one, hub)]
        await self._refuse(outside)
        if hub is None:
            self._memories.pop(key, None)
            self._around.metrics.forget("Hub", key.namespace, key.name)
            return await self._departing.without_hub(key, members, bell)
        if isinstance(hub, Unparsable):
            return await self._invalid(key, hub, members, bell)
        absent = len(roster.unparsable) + sum(one.held for one in outside)
        absent += sum(hub.admits(namespace) for namespace in objects.unlisted)
        scene = replace(await self._scene(key, hub, members), absent=absent)
        if hub.metadata.deleting:
            return await self._departing.hub(scene, bell)
        if not await cluster.hold(Hub, hub.metadata):
            return Result(after=0.0)
        retry = await self._departing.spokes(scene, bell)
        scene = replace(scene, members=[one for one in members if not one.deleting])
        after = await self._live(scene, bell)
        if await self._departing.due(scene, bell):
            return Result(after=0.0)
        waits = (after, retry, await self._departing.wait(key))
        return Result(after=min((one for one in waits if one is not None), default=None))

    async def _live(self, scene: Scene, bell: Bell) -> float | None:
        """What is to be done with those that stay. Seconds until the next look."""
        if scene.hub.spec.suspend:
            message = "suspended by spec.suspend; nothing is synced until that is false"
            await self._wait(scene, Problem(SUSPENDED, message))
            return None
        earlier = await self._departing.earlier(scene)
        if earlier is not None:
            await self._wait(scene, earlier)
            return None
        return await self._sync(scene, bell)

    async def _invalid(
        self, key: Key, hub: Unparsable, members: Sequence[Member], bell: Bell
    ) -> Result:
        after = await self._departing.beside_invalid(key, members, bell)
        if hub.metadata.deleting and self._around.overdue(hub.metadata):
            await self._around.give_up(Hub, hub.metadata, hub.why)
            await self._around.cluster.release(Hub, hub.metadata)
            return Result(after=after)
        status = invalid_status(hub, now=self._around.now())
        await self._around.statuses.write(Hub, hub.metadata, hub.status, status)
        most = self._around.timing.retry_most
        return Result(after=most if after is None else min(after, most))

    async def _refuse(self, members: Sequence[Member]) -> None:
        """Spokes of other namespaces that the Hub does not admit are none of its own: they don't
        even count in its status. What they contributed while they were admitted stays."""
        spokes = (one.spoke() for one in members)
        await each(self._spokes.report(one, not_admitted(one)) for one in spokes)

    async def _scene(self, key: Key, hub: Hub, members: Sequence[Member]) -> Scene:
        used = {connection for one in members for connection in one.connections}
        found = [self._around.objects.get(Connection, one) for one in sorted(used)]
        connections = [one for one in found if isinstance(one, Connection)]
        known = {one.metadata.key: one for one in connections}
        invalid = {one.metadata.key: one.why for one in found if isinstance(one, Unparsable)}
        resolution = resolve(hub, (), known, trust=self._around.trust)
        spoke_configs: dict[str, SpokeConfig] = {}
        problems: dict[str, Problem] = {}
        for start in range(0, len(members), SLICE):
            part = resolve(
                hub,
                [one.spoke() for one in members[start : start + SLICE]],
                known,
                trust=self._around.trust,
                invalid=invalid,
            )
            spoke_configs |= part.spokes
            problems |= part.problems
            await asyncio.sleep(0)
        resolution = replace(resolution, spokes=spoke_configs, problems=problems)
        refusing = {one.metadata.key for one in connections if refused(one)}
        return Scene(key, hub, members, resolution, frozenset(refusing))

    async def _wait(self, scene: Scene, state: Problem) -> None:
        hub = scene.hub

        async def one(member: Member) -> Standing:
            return standing(await self._spokes.report(member.spoke(), state))

        after = hub_waiting(
            hub,
            state,
            handled=hub.status.last_handled_reconcile_at,
            now=self._around.now(),
            spokes=await _standings(scene.members, one),
            departures=await self._departing.departures(scene.key),
        )
        await self._write(hub, after)
        self._memories.pop(scene.key, None)

    async def _sync(self, scene: Scene, bell: Bell) -> float:
        """A pass if one is due. Seconds until the next look."""
        hub, resolution = scene.hub, scene.resolution
        memory = self._memories.setdefault(scene.key, schedule.Memory())
        members = await self._held(scene.members)
        asked = {one.label: one.requested_at for one in members}
        configs = [resolution.spokes[name] for name in asked if name in resolution.spokes]
        given = schedule.digest(resolution.hub, configs, scene.refused)
        cause = schedule.cause(hub, asked, given, memory, now=time.monotonic())
        if cause is not None:
            logger.info("Hub %s: a pass over %d spokes (%s)", scene.key, len(configs), cause)
            absent = scene.absent + len(members) - len(configs)
            hub, report = await self._pass(hub, resolution.hub, configs, absent, bell)
            if report is None:
                return 0.0
            self._remember(memory, hub, asked, given, report)
            for key in _refusing(members, report):
                self._suspect(key)
            await asyncio.to_thread(self._around.metrics.passed, hub.metadata, report)
        if memory.report is not None:
            await self._report(hub, members, resolution, memory, memory.report)
            if cause is not None and memory.report.written:
                await self._tell(hub, memory.report)
            if cause is not None and memory.report.froze:
                await self._warn(hub, memory.report)
        return max(0.0, memory.due - time.monotonic())

    async def _held(self, members: Sequence[Member]) -> Sequence[Member]:
        """Put our finalizer on those that have not got it. Without those that are gone."""
        free = [one for one in members if not one.held]
        cluster = self._around.cluster
        alive = await each(cluster.hold(Spoke, one.spoke().metadata) for one in free)
        gone = {one.uid for one, lives in zip(free, alive, strict=True) if not lives}
        return [one for one in members if one.uid not in gone] if gone else members

    def _remember(
        self,
        memory: schedule.Memory,
        hub: Hub,
        asked: Mapping[str, str | None],
        given: str,
        report: PassReport,
    ) -> None:
        memory.report = report
        memory.digest = given
        memory.handled = hub.metadata.requested_at
        memory.spokes_handled = asked
        memory.approvals |= schedule.approved(hub)
        memory.failures = memory.failures + 1 if schedule.failed(report) else 0
        wait = schedule.wait(hub, report, memory.failures, self._around.timing)
        memory.due = time.monotonic() + wait

    async def _pass(
        self,
        hub: Hub,
        config: HubConfig,
        configs: Sequence[SpokeConfig],
        absent: int,
        bell: Bell,
    ) -> tuple[Hub, PassReport | None]:
        """The hub with the status that it has now, and the report; None if interrupted."""
        started = time.time()
        lines = ["a pass is running"]
        if hub.status.observed_generation != hub.metadata.generation:
            hub = await self._progress(hub, lines[-1])
        async with self._around.pass_slots:
            work = asyncio.create_task(
                self._around.runner.run_pass(
                    config,
                    configs,
                    approved=schedule.approved(hub),
                    absent=absent,
                    progress=lines.append,
                )
            )
            interrupted = asyncio.create_task(bell.interrupted.wait())
            try:
                while True:
                    await asyncio.wait(
                        {work, interrupted},
                        timeout=self._around.timing.progress_interval,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    if work.done():
                        return hub, work.result()
                    if interrupted.done():
                        logger.info("Hub %s: pass stopped for a change", hub.metadata.key)
                        return hub, None
                    hub = await self._progress(hub, lines[-1])
                    del lines[:-1]
            except CirahubError as error:
                report = PassReport(hub.metadata.key, started, finished=time.time())
                report.problem = problem_of(error)
                return hub, report
            finally:
                interrupted.cancel()
                work.cancel()
                await asyncio.gather(work, interrupted, return_exceptions=True)

    async def _progress(self, hub: Hub, line: str) -> Hub:
        after = hub_progress(hub, line, now=self._around.now())
        await self._write(hub, after)
        return hub.model_copy(update={"status": after})

    async def _report(
        self,
        hub: Hub,
        members: Sequence[Member],
        resolution: Resolution,
        memory: schedule.Memory,
        report: PassReport,
    ) -> None:
        async def one(member: Member) -> Standing:
            problem = resolution.problems.get(member.label)
            if problem is not None:
                return standing(await self._spokes.report(member.spoke(), problem))
            return standing(await self._spokes.synced(member.spoke(), report))

        after = hub_status(
            hub,
            report,
            await _standings(members, one),
            handled=memory.handled,
            now=self._around.now(),
            departures=await self._departing.departures(Key(*hub.metadata.key.split("/", 1))),
        )
        await self._write(hub, after)

    async def _tell(self, hub: Hub, report: PassReport) -> None:
        totals: Mapping[str, int] = {
            word: sum(getattr(one.counts, word) for one in report.spokes.values())
            for word in ("created", "updated", "deleted")
        }
        await self._around.events.record(
            Hub,
            hub.metadata,
            type=EventType.NORMAL,
            reason="Synced",
            note=", ".join(f"{count} {word}" for word, count in totals.items() if count),
            action="Sync",
        )

    async def _warn(self, hub: Hub, report: PassReport) -> None:
        await self._around.events.record(
            Hub,
            hub.metadata,
            type=EventType.WARNING,
            reason="FieldFrozen",
            note=frozen(report),
            action="Sync",
        )

    async def _write(self, hub: Hub, after: HubStatus) -> None:
        await self._around.statuses.write(Hub, hub.metadata, hub.status, after)


def _refusing(members: Sequence[Member], report: PassReport) -> set[Key]:
    """Connections through which signing in or an access was refused."""
    return {
        connection
        for member in members
        if (of := report.spokes.get(member.uid)) is not None
        and of.problem is not None
        and of.problem.access
        for connection in member.connections
    }


async def _standings(
    members: Sequence[Member], one: Callable[[Member], Coroutine[object, object, Standing]]
) -> Mapping[str, Standing]:
    found = await each(one(member) for member in members)
    return {member.label: how for member, how in zip(members, found, strict=True)}


def _belongs(member: Member, hub: Hub | Unparsable | None) -> bool:
    """Whether the Hub, if there is one, admits the Spoke. One that is being deleted belongs to
    whom it named, so that what it left there is erased."""
    if member.deleting or member.hub_namespace == member.namespace:
        return True
    return isinstance(hub, Hub) and hub.admits(member.namespace)
