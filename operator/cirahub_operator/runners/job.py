"""Workers as Jobs of Kubernetes: one for each connection and errand of a pass, an index a shard.

They run in a namespace of the operator's, not in those of the Connections
(docs/decisions/2026-11-29-workers-stay-with-the-operator.md). Whether a shard is done is told by
the store; a Job tells that nobody will work any more. So it is looked at now and then only.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from cirahub_operator.cluster import Cluster
from cirahub_operator.errors import ClusterUnreachableError, OperatorError
from cirahub_operator.jobs import Jobs, JobState
from cirahub_operator.leases import own_namespace
from cirahub_operator.settings import Workers
from cirahub_operator.worker_template import CONTAINER
from cirahub_sync.configuration import HubConfig
from cirahub_sync.engine.shared import Call, Crew
from cirahub_sync.errors import CrewUnavailableError
from cirahub_sync.store.shards import ATTEMPTS
from cirahub_sync.worker import WorkerSettings

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

HUB = "worker.cirahub.io/hub"
"""Label: the hub's uid in the store. The annotation of that name: the Hub's namespace and name."""
PASS = "worker.cirahub.io/pass"  # noqa: S105 (a label)
ERRAND = "worker.cirahub.io/errand"
CONNECTION = "worker.cirahub.io/connection"
"""Label: the Connection's uid."""
WRONG_OPTIONS = 2
"""The worker's exit code for what does not get better by trying again."""
KEPT = 3600
"""Seconds for which a Job that has failed is kept for whoever wants to read its pods' logs; and one
that nobody deleted."""
TIDY = 10.0
"""Seconds that deleting Jobs may take, while others wait for that."""


class JobCrews:
    """Makes crews. Lives in the engine's loop, with a connection to the API server of its own."""

    def __init__(self, cluster: Cluster, workers: Workers, settings: WorkerSettings) -> None:
        self._cluster = cluster
        self._jobs = Jobs(cluster, workers.namespace or own_namespace())
        self._workers = workers
        self._arguments = arguments(settings)

    @classmethod
    async def connect(cls, workers: Workers, settings: WorkerSettings) -> JobCrews:
        return cls(await Cluster.connect(), workers, settings)

    async def close(self) -> None:
        await self._cluster.close()

    def of(self, hub: HubConfig) -> Crew:
        return JobCrew(hub, self._jobs, self._workers, self._arguments)


def arguments(settings: WorkerSettings) -> list[str]:
    """What a worker has to agree on with the operator. Store, key and endpoints are where the
    template puts them."""
    return [
        f"--installation-id={settings.installation}",
        f"--hub-lease={settings.lease.seconds}s",
        *(f"--cluster-range={one}" for one in settings.origins.cluster_ranges),
    ]


