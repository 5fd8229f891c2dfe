"""An operator that signs in with a ServiceAccount of its own and may do what its roles say."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.rendering import Values, dump, render
from tests.operator.conftest import ROOT, connections_closed
from tests.operator.stage import Manifest, Stage

from cirahub_operator.cluster import Cluster as OurCluster
from cirahub_operator.permissions import RULES, Rule, manifests
from cirahub_simulator.process import SimulatorProcess
from cirahub_simulator.seed.generate import CIRAHUB
from cluster import Cluster, ControlPlane, Helm
from demo.service import OperatorService

TENANT = "c0117050-0000-4000-8000-000000000001"
"""Contoso's, of the simulator's shipped organisation."""
CHART_GRANTS = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
"""Kinds."""


class Office:
    """A namespace that stands for `cirahub-system`, with the operator's account in it."""

    def __init__(self, plane: Cluster) -> None:
        self.plane = plane
        self.namespace = f"office-{secrets.token_hex(4)}"
        self.user = f"system:serviceaccount:{self.namespace}:{manifests.ACCOUNT}"
        plane.kubectl("create", "namespace", self.namespace)

    def grant(self, name: str, *, to: str = "", rules: Sequence[Rule] = RULES) -> None:
        """Apply one of the generated files; `to`: in that namespace."""
        documents = list(yaml.safe_load_all(manifests.files(rules)[name]))
        for document in documents:
            self._move(document)
        options = ("-n", to) if to else ()
        self.plane.kubectl(*options, "apply", "-f", "-", input=yaml.safe_dump_all(documents))

    def grant_all(self, team: str, *, rules: Sequence[Rule] = RULES) -> None:
        """As an operator that serves one namespace needs it, with all there is to opt in to."""
        self.grant("operator.yaml", rules=rules)
        self.grant("workers.yaml", rules=rules)
        for name in (
            "served-namespace.yaml",
            "sign-in-service-account.yaml",
            "sign-in-secret.yaml",
        ):
            self.grant(name, to=team, rules=rules)

    def install(self, helm: Helm, values: Values) -> None:
        """Grant what the chart does with these values, all of it and under its own names."""
        found = render(helm, values, namespace=self.namespace)
        wanted = [one for kind in CHART_GRANTS for one in found.of(kind)]
        self.plane.kubectl("apply", "-f", "-", input=dump(wanted))

    def kubeconfig(self, path: Path) -> Path:
        return signed_in_as(self.plane, self.namespace, manifests.ACCOUNT, path)

    def _move(self, document: Manifest) -> None:
        """From `cirahub-system` to here. Names in other namespaces become this office's own."""
        for where in (document["metadata"], *document.get("subjects", ())):
            if where.get("namespace") == manifests.NAMESPACE:
                where["namespace"] = self.namespace
        if document["kind"] == "ServiceAccount":
            return
        document["metadata"]["name"] += f"-{self.namespace}"
        if "roleRef" in document:
            document["roleRef"]["name"] += f"-{self.namespace}"


