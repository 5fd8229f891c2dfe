"""Hubs: everything that happens to a hub and its spokes, in one order, by one task a hub.

Spokes that leave are taken out, what is due is passed over, and what was found is written to the
statuses that it changes. A name that Spokes give and no Hub has is looked at here as well.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from cirahub_operator.api import ConditionStatus, Connection, DeletionPolicy, Hub, Spoke
from cirahub_operator.api.hub import HubStatus
from cirahub_operator.api.spoke import SpokeStatus
from cirahub_operator.cluster import Listing, Unparsable
from cirahub_operator.conditions import CONSENTED, CREDENTIALS_READY
from cirahub_operator.events import EventType
from cirahub_operator.problems import problem_of
from cirahub_operator.reconcile import schedule
from cirahub_operator.reconcile.spoke import SpokeReconciler, erased, unfinished
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import Resolution, resolve
from cirahub_operator.summary import (
    ERASING,
    ERASURE_PENDING,
    RETAINING,
    SUSPENDED,
    Leaving,
    erasure_pending,
    hub_progress,
    hub_status,
    hub_waiting,
    invalid_status,
)
from cirahub_operator.workqueue import Bell, Key, Result, backoff
from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, Problem
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

WRITES = 10
"""Spokes whose statuses and finalizers are written at the same time."""


@dataclass(frozen=True)
class _Scene:
    """A hub and all that hangs on it, as it was found."""

    key: Key
    hub: Hub
    spokes: Sequence[Spoke]
    resolution: Resolution
    refused: frozenset[str]
    """Connections that can't sign in."""


