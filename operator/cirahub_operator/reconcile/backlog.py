"""Open erasures: the store keeps them, here they are read, tried one after the other, and told of.

Their objects may be gone, so everything hangs on the job: it is tried again, ever more slowly,
until nothing of the leaver remains. What is remembered here costs, when it is lost, one attempt.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from cirahub_operator.api import ConditionStatus, Connection, Hub
from cirahub_operator.conditions import CONSENTED, CREDENTIALS_READY
from cirahub_operator.departures import (
    Departures,
    departures,
    erased,
    trouble,
    unfinished,
    who,
)
from cirahub_operator.errors import RunnerStoppedError
from cirahub_operator.events import EventType
from cirahub_operator.places import UnresolvedError
from cirahub_operator.reconcile.surroundings import Surroundings
from cirahub_operator.resolver import connection_config
from cirahub_operator.workqueue import Bell, Key, backoff
from cirahub_sync.configuration import ConnectionConfig, SpokeConfig
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import CirahubError

logger = logging.getLogger(__name__)


@dataclass
class _Tries:
    """Of one job."""

    occasion: object = None
    """What, when it changes, makes another attempt worth while at once."""
    failures: int = 0
    failure: str = ""
    """What the last attempt ran into instead of coming to a report."""
    due: float = 0.0
    """On the monotonic clock."""
    told: bool = False
    """Of being incomplete, by an event."""
    held: bool = False
    """An object waits for it, and wants to tell what came of it."""


class Backlog:
    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._known: Sequence[Erasure] = ()
        self._tries: dict[str, _Tries] = {}
        self._measured: set[Key] = set()
        self._closed: dict[str, ErasureReport] = {}
        self.unreadable = ""
        """Why the store could not be read the last time; blank if it could."""

    async def open(self) -> Sequence[Erasure]:
        """All of them, the oldest first. While the store can't be read: those of the last time."""
        try:
            self._note(await self._around.runner.erasures())
        except CirahubError as error:
            self.unreadable = str(error)
            logger.warning("open erasures can't be read: %s", error)
        return self._known

    async def of(self, key: Key) -> Sequence[Erasure]:
        """Those of a hub."""
        return [job for job in await self.open() if hub_key(job) == key]

    def through(self, connection: str) -> Sequence[Erasure]:
        """Those that lead through a Connection (`namespace/name`), as they were last read."""
        return [job for job in self._known if connection in job.connections]

    async def departures(self, key: Key) -> Departures:
        failures = {job: tries.failure for job, tries in self._tries.items()}
        return departures(await self.of(key), failures, now=self._around.now())

    def why(self, job: Erasure) -> str:
        """What stands in the way of an erasure that was tried."""
        tries = self._tries.get(job.id)
        return trouble(job, tries.failure if tries else None)

    def connections(self, job: Erasure) -> Sequence[Connection]:
        """The Connections that it leads through, those that still exist."""
        keys = [Key(*name.split("/", 1)) for name in job.connections]
        found = [self._around.objects.get(Connection, key) for key in keys]
        return [one for one in found if isinstance(one, Connection)]

    async def attempt(
        self,
        jobs: Sequence[Erasure],
        *,
        hub: Hub | None,
        spokes: Sequence[SpokeConfig] | None,
        bell: Bell,
    ) -> bool:
        """Try those that are not waiting after a failure, until the bell interrupts. Whether any
        was tried. `spokes`: the hub's others, if there is a Hub."""
        tried = False
        for job in jobs:
            connections = self.connections(job)
            configs = self._configs(connections)
            asked = hub.metadata.requested_at if hub is not None else None
            occasion = (asked, configs, tuple(map(refused, connections)))
            tries = self._tries.setdefault(job.id, _Tries(occasion))
            if occasion == tries.occasion and time.monotonic() < tries.due:
                continue
            if bell.interrupted.is_set():
                return True
            tries.occasion = occasion
            tried = True
            await self._try(job, tries, hub=hub, spokes=spokes, configs=configs, bell=bell)
        return tried

    def closed(self, job: str) -> ErasureReport | None:
        """What came of one that was completed here; to be asked once."""
        return self._closed.pop(job, None)

    def hold(self, job: str) -> None:
        """Its object waits for it, and says itself when it is let go before all is erased."""
        tries = self._tries.setdefault(job, _Tries())
        tries.told = tries.held = True

    def let_go(self, job: str) -> None:
        """Its object does not wait any longer."""
        self._tries.setdefault(job, _Tries()).held = False

    def wait(self, jobs: Sequence[Erasure]) -> float | None:
        """Seconds until the next of them is due."""
        now = self._around.now().timestamp()
        waits = []
        for job in jobs:
            tries = self._tries.get(job.id)
            grace = 0.0 if job.started_at is not None else job.erase_at - now
            waits.append(max(0.0, grace, tries.due - time.monotonic() if tries else 0.0))
        return min(waits, default=None)

    async def watch(self, ring: Callable[[Key], None], namespaces: Collection[str]) -> None:
        """Until cancelled, have the hubs looked at of which erasures turn up: at the start, and
        when the store can be read at last, their objects may all be gone. `namespaces` are those
        that are served; none: all."""
        seen: set[str] = set()
        failures = 0
        while True:
            try:
                jobs = await self._around.runner.erasures()
            except RunnerStoppedError:
                return
            except Exception as error:
                failures += 1
                if isinstance(error, CirahubError):
                    logger.warning("open erasures can't be read: %s", error)
                else:
                    logger.exception("open erasures can't be read")
                await asyncio.sleep(backoff(failures, self._around.timing))
                continue
            failures = 0
            self._note(jobs)
            for job in jobs:
                key = hub_key(job)
                if job.id not in seen and (not namespaces or key.namespace in namespaces):
                    ring(key)
            seen = {job.id for job in jobs}
            await asyncio.sleep(self._around.timing.backlog_interval)

    async def _try(
        self,
        job: Erasure,
        tries: _Tries,
        *,
        hub: Hub | None,
        spokes: Sequence[SpokeConfig] | None,
        configs: Sequence[ConnectionConfig],
        bell: Bell,
    ) -> None:
        logger.info("hub %s: %s is being erased", job.hub_name, who(job))
        try:
            async with self._around.pass_slots:
                report = await bell.unless_interrupted(
                    self._around.runner.erase(job.id, spokes=spokes, connections=configs)
                )
        except CirahubError as error:
            tries.failure = str(error)
        else:
            if report is None:
                logger.info("hub %s: %s: stopped for a change", job.hub_name, who(job))
                return
            if hub is not None:
                staying = (one for uid, one in report.spokes.items() if uid != job.id)
                self._around.metrics.erased(hub.metadata, staying)
            if report.complete:
                await self._completed(job, hub, report)
                return
            tries.failure = unfinished(report)
        tries.failures += 1
        tries.due = time.monotonic() + self._pause(job, tries.failures)
        logger.warning("hub %s: %s: %s", job.hub_name, who(job), tries.failure)
        if self._late(job) and not tries.told:
            tries.told = True
            await self._give_up_waiting(job, hub, tries.failure)

    def _pause(self, job: Erasure, failures: int) -> float:
        timing = self._around.timing
        if self._late(job):
            timing = replace(timing, retry_most=timing.erase_retry_most)
        return backoff(failures, timing)

    def _late(self, job: Erasure) -> bool:
        since = job.erase_at if job.started_at is None else min(job.erase_at, job.started_at)
        return self._around.now().timestamp() - since > self._around.timing.erase_timeout

    async def _completed(self, job: Erasure, hub: Hub | None, report: ErasureReport) -> None:
        tries = self._tries.pop(job.id, None)
        if tries is not None and tries.held:
            self._closed[job.id] = report
        self._around.metrics.erasures_completed.labels("Hub" if job.whole_hub else "Spoke").inc()
        note = f"{who(job)}: {erased(report)}"
        logger.info("hub %s: erased %s", job.hub_name, note)
        if hub is not None:
            await self._around.events.record(
                Hub,
                hub.metadata,
                type=EventType.NORMAL,
                reason="Erased",
                note=note,
                action="Erase",
            )

    async def _give_up_waiting(self, job: Erasure, hub: Hub | None, why: str) -> None:
        self._around.metrics.erasures_incomplete.labels("Hub" if job.whole_hub else "Spoke").inc()
        note = f"{who(job)} is not erased after the erase timeout, and tried on: {why}"
        logger.warning("hub %s: %s", job.hub_name, note)
        if hub is not None:
            await self._around.events.record(
                Hub,
                hub.metadata,
                type=EventType.WARNING,
                reason="ErasureIncomplete",
                note=note,
                action="Erase",
            )

    def _configs(self, connections: Sequence[Connection]) -> tuple[ConnectionConfig, ...]:
        configs = []
        for one in connections:
            try:
                configs.append(connection_config(one, trust=self._around.trust))
            except UnresolvedError as error:
                logger.info("Connection %s: %s", one.metadata.key, error)
        return tuple(configs)

    def _note(self, jobs: Sequence[Erasure]) -> None:
        self._known, self.unreadable = jobs, ""
        ids = {job.id for job in jobs}
        self._tries = {job: tries for job, tries in self._tries.items() if job in ids}
        counts: dict[Key, tuple[int, int]] = dict.fromkeys(self._measured, (0, 0))
        for job in jobs:
            count, remaining = counts.get(hub_key(job), (0, 0))
            remaining += job.report.copies_remaining if job.report else 0
            counts[hub_key(job)] = (count + 1, remaining)
        for key, (count, remaining) in counts.items():
            self._around.metrics.erasing(key.namespace, key.name, count, remaining)
        self._measured = {key for key, (count, _) in counts.items() if count}


def hub_key(job: Erasure) -> Key:
    namespace, _, name = job.hub_name.partition("/")
    return Key(namespace, name)


def refused(connection: Connection) -> bool:
    """Whether it can't sign in, or lacks rights, as far as is known."""
    return any(
        (condition := connection.status.condition(kind)) is not None
        and condition.status is ConditionStatus.FALSE
        for kind in (CREDENTIALS_READY, CONSENTED)
    )
