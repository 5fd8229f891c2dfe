"""What makes pods of Jobs run where there is no node: each one's command as a process here.

The API server, the Job controller and what they make of it are real; this says of pods what a
kubelet would.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cirahub_operator.cluster import MERGE, Cluster

ROOT = Path(__file__).parents[2]
LOOK = 0.1
FIELD = re.compile(r"metadata\.(annotations|labels)\['(.+)'\]")


@dataclass
class Ran:
    """A pod, and the process that stands for its container."""

    name: str
    labels: dict[str, str]
    account: str
    arguments: list[str]
    process: asyncio.subprocess.Process
    conditions: list[dict[str, str]] = field(default_factory=list)
    """That the pod ends with."""
    said: str = ""
    code: int | None = None
    """None while it runs."""

    @property
    def errand(self) -> str:
        return self.labels["worker.cirahub.io/errand"]


class Kubelet:
    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.ran: dict[str, Ran] = {}
        """By the pods' names, in the order in which they came."""
        self.idle = False
        """Whether no pod is begun any more, as where there is no room."""

    @classmethod
    @asynccontextmanager
    async def serving(cls, cluster: Cluster, namespace: str) -> AsyncIterator[Kubelet]:
        made = cls(cluster, namespace)
        working = asyncio.create_task(made._work())
        try:
            yield made
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            for one in made.ran.values():
                if one.code is None:
                    one.process.kill()
            await asyncio.gather(*made._tasks.values())

    def evict(self, ran: Ran) -> None:
        """As the eviction API has it: the pod is told to end, and it says why."""
        ran.conditions = [
            {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI"}
        ]
        ran.process.terminate()

    async def _work(self) -> None:
        while True:
            answer = await self._cluster.request("GET", self._pods) or {}
            there = {one["metadata"]["name"]: one for one in answer["items"]}
            for name, pod in there.items():
                fresh = name not in self.ran and not self.idle
                if fresh and "deletionTimestamp" not in pod["metadata"]:
                    self.ran[name] = await _begun(pod)
                    self._tasks[name] = asyncio.create_task(self._follow(self.ran[name]))
            for name, ran in self.ran.items():
                pod = there.get(name)
                gone = pod is None or "deletionTimestamp" in pod["metadata"]
                if gone and ran.process.returncode is None:
                    ran.process.terminate()
            await asyncio.sleep(LOOK)

    async def _follow(self, ran: Ran) -> None:
        await self._tell(ran, "Running", {"running": {"startedAt": _now()}}, ready=True)
        out, _ = await ran.process.communicate()
        ran.said = out.decode(errors="replace")
        code = ran.process.returncode or 0
        ran.code = code if code >= 0 else 128 - code
        ended = {"terminated": {"exitCode": ran.code, "startedAt": _now(), "finishedAt": _now()}}
        await self._tell(ran, "Failed" if ran.code else "Succeeded", ended, ready=False)

    async def _tell(self, ran: Ran, phase: str, state: Any, *, ready: bool) -> None:
        conditions = [{"type": "Ready", "status": str(ready)}, *ran.conditions]
        container = {
            "name": "worker",
            "image": "none",
            "imageID": "",
            "restartCount": 0,
            "ready": ready,
            "state": state,
        }
        await self._cluster.request(
            "PATCH",
            f"{self._pods}/{ran.name}/status",
            body={
                "status": {
                    "phase": phase,
                    "conditions": conditions,
                    "containerStatuses": [container],
                }
            },
            content_type=MERGE,
            missing_ok=True,
        )


async def _begun(pod: Any) -> Ran:
    spec, metadata = pod["spec"], pod["metadata"]
    (container,) = spec["containers"]
    given = {name: value for name, value in os.environ.items() if not name.startswith("CIRAHUB_")}
    for one in container.get("env", ()):
        given[one["name"]] = one["value"] if "value" in one else _field(one, metadata)
    process = await asyncio.create_subprocess_exec(
        *container["command"],
        *container["args"],
        cwd=ROOT,
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    return Ran(
        metadata["name"],
        metadata["labels"],
        spec["serviceAccountName"],
        container["args"],
        process,
    )


def _field(variable: Any, metadata: Any) -> str:
    found = FIELD.fullmatch(variable["valueFrom"]["fieldRef"]["fieldPath"])
    assert found, variable
    return str(metadata[found[1]][found[2]])


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