def signed_in_as(plane: Cluster, namespace: str, account: str, path: Path) -> Path:
    """The administrator's kubeconfig, but signed in as a ServiceAccount."""
    token = plane.kubectl("create", "token", account, "-n", namespace, "--duration=1h").strip()
    config = yaml.safe_load(plane.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path.write_text(json.dumps(config))
    return path


class Operator:
    """The process, and what it shows of itself."""

    def __init__(self, service: OperatorService, stage: Stage) -> None:
        self.service = service
        self._stage = stage

    @property
    def log(self) -> list[dict[str, Any]]:
        lines = self.service.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @property
    def text(self) -> str:
        return self.service.log.read_text()

    async def ready(self) -> bool:
        return await asyncio.to_thread(self.service.ready)

    async def metrics(self) -> str:
        return await asyncio.to_thread(self.service.metrics)

    async def becomes_ready(self) -> None:
        await self._stage.until(self.ready, lambda: f"not ready: {self.service.tail()}")

    async def logs(self, words: str, *levels: str) -> None:
        """Wait for a line of one of these levels."""

        def there() -> bool:
            return any(words in json.dumps(one) and one["level"] in levels for one in self.log)

        await self._stage.until(there, lambda: f"no {words!r} in {self.service.tail()}")

    async def counts(self, start: str, *, least: float = 1.0) -> None:
        """Wait for a series of that name and these labels."""

        async def there() -> bool:
            try:
                lines = (await self.metrics()).splitlines()
            except Exception as error:
                if type(error).__name__ != "DemoError":
                    raise
                return False  # not listening yet
            return any(
                one.startswith(start) and float(one.rpartition(" ")[2]) >= least for one in lines
            )

        await self._stage.until(there, lambda: f"no {start} >= {least}")


@asynccontextmanager
async def launched(
    stage: Stage, office: Office, simulator: SimulatorProcess, *arguments: str
) -> AsyncIterator[Operator]:
    """A process with the office's rights."""
    directory = Path(tempfile.mkdtemp(prefix="cirahub-rbac-"))
    try:
        service = OperatorService(
            kubeconfig=office.kubeconfig(directory / "kubeconfig"),
            endpoints=simulator.endpoints_file,
            directory=directory,
        )
        lease = f"--lease-namespace={office.namespace}"
        service.command += ["--log-format=json", lease, *arguments]
        with service:
            yield Operator(service, stage)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@asynccontextmanager
async def signed_in(kubeconfig: Path) -> AsyncIterator[OurCluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(kubeconfig))
        cluster = await OurCluster.connect()
    try:
        yield cluster
    finally:
        await cluster.close()
        await connections_closed()


def trusting(plane: Cluster) -> SimulatorProcess:
    """A simulator that trusts the cluster's tokens."""
    return SimulatorProcess(f"--cluster-issuer={plane.issuer}", f"--cluster-ca={plane.ca_file}")


@pytest.fixture(scope="session")
def simulator(control_plane: Cluster) -> Iterator[SimulatorProcess]:
    with trusting(control_plane) as process:
        yield process


@pytest.fixture
def stage(own_control_plane: ControlPlane, definitions: None, namespace: str) -> Iterator[Stage]:
    stage = Stage(own_control_plane, namespace)
    yield stage
    stage.leave()


@pytest.fixture
def office(own_control_plane: ControlPlane) -> Iterator[Office]:
    made = Office(own_control_plane)
    yield made
    own_control_plane.delete_namespace(made.namespace)


Launch = Callable[..., AbstractAsyncContextManager[Operator]]


@pytest.fixture
def launch(stage: Stage, office: Office, simulator: SimulatorProcess) -> Launch:
    """`async with launch("--namespace=…") as operator`"""
    return partial(launched, stage, office, simulator)


@pytest.fixture(scope="session")
def definitions(control_plane: Cluster) -> None:
    """Our custom resource definitions, applied and served."""
    apply_definitions(control_plane)


def apply_definitions(plane: Cluster) -> None:
    plane.kubectl("apply", "--server-side", "-f", ROOT / "crds")
    plane.kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=120s")


def by_account(name: str = "by-account") -> Manifest:
    """A Connection that signs in as the team's ServiceAccount."""
    auth = {"workloadIdentity": {"clientID": CIRAHUB, "serviceAccountName": "cirahub-sync"}}
    return _connection(name, auth)


def by_secret(name: str = "by-secret") -> Manifest:
    """A Connection that signs in with the team's Secret."""
    reference = {"name": "graph-client-secret", "key": "value"}
    return _connection(name, {"clientSecret": {"clientID": CIRAHUB, "secretRef": reference}})


def _connection(name: str, auth: object) -> Manifest:
    return {
        "apiVersion": "cirahub.io/v1alpha1",
        "kind": "Connection",
        "metadata": {"name": name},
        "spec": {"microsoft365": {"tenantID": TENANT}, "auth": auth},
    }


def credentials() -> tuple[Manifest, Manifest]:
    """What these Connections sign in with."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": "cirahub-sync",
            "annotations": {"cirahub.io/allow-token-requests": "true"},
        },
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "graph-client-secret"},
        "stringData": {"value": "simulated-contoso-secret"},
    }
    return account, secret
