"""The operator put together: cluster, election, engine, work queues, Kopf, probes; and its orderly
end. A stand-by has its probes and its metrics, and begins with the rest when it leads."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import kopf

from cirahub_operator import handlers
from cirahub_operator.cluster import Cluster
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.definitions import definitions
from cirahub_operator.errors import PermissionMissingError
from cirahub_operator.events import Events
from cirahub_operator.frugality import collect_thoroughly
from cirahub_operator.handlers import lifecycle
from cirahub_operator.health import Health
from cirahub_operator.heartbeat import Heartbeat
from cirahub_operator.leadership import Leadership, Watchdog
from cirahub_operator.leases import LeaseObject, own_namespace
from cirahub_operator.metrics import Metrics
from cirahub_operator.notices import Mail, Mailroom, Notices
from cirahub_operator.notifications import Listener
from cirahub_operator.objects import Objects
from cirahub_operator.outage import Attempts, Outage
from cirahub_operator.permissions.review import Review, asked_for
from cirahub_operator.probes import Probes
from cirahub_operator.reconcile import (
    Backlog,
    ConnectionReconciler,
    HubReconciler,
    Surroundings,
)
from cirahub_operator.relist import Relist
from cirahub_operator.resolver import GrantedTrust
from cirahub_operator.runners import InlineRunner, JobCrews
from cirahub_operator.service_ranges import service_ranges
from cirahub_operator.settings import Election, Notifications, Settings, Workers
from cirahub_operator.status import StatusWriter
from cirahub_operator.wakes import Wakes
from cirahub_operator.watch_streams import WatchStreams
from cirahub_operator.workers import obstacle
from cirahub_operator.workqueue import Key, Workqueue
from cirahub_sync import notifications
from cirahub_sync.lease_terms import LeaseTerms
from cirahub_sync.origins import Origins
from cirahub_sync.worker import Worker, WorkerSettings

logger = logging.getLogger(__name__)

Leading = Callable[[], None]
"""Raises LeaseLostError unless this operator leads. Asked in the engine's thread."""
Serve = Callable[[Leading], Awaitable[None]]
MakeRunner = Callable[[WorkerSettings], InlineRunner]
OpenMailroom = Callable[[WorkerSettings], Mailroom]


def _alone() -> None:
    """Without an election."""


def mailroom(settings: WorkerSettings) -> Mailroom:
    """The store's own. While an older version leads, its schema is that one's."""
    return notifications.Mailroom.open(settings, migrates=False)


def inline_runner(
    settings: WorkerSettings, leading: Leading = _alone, workers: Workers | None = None
) -> InlineRunner:
    return InlineRunner(
        settings,
        ClusterCredentials.connect,
        open_engine=partial(Worker.open, leading=leading),
        open_crews=None if workers is None else partial(JobCrews.connect, workers),
    )