class HubReconciler:
    def __init__(
        self, surroundings: Surroundings, suspect: Callable[[Key], None] = lambda _: None
    ) -> None:
        """`suspect` takes the key of a Connection through which a pass was refused."""
        self._around = surroundings
        self._suspect = suspect
        self._spokes = SpokeReconciler(surroundings)
        self._memories: dict[Key, schedule.Memory] = {}
        self._leaving: dict[Key, int] = {}

    async def reconcile(self, key: Key, bell: Bell) -> Result:
        cluster, objects = self._around.cluster, self._around.objects
        # That there is none lets its spokes go: it is asked for before it is believed.
        hub = objects.get(Hub, key) or await cluster.get(Hub, key.namespace, key.name)
        listing = await objects.spokes_of(key)
        spokes = listing.items
        for invalid in listing.unparsable:
            await self._spokes.invalid(invalid)
        if hub is None:
            return await self._gone(key, spokes)
        if isinstance(hub, Unparsable):
            return await self._invalid(hub)
        scene = self._scene(key, hub, spokes, await objects.listing(Connection, key.namespace))
        if hub.metadata.deleting:
            return await self._leave(scene)
        if not await cluster.hold(Hub, hub.metadata):
            return Result(after=0.0)
        retry = await self._take_out(scene)
        scene = replace(scene, spokes=[one for one in spokes if not one.metadata.deleting])
        if hub.spec.suspend:
            await self._suspend(scene)
            return Result(after=retry)
        after = await self._sync(scene, bell)
        return Result(after=after if retry is None else min(after, retry))

    async def _gone(self, key: Key, spokes: Sequence[Spoke]) -> Result:
        self._memories.pop(key, None)
        self._leaving.pop(key, None)
        self._around.metrics.forget("Hub", key.namespace, key.name)
        await self._each([self._spokes.orphaned(spoke) for spoke in spokes])
        return Result(gone=True)

    async def _invalid(self, hub: Unparsable) -> Result:
        if hub.metadata.deleting and self._around.overdue(hub.metadata):
            await self._around.give_up(Hub, hub.metadata, hub.why)
            await self._around.cluster.release(Hub, hub.metadata)
            return Result()
        after = invalid_status(hub, now=self._around.now())
        await self._around.statuses.write(Hub, hub.metadata, hub.status, after)
        return Result(after=self._around.timing.retry_most)

    def _scene(
        self, key: Key, hub: Hub, spokes: Sequence[Spoke], connections: Listing[Connection]
    ) -> _Scene:
        resolution = resolve(
            hub,
            spokes,
            {one.metadata.name: one for one in connections.items},
            trust=self._around.trust,
            invalid={one.metadata.name: one.why for one in connections.unparsable},
        )
        used = {one.spec.connection_ref.name for one in spokes}
        refused = {
            one.metadata.name
            for one in connections.items
            if one.metadata.name in used
            and any(
                (condition := one.status.condition(kind)) is not None
                and condition.status is ConditionStatus.FALSE
                for kind in (CREDENTIALS_READY, CONSENTED)
            )
        }
        return _Scene(key, hub, spokes, resolution, frozenset(refused))

    async def _take_out(self, scene: _Scene) -> float | None:
        """Let deleted spokes go. Seconds until another attempt, if one is needed."""
        leaving = [one for one in scene.spokes if one.metadata.deleting]
        done = [await self._spokes.leave(spoke, scene.resolution) for spoke in leaving]
        if all(done):
            self._leaving.pop(scene.key, None)
            return None
        return self._again(scene.key)

    def _again(self, key: Key) -> float:
        """Seconds until the next attempt at an erasure."""
        self._leaving[key] = self._leaving.get(key, 0) + 1
        return backoff(self._leaving[key], self._around.timing)

    async def _suspend(self, scene: _Scene) -> None:
        hub, spokes = scene.hub, scene.spokes
        message = "suspended by spec.suspend; nothing is synced until that is false"
        state = Problem(SUSPENDED, message)
        statuses = await self._each([self._spokes.report(spoke, state) for spoke in spokes])
        after = hub_waiting(
            hub,
            state,
            handled=hub.status.last_handled_reconcile_at,
            now=self._around.now(),
            spokes=_by_name(spokes, statuses),
        )
        await self._write(hub, after)
        self._memories.pop(scene.key, None)

    async def _sync(self, scene: _Scene, bell: Bell) -> float:
        """A pass if one is due. Seconds until the next look."""
        hub, resolution = scene.hub, scene.resolution
        memory = self._memories.setdefault(scene.key, schedule.Memory())
        held = await self._each(
            [self._around.cluster.hold(Spoke, spoke.metadata) for spoke in scene.spokes]
        )
        spokes = [spoke for spoke, alive in zip(scene.spokes, held, strict=True) if alive]
        names = [spoke.metadata.name for spoke in spokes]
        configs = [resolution.spokes[name] for name in names if name in resolution.spokes]
        given = schedule.digest(resolution.hub, configs, scene.refused)
        cause = schedule.cause(hub, spokes, given, memory, now=time.monotonic())
        if cause is not None:
            logger.info("Hub %s: a pass over %d spokes (%s)", scene.key, len(configs), cause)
            hub, report = await self._pass(hub, resolution.hub, configs, bell)
            if report is None:
                return 0.0
            self._remember(memory, hub, spokes, given, report)
            for key in _refusing(spokes, report):
                self._suspect(key)
            self._around.metrics.passed(hub.metadata, report)
        if memory.report is not None:
            await self._report(hub, spokes, resolution, memory, memory.report)
            if cause is not None and memory.report.written:
                await self._tell(hub, memory.report)
        return max(0.0, memory.due - time.monotonic())

    def _remember(
        self,
        memory: schedule.Memory,
        hub: Hub,
        spokes: Sequence[Spoke],
        given: str,
        report: PassReport,
    ) -> None:
        memory.report = report
        memory.digest = given
        memory.handled = hub.metadata.requested_at
        memory.spokes_handled = {one.metadata.name: one.metadata.requested_at for one in spokes}
        memory.approvals |= schedule.approved(hub)
        memory.failures = memory.failures + 1 if schedule.failed(report) else 0
        wait = schedule.wait(hub, report, memory.failures, self._around.timing)
        memory.due = time.monotonic() + wait

    async def _pass(
        self, hub: Hub, config: HubConfig, configs: Sequence[SpokeConfig], bell: Bell
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
        spokes: Sequence[Spoke],
        resolution: Resolution,
        memory: schedule.Memory,
        report: PassReport,
    ) -> None:
        async def one(spoke: Spoke) -> SpokeStatus:
            problem = resolution.problems.get(spoke.metadata.name)
            if problem is not None:
                return await self._spokes.report(spoke, problem)
            return await self._spokes.synced(spoke, report)

        statuses = await self._each([one(spoke) for spoke in spokes])
        after = hub_status(
            hub,
            report,
            _by_name(spokes, statuses),
            handled=memory.handled,
            now=self._around.now(),
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

    async def _leave(self, scene: _Scene) -> Result:
        hub = scene.hub
        if not hub.metadata.held:
            return Result()
        why = await self._erase(scene)
        if why is not None and not self._around.overdue(hub.metadata):
            await self._say(hub, Leaving(ERASURE_PENDING, f"being erased: {why}"))
            return Result(after=self._again(scene.key))
        if why is not None:
            await self._around.give_up(Hub, hub.metadata, why)
        for spoke in scene.spokes:
            if spoke.metadata.deleting:
                await self._around.cluster.release(Spoke, spoke.metadata)
        await self._around.cluster.release(Hub, hub.metadata)
        return Result()

    async def _erase(self, scene: _Scene) -> str | None:
        """None when done, else why not."""
        hub, resolution, runner = scene.hub, scene.resolution, self._around.runner
        retain = hub.spec.deletion_policy is DeletionPolicy.RETAIN
        doing = "copies are retained" if retain else "copies are being deleted"
        if not erasure_pending(hub.status):
            await self._say(hub, Leaving(RETAINING if retain else ERASING, doing))
        try:
            if retain:
                await runner.retain_hub(resolution.hub)
                return None
            configs = list(resolution.spokes.values())
            known = await runner.leave_hub(
                resolution.hub,
                erase_at=time.time(),
                spokes=configs if hub.status.last_sync_time is not None else (),
            )
            if not known:
                return None
            erasure = await runner.erase(resolution.hub.uid, spokes=configs)
        except CirahubError as error:
            logger.warning("Hub %s is not erased yet: %s", hub.metadata.key, error)
            return None if hub.status.last_sync_time is None else str(error)
        if not erasure.complete:
            return unfinished(erasure)
        unreached = [
            spoke.metadata.name
            for spoke in scene.spokes
            if spoke.metadata.name in resolution.problems and spoke.status.copies
        ]
        if unreached:
            return f"copies remain, because of their Connections, in {', '.join(unreached[:5])}"
        await self._around.events.record(
            Hub,
            hub.metadata,
            type=EventType.NORMAL,
            reason="Erased",
            note=erased(erasure),
            action="Erase",
        )
        return None

    async def _say(self, hub: Hub, state: Leaving) -> None:
        after = hub_waiting(
            hub, state, handled=hub.status.last_handled_reconcile_at, now=self._around.now()
        )
        await self._write(hub, after)

    async def _write(self, hub: Hub, after: HubStatus) -> None:
        await self._around.statuses.write(Hub, hub.metadata, hub.status, after)

    async def _each(self, work: Sequence[Coroutine[object, object, Answer]]) -> list[Answer]:
        """All of it, some at a time, in order. The first error is raised when all have ended."""
        slots = asyncio.Semaphore(WRITES)

        async def one(coroutine: Coroutine[object, object, Answer]) -> Answer:
            async with slots:
                return await coroutine

        tasks = [asyncio.create_task(one(coroutine)) for coroutine in work]
        if tasks:
            await asyncio.wait(tasks)
        return [task.result() for task in tasks]


def _refusing(spokes: Sequence[Spoke], report: PassReport) -> set[Key]:
    """Connections through which signing in or an access was refused."""
    return {
        Key(spoke.metadata.namespace, spoke.spec.connection_ref.name)
        for spoke in spokes
        if (of := report.spokes.get(spoke.metadata.uid)) is not None
        and of.problem is not None
        and of.problem.access
    }


def _by_name(spokes: Sequence[Spoke], statuses: Sequence[SpokeStatus]) -> Mapping[str, SpokeStatus]:
    return {spoke.metadata.name: one for spoke, one in zip(spokes, statuses, strict=True)}
