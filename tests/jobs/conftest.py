"""An operator that has workers, on a real API server and a real PostgreSQL."""

from __future__ import annotations

import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.jobs.kubelet import Kubelet
from tests.keeps import PostgreSQLKeep
from tests.operator.stage import Stage
from tests.rbac.conftest import Office, definitions, office, signed_in, simulator, stage

from cirahub_operator.permissions import manifests
from cirahub_simulator.process import SimulatorProcess
from cluster import ControlPlane
from demo.service import OperatorService
from postgres import Server

__all__ = ["definitions", "office", "simulator", "stage"]

CIRAHUB = Path(sys.executable).with_name("cirahub")
TEAMS = 3
"""As many as there are tests that need one."""


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


@dataclass(frozen=True)
class Company:
    """An operator with the rights that it needs, and the teams that it serves."""

    office: Office
    service: OperatorService
    unused: list[Stage]


@pytest.fixture(scope="module")
def company(
    own_control_plane: ControlPlane,
    definitions: None,
    simulator: SimulatorProcess,
    postgresql: Server,
) -> Iterator[Company]:
    office = Office(own_control_plane)
    teams = [Stage(own_control_plane, f"team-{secrets.token_hex(4)}") for _ in range(TEAMS)]
    for name in ("operator.yaml", "workers.yaml"):
        office.grant(name)
    for team in teams:
        team.plane.kubectl("create", "namespace", team.namespace)
        for name in ("served-namespace.yaml", "sign-in-service-account.yaml"):
            office.grant(name, to=team.namespace)
    keep = PostgreSQLKeep(postgresql)
    keep.make()
    directory = Path(tempfile.mkdtemp(prefix="cirahub-jobs-"))
    try:
        with _operator(office, teams, simulator, keep.url, directory) as service:
            yield Company(office, service, list(teams))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        keep.lose()
        for team in teams:
            team.end()
        own_control_plane.delete_namespace(office.namespace)


def _operator(
    office: Office,
    teams: list[Stage],
    simulator: SimulatorProcess,
    database: str,
    directory: Path,
) -> OperatorService:
    kubeconfig = office.kubeconfig(directory / "kubeconfig")
    made = directory / "template.yaml"
    worker = (
        str(CIRAHUB),
        "worker",
        f"--kubeconfig={kubeconfig}",
        f"--endpoints={simulator.endpoints_file}",
        f"--key-file={directory / 'key'}",
    )
    made.write_text(yaml.safe_dump(template(*worker, database=database, account=manifests.ACCOUNT)))
    service = OperatorService(
        kubeconfig=kubeconfig, endpoints=simulator.endpoints_file, directory=directory
    )
    service.command += [
        "--log-format=json",
        *(f"--namespace={team.namespace}" for team in teams),
        f"--lease-namespace={office.namespace}",
        f"--database={database}",
        f"--worker-template={made}",
        f"--worker-namespace={office.namespace}",
        "--worker-shard-size=1",
    ]
    return service


@pytest.fixture
def team(company: Company) -> Stage:
    """The namespace of one that the operator serves."""
    return company.unused.pop()


@pytest.fixture
async def kubelet(company: Company) -> AsyncIterator[Kubelet]:
    """Whoever runs the operator's workers. At the end of a test nothing of them may be left."""
    office = company.office
    async with (
        signed_in(office.plane.kubeconfig) as cluster,
        Kubelet.serving(cluster, office.namespace) as made,
    ):
        yield made
        everything = Stage(office.plane, office.namespace)
        await everything.until(
            lambda: not _left(office),
            lambda: f"left: {_left(office)}; the operator says {company.service.tail()}",
        )


def _left(office: Office) -> list[str]:
    roots = ("/apis/batch/v1", "/api/v1")
    found = [
        office.plane.get(f"{root}/namespaces/{office.namespace}/{plural}")["items"]
        for root, plural in zip(roots, ("jobs", "pods"), strict=True)
    ]
    return [one["metadata"]["name"] for several in found for one in several]
