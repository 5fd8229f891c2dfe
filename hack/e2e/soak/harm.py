"""Blows, carried out."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
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
SESSIONS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE datname = '{database}' AND pid <> pg_backend_pid()"
)
OFTEN = 0.3
"""Of the requests to Graph."""
NOBODY = "no pod of the kind was there"


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
            Kind.PROCESS_KILLED: self._kill,
            Kind.POD_DELETED: self._delete,
            Kind.POD_EVICTED: self._evict,
            Kind.API_SERVER_AWAY: lambda blow: self._away(blow, api=True),
            Kind.DATABASE_AWAY: lambda blow: self._away(blow, database=True),
            Kind.BOTH_AWAY: lambda blow: self._away(blow, api=True, database=True),
            Kind.SESSIONS_ENDED: lambda _: self._end_sessions(),
            Kind.REFUSED: lambda blow: self._spoil(blow, kind="status", status=503, retry_after=1),
            Kind.UNANSWERED: lambda blow: self._spoil(blow, kind="drop", moment="after"),
        }

    def _kill(self, blow: Blow) -> str:
        for pod in self._aimed_at(blow):
            for container in pod["status"].get("containerStatuses", ()):
                if "running" in container["state"]:
                    return self._kill_container(pod, container["containerID"])
        return NOBODY

    def _kill_container(self, pod: Mapping[str, Any], container: str) -> str:
        try:
            self.node.kill(container)
        except NodeFailedError as error:
            # The kubelet tells of an end a moment after it.
            if "not found" not in str(error) and "already finished" not in str(error):
                raise
            return f"{_name(pod)}, which had just ended by itself"
        return _name(pod)

    def _delete(self, blow: Blow) -> str:
        for pod in self._aimed_at(blow):
            named = (_name(pod), "--namespace", NAMESPACE, "--ignore-not-found")
            at_once = ("--force", "--grace-period=0", "--wait=false")
            self.node.plane.kubectl("delete", "pod", *named, *at_once)
            return _name(pod)
        return NOBODY

    def _evict(self, blow: Blow) -> str:
        """As `kubectl drain` does it; a PodDisruptionBudget may forbid it."""
        for pod in self._aimed_at(blow):
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

    def _aimed_at(self, blow: Blow) -> Iterator[Mapping[str, Any]]:
        """The pod that is meant, and then any other that could be."""
        holder = ((self.node.plane.get(LEASE) or {}).get("spec") or {}).get("holderIdentity") or ""
        pods = [
            pod
            for pod in self.node.plane.get(PODS)["items"]
            if pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ]
        # The holder of a Lease is a pod's name and what tells its processes apart.
        leading = {_name(pod): holder.startswith(f"{_name(pod)}_") for pod in pods}
        yield from sorted(pods, key=lambda pod: leading[_name(pod)] is not blow.at_the_leader)

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
        with self._rule(**rule) as identity:
            time.sleep(blow.lasts)
            fired = {one["rule"]["id"]: one["fired"] for one in self.admin.rules()}[identity]
        return f"for {blow.lasts:.1f} s, {fired} requests"

    @contextmanager
    def _rule(self, **rule: object) -> Iterator[str]:
        kind = str(rule.pop("kind"))
        identity = self.admin.add_rule(kind, service="graph", probability=OFTEN, **rule)
        try:
            yield identity
        finally:
            self.admin.remove_rule(identity)


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])
