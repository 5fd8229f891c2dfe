"""Jobs of batch/v1 in a namespace, as the API server keeps them. What they are for is `runners`'s.

https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from cirahub_operator.cluster import Cluster, Json
from cirahub_operator.errors import ClusterConflictError

FINISHED = ("Complete", "Failed")
"""Types of the condition that a Job ends with, one or the other."""


@dataclass(frozen=True, kw_only=True)
class JobState:
    ready: int
    """Pods that run."""
    ended: int
    """Pods that have ended, well or not."""
    finished: bool
    """No pod of it will run any more."""
    failure: str
    """Why it failed, in the words of the Job controller. Blank if it did not."""
    failed_indexes: str
    """Like `1,3-5`."""


class Jobs:
    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.namespace = namespace
        self._cluster = cluster
        self._all = f"/apis/batch/v1/namespaces/{quote(namespace, safe='')}/jobs"

    async def states(self, labels: Mapping[str, str]) -> dict[str, JobState]:
        """Of those with these labels, by name. One that is being deleted is none any more."""
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        answer = await self._cluster.request("GET", self._all, query={"labelSelector": selector})
        return {
            str(one["metadata"]["name"]): _state(one)
            for one in (answer or {}).get("items", ())
            if "deletionTimestamp" not in one["metadata"]
        }

    async def create(self, body: Json) -> None:
        """One of that name that is there already is taken for what an earlier try has made: names
        have to be used once."""
        try:
            await self._cluster.request("POST", self._all, body=body)
        except ClusterConflictError:
            return

    async def delete(self, name: str) -> None:
        """With its pods, which are told to end. Does not wait for them."""
        await self._cluster.request(
            "DELETE",
            f"{self._all}/{quote(name, safe='')}",
            query={"propagationPolicy": "Background"},
            missing_ok=True,
        )


def _state(raw: Json) -> JobState:
    status = raw.get("status") or {}
    ended = {
        str(one["type"]): str(one.get("message") or one.get("reason") or "")
        for one in status.get("conditions") or ()
        if one["status"] == "True" and one["type"] in FINISHED
    }
    return JobState(
        ready=int(status.get("ready") or 0),
        ended=int(status.get("succeeded") or 0) + int(status.get("failed") or 0),
        finished=bool(ended),
        failure=ended.get("Failed", ""),
        failed_indexes=str(status.get("failedIndexes") or ""),
    )
