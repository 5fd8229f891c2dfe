"""The operator put together: cluster, engine, work queues, Kopf, probes; and its orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable

import kopf
import msgspec

from cirahub_operator import handlers
from cirahub_operator.api import KINDS
from cirahub_operator.cluster import Cluster
from cirahub_operator.credentials import ClusterCredentials
from cirahub_operator.errors import PermissionMissingError
from cirahub_operator.events import Events
from cirahub_operator.handlers import lifecycle
from cirahub_operator.health import Health
from cirahub_operator.metrics import Metrics
from cirahub_operator.objects import Objects
from cirahub_operator.probes import Probes
from cirahub_operator.reconcile import ConnectionReconciler, HubReconciler, Surroundings
from cirahub_operator.relist import Relist
from cirahub_operator.resolver import GrantedTrust
from cirahub_operator.runners import InlineRunner
from cirahub_operator.service_ranges import service_ranges
from cirahub_operator.settings import Settings
from cirahub_operator.status import StatusWriter
from cirahub_operator.wakes import Wakes
from cirahub_operator.workqueue import Key, Workqueue
from cirahub_sync.origins import Origins
from cirahub_sync.worker import WorkerSettings

logger = logging.getLogger(__name__)

MakeRunner = Callable[[WorkerSettings], InlineRunner]


def inline_runner(settings: WorkerSettings) -> InlineRunner:
    return InlineRunner(settings, ClusterCredentials.connect)


class Operation:
    """One run of the operator."""

    def __init__(self, settings: Settings, *, make_runner: MakeRunner = inline_runner) -> None:
        self._settings = settings
        self._make_runner = make_runner
        self._stop = asyncio.Event()
        self._kopf_ready = asyncio.Event()
        self.started = asyncio.Event()
        """Set once the watches are being set up."""
        self.metrics = Metrics()
        self.probes: Probes | None = None

    def stop(self) -> None:
        """Ask for an orderly end. Returns at once."""
        self._stop.set()

    async def run(self) -> None:
        """Until stopped. Raises OperatorError if it can't even start."""
        objects = Objects()
        cluster = await Cluster.connect(objects)
        try:
            await cluster.check_installed(KINDS)
            runner = self._make_runner(await self._worker_settings(cluster))
            runner.start()
            try:
                await self._operate(cluster, objects, runner)
            finally:
                await runner.close()
        finally:
            await cluster.close()

    async def _worker_settings(self, cluster: Cluster) -> WorkerSettings:
        return WorkerSettings(
            database=self._settings.database,
            key_file=self._settings.key_file,
            installation=self._settings.installation or await _installation(cluster),
            origins=await self._origins(cluster),
        )

    async def _origins(self, cluster: Cluster) -> Origins:
        """Where services are, and, of the ranges of the cluster, where they are not."""
        origins = self._settings.origins
        ranges = {
            *origins.cluster_ranges,
            *self._settings.cluster_ranges,
            *await service_ranges(cluster),
        }
        logger.info("no service may be in %s", ", ".join(sorted(ranges)) or "no known range")
        return msgspec.structs.replace(origins, cluster_ranges=tuple(sorted(ranges)))

    async def _operate(self, cluster: Cluster, objects: Objects, runner: InlineRunner) -> None:
        settings, timing = self._settings, self._settings.timing
        health = Health(
            engine_silence=lambda: runner.silent_for,
            watch_limit=timing.watch_silence,
            engine_limit=timing.engine_silence,
        )
        events = Events(cluster)
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
        )
        hubs = Workqueue(
            "Hub", HubReconciler(around).reconcile, metrics=self.metrics, timing=timing
        )

        def wake_hub(key: Key, interrupt: bool) -> None:
            hubs.ring(key, interrupt=interrupt)

        connections = Workqueue(
            "Connection",
            ConnectionReconciler(around, wake_hub).reconcile,
            metrics=self.metrics,
            timing=timing,
        )
        probes = Probes(health, self.metrics)

        async def end() -> None:
            health.stopping = True
            await asyncio.gather(
                hubs.stop(drain=timing.drain), connections.stop(drain=timing.drain)
            )
            await probes.stop()

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
        lifecycle.register(registry, end)
        await probes.start(
            host=settings.host,
            health_port=settings.health_port,
            metrics_port=settings.metrics_port,
        )
        self.probes = probes
        announced = asyncio.create_task(self._announce(health, relist))
        try:
            await kopf.operator(
                registry=registry,
                settings=lifecycle.settings(),
                standalone=True,
                clusterwide=not settings.namespaces,
                namespaces=settings.namespaces,
                ready_flag=self._kopf_ready,
                stop_flag=self._stop,
            )
        finally:
            announced.cancel()
            await end()

    async def _announce(self, health: Health, relist: Relist) -> None:
        await self._kopf_ready.wait()
        # Kopf's own signal handler leaves its waiter for the stop flag hanging, which costs five
        # seconds; setting the flag instead ends both.
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for signum in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(signum, self.stop)
        self.started.set()

        def complete() -> None:
            health.started = True
            served = ", ".join(self._settings.namespaces) or "all namespaces"
            logger.info("serving %s", served)

        await relist.run(complete)


async def _installation(cluster: Cluster) -> str:
    try:
        return await cluster.namespace_uid("kube-system")
    except PermissionMissingError as error:
        raise PermissionMissingError(
            "the UID of the namespace kube-system, which marks our copies by default, may not be "
            "read; allow `get` on that one namespace, or choose a mark that stays the same for as "
            "long as the copies live: --installation-id"
        ) from error