class Operation:
    """One run of the operator."""

    def __init__(
        self,
        settings: Settings,
        *,
        make_runner: MakeRunner | None = None,
        open_mailroom: OpenMailroom = mailroom,
    ) -> None:
        """`make_runner`: in the place of the inline runner with the real engine."""
        self._settings = settings
        self._make_runner = make_runner
        self._open_mailroom = open_mailroom
        self._mail: Mail | None = None
        self._notices: Notices | None = None
        """While we lead."""
        self.notifications_port = 0
        """Where notifications are taken; 0: they are not."""
        self._stop = asyncio.Event()
        self._kopf_ready = asyncio.Event()
        self.started = asyncio.Event()
        """Set once the watches are being set up."""
        self.metrics = Metrics()
        self._runner: InlineRunner | None = None
        self._review: Review | None = None
        self._outage = Outage(self._cluster_answers)
        self._streams = WatchStreams(outage=self._outage)
        self._health = Health(
            engine_silence=lambda: self._runner.silent_for if self._runner else 0.0,
            watch_limit=settings.timing.watch_silence,
            engine_limit=settings.timing.engine_silence,
            denied=lambda: self._review.denied if self._review else [],
            streams=self._streams.silent,
        )
        self._drain = settings.timing.drain
        self.probes = Probes(self._health, self.metrics)

    def stop(self) -> None:
        """Ask for an orderly end. Returns at once."""
        self._stop.set()

    async def run(self) -> None:
        """Until stopped. Raises OperatorError if it can't even start, LeadershipLostError when
        another operator may serve from now on."""
        self._heed_signals()
        async with AsyncExitStack() as stack:
            attempts = Attempts(self._outage)
            watching = logging.getLogger(Attempts.LOGGER)
            watching.addFilter(attempts)
            stack.callback(watching.removeFilter, attempts)
            objects = Objects()
            cluster = await Cluster.connect(objects, self._outage)
            stack.push_async_callback(cluster.close)
            stack.push_async_callback(self.probes.stop)
            await self.probes.start(
                host=self._settings.host,
                health_port=self._settings.health_port,
                metrics_port=self._settings.metrics_port,
            )
            if not await definitions(
                cluster,
                self._stop,
                every=self._settings.timing.retry_first,
                missing=self._definitions_missing,
            ):
                return
            self.metrics.cluster_reachable.set(1)
            self._review = Review(cluster, self.metrics, asked_for(self._settings))
            await self._review.once()
            reviewing = asyncio.create_task(self._review.keep())
            stack.callback(reviewing.cancel)
            worker = await self._worker_settings(cluster)
            if self._settings.notifications is not None:
                await self._listen(self._settings.notifications, worker, stack)
            serve = partial(self._serve, cluster, objects, worker)
            if self._settings.election is None:
                await serve(_alone)
            else:
                await self._take_turns(self._settings.election, serve)

    async def _listen(
        self, settings: Notifications, worker: WorkerSettings, stack: AsyncExitStack
    ) -> None:
        """Take what services tell, whoever leads, until the stack ends."""
        here = asyncio.get_running_loop()
        mail = self._mail = Mail(partial(self._open_mailroom, worker))
        stack.callback(mail.close)

        def tell(hubs: frozenset[str]) -> None:
            if self._notices is not None:
                self._notices.tell(hubs)

        listener = Listener(
            settings,
            host=self._settings.host,
            mailroom=mail,
            metrics=self.metrics,
            told=lambda hubs: here.call_soon_threadsafe(tell, hubs),
        )
        stack.push_async_callback(listener.stop)
        await listener.start()
        self.notifications_port = listener.port
        logger.info("notifications of changes are taken at port %d", listener.port)

    async def _take_turns(self, election: Election, serve: Serve) -> None:
        """Stand by until it is our turn, serve, and let the next one begin when all has ended."""
        # A cluster of its own: renewals don't queue behind a thousand statuses.
        cluster = await Cluster.connect(outage=self._outage)
        try:
            leadership = Leadership(
                LeaseObject(cluster, election.namespace or own_namespace(), election.name),
                timing=election.timing,
                serves=",".join(sorted(self._settings.namespaces)),
            )
            self._health.standing_by = True
            if await self._elected(leadership):
                try:
                    with Watchdog(leadership):
                        await self._lead(leadership, serve)
                finally:
                    await leadership.release()
        finally:
            await cluster.close()

    def _definitions_missing(self, why: str) -> None:
        self.metrics.definitions_missing.set(bool(why))
        self._health.missing = why

    def _cluster_answers(self, answers: bool) -> None:
        self.metrics.cluster_reachable.set(answers)
        self._health.cluster_answers(answers)
        self._streams.begin_anew()

    async def _elected(self, leadership: Leadership) -> bool:
        """False if told to stop before it was our turn."""
        acquiring = asyncio.create_task(leadership.acquire())
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if acquiring.done():
                acquiring.result()
            return acquiring.done()
        finally:
            for task in (acquiring, stopping):
                task.cancel()
            await asyncio.gather(acquiring, stopping, return_exceptions=True)

    async def _lead(self, leadership: Leadership, serve: Serve) -> None:
        keeping = asyncio.create_task(leadership.keep())
        keeping.add_done_callback(self._lost)
        try:
            await serve(leadership.check)
        finally:
            if keeping.done() and not keeping.cancelled():
                keeping.result()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    def _lost(self, keeping: asyncio.Task[None]) -> None:
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            logger.critical("%s", error)
            self._drain = 0.0
            self.stop()

    async def _serve(
        self, cluster: Cluster, objects: Objects, worker: WorkerSettings, leading: Leading
    ) -> None:
        make = self._make_runner
        runner = self._runner = (
            make(worker) if make else inline_runner(worker, leading, self._settings.workers)
        )
        runner.start()
        self.metrics.leader.set(1)
        try:
            await self._operate(cluster, objects, runner)
        finally:
            self.metrics.leader.set(0)
            await runner.close()
            self._runner = None

    async def _worker_settings(self, cluster: Cluster) -> WorkerSettings:
        return WorkerSettings(
            database=self._settings.database,
            key_file=self._settings.key_file,
            installation=self._settings.installation or await _installation(cluster),
            origins=await self._origins(cluster),
            lease=LeaseTerms(seconds=self._settings.hub_lease),
            notifications=self._settings.notifications.url if self._settings.notifications else "",
        )

    async def _origins(self, cluster: Cluster) -> Origins:
        """Where services are, and, of the ranges of the cluster, where they are not."""
        origins = self._settings.origins.avoiding(self._settings.cluster_ranges)
        origins = origins.avoiding(await service_ranges(cluster))
        logger.info(
            "no service may be in %s", ", ".join(origins.cluster_ranges) or "no known range"
        )
        return origins

    async def _operate(self, cluster: Cluster, objects: Objects, runner: InlineRunner) -> None:
        settings, timing, health = self._settings, self._settings.timing, self._health
        events = Events(cluster)
        notices = Notices(lambda key: wake_hub(key, False))
        around = Surroundings(
            cluster=cluster,
            objects=objects,
            runner=runner,
            statuses=StatusWriter(cluster, events, self.metrics, health),
            events=events,
            metrics=self.metrics,
            timing=timing,
            trust=GrantedTrust(settings.own_identity),
            pass_slots=asyncio.Semaphore(settings.concurrent_passes),
            notices=notices,
            notified_pause=settings.notifications.pause if settings.notifications else 0.0,
            no_workers=obstacle(settings),
            namespaces=frozenset(settings.namespaces),
            origins=settings.origins,
        )
        backlog = Backlog(around)

        def wake_hub(key: Key, interrupt: bool) -> None:
            hubs.ring(key, interrupt=interrupt)

        def suspect(key: Key) -> None:
            if checks.suspect(key):
                connections.ring(key)

        checks = ConnectionReconciler(around, backlog, wake_hub)
        connections = Workqueue("Connection", checks.reconcile, metrics=self.metrics, timing=timing)
        hubs = Workqueue(
            "Hub",
            HubReconciler(around, backlog, suspect).reconcile,
            metrics=self.metrics,
            timing=timing,
        )

        async def end() -> None:
            health.stopping = True
            self._notices = None
            for task in companions:
                task.cancel()
            await asyncio.gather(hubs.stop(drain=self._drain), connections.stop(drain=self._drain))
            # Here, because Kopf waits five seconds for whatever was begun after it.
            await asyncio.gather(*companions, return_exceptions=True)
            await self.probes.stop()

        wakes = Wakes(
            objects=objects,
            hubs=hubs,
            connections=connections,
            health=health,
            metrics=self.metrics,
        )
        relist = Relist(
            cluster,
            objects,
            wakes,
            namespaces=settings.namespaces,
            interval=timing.relist_interval,
        )
        registry = handlers.registry(wakes)
        lifecycle.register(registry, end, self._streams)
        listed = asyncio.Event()

        async def watch_backlog() -> None:
            await listed.wait()
            await backlog.watch(hubs.ring, settings.namespaces)

        async def watch_notices() -> None:
            await listed.wait()
            if self._mail is not None and settings.notifications is not None:
                self._notices = notices
                await notices.watch(self._mail, settings.notifications.look)

        companions = [
            asyncio.create_task(watch_notices()),
            asyncio.create_task(self._announce(health, relist, listed)),
            asyncio.create_task(watch_backlog()),
            asyncio.create_task(Heartbeat(self.metrics.registry).run()),
            asyncio.create_task(collect_thoroughly(lambda: runner.busy)),
        ]
        try:
            await kopf.operator(
                registry=registry,
                settings=lifecycle.settings(settings.timing.watch_round),
                standalone=True,
                clusterwide=not settings.namespaces,
                namespaces=settings.namespaces,
                ready_flag=self._kopf_ready,
                stop_flag=self._stop,
            )
        finally:
            await end()

    async def _announce(self, health: Health, relist: Relist, listed: asyncio.Event) -> None:
        await self._kopf_ready.wait()
        # Kopf's own signal handler leaves its waiter for the stop flag hanging, which costs five
        # seconds; setting the flag instead ends both.
        self._heed_signals()
        self.started.set()

        def complete() -> None:
            health.started = True
            listed.set()
            served = ", ".join(self._settings.namespaces) or "all namespaces"
            logger.info("serving %s", served)

        await relist.run(complete)

    def _heed_signals(self) -> None:
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for signum in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(signum, self.stop)


async def _installation(cluster: Cluster) -> str:
    try:
        return await cluster.namespace_uid("kube-system")
    except PermissionMissingError as error:
        raise PermissionMissingError(
            "the UID of the namespace kube-system, which marks our copies by default, may not be "
            "read; allow `get` on that one namespace, or choose a mark that stays the same for as "
            "long as the copies live: --installation-id"
        ) from error