class JobCrew:
    """See `cirahub_sync.engine.shared.Crew`."""

    def __init__(
        self,
        hub: HubConfig,
        jobs: Jobs,
        workers: Workers,
        arguments: Sequence[str],
    ) -> None:
        self.shard_size = workers.shard_size
        self._hub = hub
        self._jobs = jobs
        self._workers = workers
        self._arguments = arguments

    async def work(self, call: Call) -> None:
        made = {
            f"cirahub-{call.errand}-{secrets.token_hex(5)}": (connection, parts)
            for connection, parts in call.parts.items()
        }
        try:
            await self._patiently(self._sweep)
            for name, (connection, parts) in made.items():
                body = self._job(name, call, connection, parts)
                await self._patiently(partial(self._jobs.create, body))
            states = await self._finished(made)
            failed = {name: state for name, state in states.items() if state.failure}
            await self._tidy(made.keys() - failed.keys())
        except OperatorError as error:
            await self._tidy(made)
            raise CrewUnavailableError(
                f"no Jobs for workers in namespace {self._jobs.namespace}: {error}"
            ) from error
        except BaseException:
            # Cancelled, because the shards are settled or the pass is over; or nothing began.
            await self._tidy(made)
            raise
        if failed:
            name, state = next(iter(failed.items()))
            raise CrewUnavailableError(
                f"Job {name} in namespace {self._jobs.namespace} failed"
                + (f" at {state.failed_indexes}" if state.failed_indexes else "")
                + f" ({' '.join(state.failure.split())[:100]}); see the logs of its pods: kubectl "
                f"logs -n {self._jobs.namespace} -l job-name={name}"
            )

    async def _patiently(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Again while the API server is away: the store and the services may well be there."""
        until = time.monotonic() + self._workers.start_within
        while True:
            try:
                return await ask()
            except ClusterUnreachableError as error:
                if time.monotonic() > until:
                    raise
                logger.debug("Jobs of hub %s: %s", self._hub.name, error)
            await asyncio.sleep(self._workers.look)

    async def _finished(self, names: Collection[str]) -> Mapping[str, JobState]:
        """Wait until all of them are; those that are gone are. Raises CrewUnavailableError when no
        pod of theirs comes to run."""
        last: dict[str, JobState] = {}
        heard = time.monotonic()
        while True:
            await asyncio.sleep(self._workers.look)
            try:
                states = await self._states()
            except ClusterUnreachableError as error:
                logger.debug("Jobs of hub %s: %s", self._hub.name, error)
                heard = time.monotonic()  # pods go on without it
                continue
            now = {name: states[name] for name in names if name in states}
            if all(state.finished for state in now.values()):
                return now
            if now != last or any(state.ready for state in now.values()):
                heard, last = time.monotonic(), now
            elif time.monotonic() - heard > self._workers.start_within:
                raise CrewUnavailableError(
                    f"no pod of the workers has come to run for {self._workers.start_within:.0f} s;"
                    f" see what they wait for: kubectl describe pods -n {self._jobs.namespace} -l "
                    f"{HUB}={self._hub.uid}"
                )

    async def _states(self) -> dict[str, JobState]:
        return await self._jobs.states({HUB: self._hub.uid})

    async def _sweep(self) -> None:
        """What an operator that died has left of an earlier pass, or this one of an errand."""
        await self._delete(await self._states())

    async def _tidy(self, names: Collection[str]) -> None:
        """What can't be deleted now is before the next errand of the hub; its workers end by
        themselves, for their shards are nobody's any more."""
        try:
            async with asyncio.timeout(TIDY):
                await self._delete(names)
        except (OperatorError, TimeoutError) as error:
            logger.warning(
                "Hub %s: Jobs of its workers in namespace %s could not be deleted yet: %s",
                self._hub.name,
                self._jobs.namespace,
                error or "no answer in time",
            )

    async def _delete(self, names: Collection[str]) -> None:
        await asyncio.gather(*(self._jobs.delete(name) for name in names))

    def _job(self, name: str, call: Call, connection: str, parts: Sequence[int]) -> dict[str, Any]:
        labels = {
            HUB: call.hub,
            PASS: str(call.number),
            ERRAND: call.errand,
            CONNECTION: connection,
        }
        told = [
            f"--hub={call.hub}",
            f"--pass={call.number}",
            f"--errand={call.errand}",
            f"--parts={parts[0]}-{parts[-1]}",
            *self._arguments,
        ]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "labels": labels, "annotations": {HUB: self._hub.name}},
            "spec": {
                "completionMode": "Indexed",
                "completions": len(parts),
                "parallelism": min(len(parts), self._workers.parallelism),
                # As many as the store counts.
                "backoffLimitPerIndex": ATTEMPTS - 1,
                "podFailurePolicy": {
                    "rules": [
                        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                        {
                            "action": "FailIndex",
                            "onExitCodes": {
                                "containerName": CONTAINER,
                                "operator": "In",
                                "values": [WRONG_OPTIONS],
                            },
                        },
                    ]
                },
                "ttlSecondsAfterFinished": KEPT,
                "template": self._workers.template.pod(told, labels),
            },
        }
