"""Blows, carried out."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from cirahub_simulator.client import AdminClient
from cluster.errors import KubectlFailedError, NodeFailedError
from cluster.node import Node
from e2e.release import NAME, NAMESPACE
from e2e.soak.blows import Blow, Kind
from postgres import Server

LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{NAME}"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
OPERATORS = f"{PODS}?labelSelector=app.kubernetes.io/name={NAME}"
WORKERS = f"{PODS}?labelSelector=app.kubernetes.io/name={NAME}-worker"
COME_WITHIN = 15.0
"""Seconds in which somebody works, as a rule: passes follow each other after five."""
POLL = 0.1
SESSIONS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = '{database}' AND pid <> pg_backend_pid()"
)
OFTEN = 0.3
"""Of the requests to Graph."""
NOBODY = "no pod of the kind was there"

Pod = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Harm:
    node: Node
    server: Server
    database: str
    admin: AdminClient

    def strike(self, blow: Blow) -> str:
        """Returns when it is over. Who or what was hit, for people. Raises ClusterError and
        PostgresError where something can't be had back."""
        return self._ways[blow.kind](blow)

    @property
    def _ways(self) -> Mapping[Kind, Callable[[Blow], str]]:
        return {
            Kind.PROCESS_KILLED: lambda blow: self._kill(self._operators(blow)),
            Kind.POD_DELETED: lambda blow: self._delete(self._operators(blow)),
            Kind.POD_EVICTED: lambda blow: self._evict(self._operators(blow)),
            Kind.WORKER_KILLED: lambda _: self._kill(self._workers()),
            Kind.WORKER_DELETED: lambda _: self._delete(self._workers()),
            Kind.API_SERVER_AWAY: lambda blow: self._away(blow, api=True),
            Kind.DATABASE_AWAY: lambda blow: self._away(blow, database=True),
            Kind.BOTH_AWAY: lambda blow: self._away(blow, api=True, database=True),
            Kind.SESSIONS_ENDED: lambda _: self._end_sessions(),
            Kind.REFUSED: lambda blow: self._spoil(blow, kind="status", status=503, retry_after=1),
            Kind.UNANSWERED: lambda blow: self._spoil(blow, kind="drop", moment="after"),
        }

    def hold_a_batch(self, seconds: float) -> Callable[[], bool | None]:
        """The next one that is sent to Graph, which takes effect before. Returns what tells whether
        it came."""
        rule = self.admin.add_rule(
            "delay", service="graph", path=r"/\$batch", count=1, delay=seconds, moment="after"
        )
        return lambda: self._fired(rule) > 0 or None

    def kill_workers(self) -> int:
        """All there are, at once."""
        return sum(self._kill([pod]) != NOBODY for pod in self._running(WORKERS))

    def until_somebody_works(self) -> int:
        """How many pods there are of workers then; none if nobody comes."""
        return len(self._workers())

    def _kill(self, pods: Iterable[Pod]) -> str:
        for pod in pods:
            for container in pod["status"].get("containerStatuses", ()):
                if "running" in container["state"]:
                    return self._kill_container(pod, container["containerID"])
        return NOBODY

    def _kill_container(self, pod: Pod, container: str) -> str:
        try:
            self.node.kill(container)
        except NodeFailedError as error:
            # The kubelet tells of an end a moment after it.
            if "not found" not in str(error) and "already finished" not in str(error):
                raise
            return f"{_name(pod)}, which had just ended by itself"
        return _name(pod)

    def _delete(self, pods: Iterable[Pod]) -> str:
        for pod in pods:
            named = (_name(pod), "--namespace", NAMESPACE, "--ignore-not-found")
            at_once = ("--force", "--grace-period=0", "--wait=false")
            self.node.plane.kubectl("delete", "pod", *named, *at_once)
            return _name(pod)
        return NOBODY

    def _evict(self, pods: Iterable[Pod]) -> str:
        """As `kubectl drain` does it; a PodDisruptionBudget may forbid it."""
        for pod in pods:
            eviction = {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": _name(pod), "namespace": NAMESPACE},
            }
            path = f"{PODS}/{_name(pod)}/eviction"
            try:
                self.node.plane.kubectl(
                    *("create", "--raw", path, "--filename", "-"), input=json.dumps(eviction)
                )
            except KubectlFailedError as error:
                if "disruption budget" not in error.stderr:
                    raise
                return f"{_name(pod)}, which the budget forbids"
            return _name(pod)
        return NOBODY

    def _operators(self, blow: Blow) -> Sequence[Pod]:
        """The pod that is meant, and then any other that could be."""
        holder = ((self.node.plane.get(LEASE) or {}).get("spec") or {}).get("holderIdentity") or ""
        # The holder of a Lease is a pod's name and what tells its processes apart.
        return sorted(
            self._running(OPERATORS),
            key=lambda pod: holder.startswith(f"{_name(pod)}_") is not blow.at_the_leader,
        )

    def _workers(self) -> Sequence[Pod]:
        """As soon as there are any."""
        until = time.monotonic() + COME_WITHIN
        while not (found := self._running(WORKERS)) and time.monotonic() < until:
            time.sleep(POLL)
        return found

    def _running(self, pods: str) -> Sequence[Pod]:
        return [
            pod
            for pod in self.node.plane.get(pods)["items"]
            if pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]

    def _away(self, blow: Blow, *, api: bool = False, database: bool = False) -> str:
        with ExitStack() as stack:
            if api:
                self.node.plane.stop_apiserver()
                stack.callback(self.node.plane.start_apiserver)
            if database:
                # As by a crash: clients are cut off, and the log has to be gone through.
                self.server.stop(signal.SIGQUIT)
                stack.callback(self.server.start)
            time.sleep(blow.lasts)
        return f"for {blow.lasts:.1f} s"

    def _end_sessions(self) -> str:
        ((ended,),) = self.server.run(SESSIONS.format(database=self.database))
        return f"{ended} of them"

    def _spoil(self, blow: Blow, **rule: object) -> str:
        """Goes on until somebody has met it, as a rule."""
        began = time.monotonic()
        with self._rule(**rule) as identity:
            time.sleep(blow.lasts)
            while not (fired := self._fired(identity)) and time.monotonic() < began + COME_WITHIN:
                time.sleep(POLL)
        return f"for {time.monotonic() - began:.1f} s, {fired} requests"

    def _fired(self, rule: str) -> int:
        return {one["rule"]["id"]: int(one["fired"]) for one in self.admin.rules()}[rule]

    @contextmanager
    def _rule(self, **rule: object) -> Iterator[str]:
        kind = str(rule.pop("kind"))
        identity = self.admin.add_rule(kind, service="graph", probability=OFTEN, **rule)
        try:
            yield identity
        finally:
            self.admin.remove_rule(identity)


def _name(pod: Pod) -> str:
    return str(pod["metadata"]["name"])
