"""An operator that has workers, on a real API server and a real PostgreSQL."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.jobs.kubelet import Kubelet
from tests.keeps import Keep
from tests.operator.stage import Stage
from tests.rbac.conftest import (
    Office,
    Operator,
    definitions,
    office,
    signed_in,
    simulator,
    stage,
)

from cirahub_operator.permissions import manifests
from cirahub_simulator.process import SimulatorProcess
from demo.service import OperatorService

__all__ = ["definitions", "office", "simulator", "stage"]

CIRAHUB = Path(sys.executable).with_name("cirahub")

Hire = Callable[..., AbstractAsyncContextManager[tuple[Operator, Kubelet]]]


def template(*command: str, database: str = "", account: str = "default") -> dict[str, Any]:
    """A pod of which nothing is asked but its command."""
    container: dict[str, Any] = {
        "name": "worker",
        "image": "none",
        "command": list(command[:1]),
        "args": list(command[1:]),
    }
    if database:
        container["env"] = [{"name": "CIRAHUB_DATABASE", "value": database}]
    return {"spec": {"serviceAccountName": account, "containers": [container]}}


@pytest.fixture
def hire(stage: Stage, office: Office, simulator: SimulatorProcess, keep: Keep) -> Hire:
    """`async with hire() as (operator, kubelet)`: an operator of the office with the rights that it
    needs, for the stage's namespace, and whoever runs its workers."""

    @asynccontextmanager
    async def hired(*arguments: str) -> AsyncIterator[tuple[Operator, Kubelet]]:
        office.grant_all(stage.namespace)
        directory = Path(tempfile.mkdtemp(prefix="cirahub-jobs-"))
        kubeconfig = office.kubeconfig(directory / "kubeconfig")
        made = directory / "template.yaml"
        worker = (
            str(CIRAHUB),
            "worker",
            f"--kubeconfig={kubeconfig}",
            f"--endpoints={simulator.endpoints_file}",
            f"--key-file={directory / 'key'}",
        )
        made.write_text(
            yaml.safe_dump(template(*worker, database=keep.url, account=manifests.ACCOUNT))
        )
        service = OperatorService(
            kubeconfig=kubeconfig, endpoints=simulator.endpoints_file, directory=directory
        )
        service.command += [
            "--log-format=json",
            f"--namespace={stage.namespace}",
            f"--lease-namespace={office.namespace}",
            f"--database={keep.url}",
            f"--worker-template={made}",
            f"--worker-namespace={office.namespace}",
            "--worker-shard-size=1",
            *arguments,
        ]
        try:
            async with (
                signed_in(stage.plane.kubeconfig) as cluster,
                Kubelet.serving(cluster, office.namespace) as kubelet,
            ):
                with service:
                    yield Operator(service, stage), kubelet
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    return hired
