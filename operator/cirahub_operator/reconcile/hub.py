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

from cirahub_operator.api import Connection, Hub, Spoke, SpokeSet
from cirahub_operator.api.duration import seconds
from cirahub_operator.api.hub import HubStatus, RunnerKind
from cirahub_operator.cluster import Unparsable
from cirahub_operator.disputes import frozen
from cirahub_operator.events import EventType
from cirahub_operator.objects import Member
from cirahub_operator.problems import problem_of
from cirahub_operator.reconcile import schedule
from cirahub_operator.reconcile.backlog import Backlog, refused
from cirahub_operator.reconcile.leaving import Departing
from cirahub_operator.reconcile.scene import Scene
from cirahub_operator.reconcile.set_leaving import DepartingSets
from cirahub_operator.reconcile.spoke import SpokeReconciler
from cirahub_operator.reconcile.spoke_set import SpokeSetReconciler
from cirahub_operator.reconcile.surroundings import Surroundings, each
from cirahub_operator.resolver import lasting_uid, not_admitted, resolve
from cirahub_operator.standing import Standing, standing
from cirahub_operator.summary import (
    SUSPENDED,
    hub_progress,
    hub_status,
    hub_waiting,
    invalid_status,
)
from cirahub_operator.workers import shared
from cirahub_operator.workqueue import Bell, Key, Result
from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import CirahubError
from cirahub_sync.spoke_set import SpokeSetConfig

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
        self._sets = SpokeSetReconciler(surroundings)
        self._departing = Departing(surroundings, self._spokes, backlog)
        self._departing_sets = DepartingSets(surroundings, self._sets, backlog)
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
        for invalid in roster.unparsable_sets:
            await self._sets.invalid(invalid)
        members = [one for one in roster.members if _belongs(one, hub)]
        outside = [one for one in roster.members if not _belongs(one, hub)]
        sets = [one for one in roster.sets if _includes(one, hub)]
        strangers = [one for one in roster.sets if not _includes(one, hub)]
        await self._refuse(outside, strangers)
        if hub is None:
            self._memories.pop(key, None)
            self._around.notices.forget(key)
            self._around.metrics.forget("Hub", key.namespace, key.name)
            again = await self._departing_sets.without_hub(key, sets)
            return _sooner(await self._departing.without_hub(key, members, bell), again)
        if isinstance(hub, Unparsable):
            again = await self._departing_sets.beside_invalid(key, sets)
            return _sooner(await self._invalid(key, hub, members, bell), again)
        absent = len(roster.unparsable) + sum(one.held for one in outside)
        absent += len(roster.unparsable_sets) + sum(one.metadata.held for one in strangers)
        absent += sum(hub.admits(namespace) for namespace in objects.unlisted)
        scene = replace(await self._scene(key, hub, members, sets), absent=absent)
        if hub.metadata.deleting:
            self._around.metrics.syncs_no_more(key.namespace, key.name)
            await self._departing_sets.with_hub(scene)
            return await self._departing.hub(scene, bell)
        if not await cluster.hold(Hub, hub.metadata):
            return Result(after=0.0)
        retry = await self._departing.spokes(scene, bell)
        again = await self._departing_sets.leave(scene)
        scene = replace(
            scene,
            members=[one for one in members if not one.deleting],
            sets=[one for one in sets if not one.metadata.deleting],
        )
        after = await self._live(scene, bell)
        if await self._departing.due(scene, bell):
            return Result(after=0.0)
        waits = (after, retry, again, await self._departing.wait(key))
        return Result(after=min((one for one in waits if one is not None), default=None))

    async def _live(self, scene: Scene, bell: Bell) -> float | None:
        """What is to be done with those that stay. Seconds until the next look."""
        if scene.hub.spec.suspend:
            message = "suspended by spec.suspend; nothing is synced until that is false"
            await self._wait(scene, Problem(SUSPENDED, message))
            return None
        if scene.hub.spec.runner is RunnerKind.JOB:
            if self._around.no_workers is not None:
                await self._wait(scene, self._around.no_workers)
                return None
            scene = replace(scene, resolution=shared(scene.resolution))
        earlier = await self._departing.earlier(scene)
        if earlier is not None:
            await self._wait(scene, earlier)
            return None
        return await self._sync(scene, bell)

    async def _invalid(
        self, key: Key, hub: Unparsable, members: Sequence[Member], bell: Bell
    ) -> Result:
        self._around.metrics.syncs_no_more(key.namespace, key.name)
        after = await self._departing.beside_invalid(key, members, bell)
        if hub.metadata.deleting and self._around.overdue(hub.metadata):
            await self._around.give_up(Hub, hub.metadata, hub.why)
            await self._around.cluster.release(Hub, hub.metadata)
            return Result(after=after)
        status = invalid_status(hub, now=self._around.now())
        await self._around.statuses.write(Hub, hub.metadata, hub.status, status)
        most = self._around.timing.retry_most
        return Result(after=most if after is None else min(after, most))

    async def _refuse(self, members: Sequence[Member], sets: Sequence[SpokeSet]) -> None:
        """Spokes of other namespaces that the Hub does not admit are none of its own: they don't
        even count in its status. What they contributed while they were admitted stays."""
        spokes = (one.spoke() for one in members)
        await each(self._spokes.report(one, not_admitted(one)) for one in spokes)
        for one in sets:
            await self._sets.report(one, not_admitted(one))

    async def _scene(
        self, key: Key, hub: Hub, members: Sequence[Member], sets: Sequence[SpokeSet]
    ) -> Scene:
        used = {connection for one in members for connection in one.connections}
        used |= {connection for one in sets for connection in _connections(one)}
        found = [self._around.objects.get(Connection, one) for one in sorted(used)]
        connections = [one for one in found if isinstance(one, Connection)]
        known = {one.metadata.key: one for one in connections}
        invalid = {one.metadata.key: one.why for one in found if isinstance(one, Unparsable)}
        trust = self._around.trust
        resolution = resolve(hub, (), known, trust=trust, invalid=invalid, sets=sets)
        spoke_configs: dict[str, SpokeConfig] = {}
        problems: dict[str, Problem] = dict(resolution.problems)
        for start in range(0, len(members), SLICE):
            part = resolve(
                hub,
                [one.spoke() for one in members[start : start + SLICE]],
                known,
                trust=trust,
                invalid=invalid,
            )
            spoke_configs |= part.spokes
            problems |= part.problems
            await asyncio.sleep(0)
        resolution = replace(resolution, spokes=spoke_configs, problems=problems)
        refusing = {one.metadata.key for one in connections if refused(one)}
        return Scene(key, hub, members, sets, resolution, frozenset(refusing))

    async def _wait(self, scene: Scene, state: Problem) -> None:
        hub = scene.hub
        self._around.metrics.syncs_no_more(scene.key.namespace, scene.key.name)

        async def one(member: Member) -> Standing:
            return standing(await self._spokes.report(member.spoke(), state))

        after = hub_waiting(
            hub,
            state,
            handled=hub.status.last_handled_reconcile_at,
            now=self._around.now(),
            spokes=await _standings(scene.members, one)
            | {each.label: standing(await self._sets.report(each, state)) for each in scene.sets},
            departures=await self._departing.departures(scene.key),
        )
        await self._write(hub, after)
        self._memories.pop(scene.key, None)

    async def _sync(self, scene: Scene, bell: Bell) -> float:
        """A pass if one is due. Seconds until the next look."""
        hub, resolution = scene.hub, scene.resolution
        memory = self._memories.setdefault(scene.key, schedule.Memory())
        last_sync = hub.status.last_sync_time if memory.report is None else None
        interval = seconds(hub.spec.interval)
        self._around.metrics.syncs_every(hub.metadata, interval, last_sync)
        members = await self._held(scene.members)
        asked = {one.label: one.requested_at for one in members}
        configs = [resolution.spokes[name] for name in asked if name in resolution.spokes]
        sets = await self._held_sets(scene.sets)
        set_configs = [resolution.sets[one.label] for one in sets if one.label in resolution.sets]
        given = schedule.digest(resolution.hub, configs, scene.refused, set_configs)
        notices, key = self._around.notices, scene.key
        cause = schedule.cause(
            hub, asked, given, memory, now=time.monotonic(), notified=notices.has(key)
        )
        if cause is not None:
            logger.info(
                "Hub %s: a pass over %d spokes and %d sets (%s)",
                scene.key,
                len(configs),
                len(set_configs),
                cause,
            )
            given_to = replace(
                scene,
                absent=scene.absent + len(members) - len(configs) + len(sets) - len(set_configs),
            )
            notified = cause is schedule.Cause.NOTIFIED
            with notices.looking(key):
                hub, report = await self._pass(
                    given_to, configs, set_configs, bell, notified_only=notified
                )
            if report is None:
                return 0.0
            self._remember(memory, hub, asked, given, report, notified_only=notified)
            for connection in _refusing(members, report) | _sets_refusing(sets, report):
                self._suspect(connection)
            await asyncio.to_thread(self._around.metrics.passed, hub.metadata, report)
        if memory.report is not None:
            await self._report(hub, replace(scene, members=members, sets=sets), memory)
            if cause is not None and memory.report.written:
                await self._tell(hub, memory.report)
            if cause is not None and memory.report.froze:
                await self._warn(hub, memory.report)
        return schedule.next_look(memory, now=time.monotonic(), notified=notices.has(key))

    async def _held(self, members: Sequence[Member]) -> Sequence[Member]:
        """Put our finalizer on those that have not got it. Without those that are gone."""
        free = [one for one in members if not one.held]
        cluster = self._around.cluster
        alive = await each(cluster.hold(Spoke, one.spoke().metadata) for one in free)
        gone = {one.uid for one, lives in zip(free, alive, strict=True) if not lives}
        return [one for one in members if one.uid not in gone] if gone else members

    async def _held_sets(self, sets: Sequence[SpokeSet]) -> Sequence[SpokeSet]:
        """The same of sets."""
        return [
            one
            for one in sets
            if one.metadata.held or await self._around.cluster.hold(SpokeSet, one.metadata)
        ]

    def _remember(
        self,
        memory: schedule.Memory,
        hub: Hub,
        asked: Mapping[str, str | None],
        given: str,
        report: PassReport,
        *,
        notified_only: bool,
    ) -> None:
        memory.report = report
        memory.digest = given
        memory.handled = hub.metadata.requested_at
        memory.spokes_handled = asked
        memory.approvals |= schedule.approved(hub)
        now = time.monotonic()
        memory.notified_from = now + self._around.notified_pause
        schedule.settle(memory, hub, report, self._around.timing, now=now, notified=notified_only)

    async def _pass(
        self,
        scene: Scene,
        configs: Sequence[SpokeConfig],
        sets: Sequence[SpokeSetConfig],
        bell: Bell,
        *,
        notified_only: bool,
    ) -> tuple[Hub, PassReport | None]:
        """The hub with the status that it has now, and the report; None if interrupted."""
        started, hub = time.time(), scene.hub
        lines = ["a pass is running"]
        if hub.status.observed_generation != hub.metadata.generation:
            hub = await self._progress(hub, lines[-1])
        async with self._around.pass_slots:
            work = asyncio.create_task(
                self._around.runner.run_pass(
                    scene.resolution.hub,
                    configs,
                    sets=sets,
                    approved=schedule.approved(hub),
                    absent=scene.absent,
                    progress=lines.append,
                    in_parts=hub.spec.runner is RunnerKind.JOB,
                    notified_only=notified_only,
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

    async def _report(self, hub: Hub, scene: Scene, memory: schedule.Memory) -> None:
        report, problems = memory.report, scene.resolution.problems
        assert report is not None

        async def one(member: Member) -> Standing:
            problem = problems.get(member.label)
            if problem is not None:
                return standing(await self._spokes.report(member.spoke(), problem))
            return standing(await self._spokes.synced(member.spoke(), report))

        async def of_set(each: SpokeSet) -> Standing:
            problem = problems.get(each.label)
            if problem is not None:
                return standing(await self._sets.report(each, problem))
            return standing(await self._sets.synced(each, report))

        after = hub_status(
            hub,
            report,
            await _standings(scene.members, one)
            | {each.label: await of_set(each) for each in scene.sets},
            handled=memory.handled,
            now=self._around.now(),
            departures=await self._departing.departures(Key(*hub.metadata.key.split("/", 1))),
        )
        await self._write(hub, after)

    async def _tell(self, hub: Hub, report: PassReport) -> None:
        totals: Mapping[str, int] = {
            word: sum(getattr(one.counts, word) for one in report.everywhere)
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


def _sets_refusing(sets: Sequence[SpokeSet], report: PassReport) -> set[Key]:
    """The same of sets, and of their members."""
    found: set[Key] = set()
    for one in sets:
        of = report.sets.get(lasting_uid("SpokeSet", one.metadata.key))
        if of is not None and (of.access or (of.problem is not None and of.problem.access)):
            found |= _connections(one)
    return found


def _connections(one: SpokeSet) -> set[Key]:
    names = {one.spec.connection_ref.name, *one.spec.directories}
    return {Key(one.metadata.namespace, name) for name in names}


async def _standings(
    members: Sequence[Member], one: Callable[[Member], Coroutine[object, object, Standing]]
) -> dict[str, Standing]:
    found = await each(one(member) for member in members)
    return {member.label: how for member, how in zip(members, found, strict=True)}


def _sooner(result: Result, again: float | None) -> Result:
    if again is None:
        return result
    return Result(after=again if result.after is None else min(again, result.after))


def _includes(one: SpokeSet, hub: Hub | Unparsable | None) -> bool:
    """As `_belongs`, of a set."""
    namespace = one.metadata.namespace
    if one.metadata.deleting or one.hub_namespace == namespace:
        return True
    return isinstance(hub, Hub) and hub.admits(namespace)


def _belongs(member: Member, hub: Hub | Unparsable | None) -> bool:
    """Whether the Hub, if there is one, admits the Spoke. One that is being deleted belongs to
    whom it named, so that what it left there is erased."""
    if member.deleting or member.hub_namespace == member.namespace:
        return True
    return isinstance(hub, Hub) and hub.admits(member.namespace)
