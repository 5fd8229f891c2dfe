"""A Lease of coordination.k8s.io/v1, as the API server keeps it: the record by which operators
agree who of them serves. What the record means is `leadership`'s.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from cirahub_operator.cluster import Cluster, Json
from cirahub_operator.errors import ClusterUnreachableError

SERVES = "operator.cirahub.io/serves"
"""Annotation: the namespaces that the holder serves, for whoever waits for a Lease that was meant
for another operator."""

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/"""


def own_namespace() -> str:
    """That of the pod we run in; elsewhere `default`."""
    try:
        return NAMESPACE_FILE.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"


@dataclass(frozen=True, kw_only=True)
class LeaseRecord:
    holder: str
    """Blank: nobody holds it."""
    duration: int
    """Seconds after its last renewal for which the holder may count on it."""
    transitions: int
    """How often it went from one holder to another."""
    acquired: datetime
    renewed: datetime
    """By the holder's clock. For people: nothing is decided by it."""
    serves: str = ""
    version: str = ""
    """The object's resourceVersion; blank if it was not read."""


class LeaseObject:
    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self.namespace = namespace
        self.name = name
        self._cluster = cluster
        self._all = f"/apis/coordination.k8s.io/v1/namespaces/{quote(namespace, safe='')}/leases"
        self._path = f"{self._all}/{quote(name, safe='')}"

    def __str__(self) -> str:
        return f"Lease {self.namespace}/{self.name}"

    async def read(self) -> LeaseRecord | None:
        """None if there is no such Lease."""
        answer = await self._cluster.request("GET", self._path, missing_ok=True)
        return None if answer is None else self._parsed(answer)

    async def write(self, record: LeaseRecord) -> LeaseRecord:
        """Make the Lease, or change it. Raises ClusterConflictError if it is not at
        `record.version` any more; if that is blank, when there is one by now."""
        method, path = ("PUT", self._path) if record.version else ("POST", self._all)
        answer = await self._cluster.request(method, path, body=self._body(record))
        return self._parsed(answer or {})

    def _body(self, record: LeaseRecord) -> Json:
        metadata = {"name": self.name, "namespace": self.namespace}
        if record.version:
            metadata["resourceVersion"] = record.version
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {**metadata, "annotations": {SERVES: record.serves}},
            "spec": {
                "holderIdentity": record.holder,
                "leaseDurationSeconds": record.duration,
                "leaseTransitions": record.transitions,
                "acquireTime": _micro_time(record.acquired),
                "renewTime": _micro_time(record.renewed),
            },
        }

    def _parsed(self, raw: Json) -> LeaseRecord:
        """Whatever made it, `kubectl create` included: all fields of the spec are optional."""
        try:
            metadata, spec = raw["metadata"], raw.get("spec") or {}
            return LeaseRecord(
                holder=str(spec.get("holderIdentity") or ""),
                duration=int(spec.get("leaseDurationSeconds") or 0),
                transitions=int(spec.get("leaseTransitions") or 0),
                acquired=_time(spec.get("acquireTime")),
                renewed=_time(spec.get("renewTime")),
                serves=str((metadata.get("annotations") or {}).get(SERVES, "")),
                version=str(metadata["resourceVersion"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ClusterUnreachableError(
                f"{self}: what the API server answered is no Lease; trying again"
            ) from error


def _micro_time(moment: datetime) -> str:
    """MicroTime of the API: UTC with microseconds and Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _time(text: object) -> datetime:
    return datetime.fromisoformat(str(text)) if text else datetime.fromtimestamp(0, UTC)
