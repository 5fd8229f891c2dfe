"""Helm, a real API server, and an operator that is started as its Deployment says."""

from __future__ import annotations

import base64
import json
import shlex
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.rbac.conftest import signed_in_as, trusting

from cirahub_simulator.process import SimulatorProcess
from cluster import ControlPlane, Helm
from demo.service import OperatorService

from .rendering import CHART, RELEASE, ROOT, Manifest, Values

OFFICE, TEAM = "cirahub-system", "cirahub-demo"
WITHIN = 180.0
HUB = {
    "apiVersion": "cirahub.io/v1alpha1",
    "kind": "Hub",
    "metadata": {"name": "staff", "namespace": TEAM},
    "spec": {"interval": "1h"},
}


class Installation:
    """A release on a control plane of its own: its definitions belong to it."""

    def __init__(self, plane: ControlPlane, helm: Helm) -> None:
        self.plane = plane
        self._helm = replace(helm, kubeconfig=plane.kubeconfig)
        for namespace in (OFFICE, TEAM):
            plane.kubectl("create", "namespace", namespace)
        enforced = "pod-security.kubernetes.io/enforce=restricted"
        plane.kubectl("label", "namespace", OFFICE, enforced)

    def helm(self, *arguments: str | Path, values: Values | None = None) -> str:
        whole = ("--namespace", OFFICE, *arguments)
        if values is None:
            return self._helm.run(*whole)
        return self._helm.run(*whole, "--values", "-", stdin=json.dumps(values))

    def get(self, kind: str, name: str = "", *, namespace: str = OFFICE) -> Any:
        told = self.plane.kubectl("get", kind, *filter(None, [name]), "-n", namespace, "-o", "json")
        return json.loads(told)

    def lasting(self) -> set[str]:
        """UIDs of the claim, the definitions and a Hub, without what is being deleted: a finalizer
        may hold that for as long as nobody takes it off."""
        found = [
            *self.get("pvc")["items"],
            *(one for one in self.get("crd")["items"] if "cirahub" in one["metadata"]["name"]),
            *self.get("hub", namespace=TEAM)["items"],
        ]
        metadata = [one["metadata"] for one in found]
        return {one["uid"] for one in metadata if "deletionTimestamp" not in one}

    def largest_record(self) -> int:
        """Bytes of what Helm keeps of a release, which has to fit into a Secret: a megabyte."""
        kept = self.get("secret")["items"]
        return max(len(one["data"]["release"]) for one in kept if one["type"].startswith("helm.sh"))

    def names(self, kinds: str, *, namespace: str = OFFICE) -> set[str]:
        told = self.plane.kubectl("get", kinds, "-n", namespace, "-o", "name")
        return {one for one in told.split() if "cirahub" in one or "staff" in one}


@pytest.fixture
def installation(helm: Helm) -> Iterator[Installation]:
    """Never on a cluster that we were handed: the definitions there may be somebody's."""
    with ControlPlane.start() as plane:
        yield Installation(plane, helm)


def next_version(tmp_path: Path) -> Path:
    """The chart as a later version has it: Hubs have a field more."""
    chart = Path(shutil.copytree(CHART, tmp_path / "next"))
    about = chart / "Chart.yaml"
    about.write_text(about.read_text().replace("ersion: 0.1.0", "ersion: 0.2.0"))
    file = chart / "generated/crds/cirahub.io_hubs.yaml"
    definition = yaml.safe_load(file.read_text())
    fields(definition)["motto"] = {"type": "string"}
    file.write_text(yaml.safe_dump(definition))
    return chart


def fields(definition: Manifest) -> dict[str, Any]:
    (version,) = definition["spec"]["versions"]
    spec: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return spec


def test_definitions_upgrade_and_what_was_declared_survives_uninstalling(
    installation: Installation, tmp_path: Path
) -> None:
    told = installation.helm("install", RELEASE, CHART, values={"namespaces": [TEAM]})
    assert "create secret generic" in told, "the key is not there yet"
    before = installation.get("deployment", RELEASE)["spec"]["selector"]
    installation.plane.kubectl(
        "wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"
    )
    installation.plane.kubectl("apply", "-f", "-", input=json.dumps(HUB))
    assert "motto" not in fields(installation.get("crd", "hubs.cirahub.io"))

    changed = {"namespaces": [TEAM], "concurrentPasses": 3}
    installation.helm("upgrade", RELEASE, next_version(tmp_path), values=changed)

    deployment = installation.get("deployment", RELEASE)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert "--concurrent-passes=3" in container["args"]
    assert deployment["spec"]["selector"] == before
    assert "motto" in fields(installation.get("crd", "hubs.cirahub.io"))
    kept = installation.lasting()
    assert len(kept) == 1 + 1 + len(list((ROOT / "crds").iterdir()))
    assert installation.largest_record() < 1024 * 1024 / 4

    installation.helm("uninstall", RELEASE)

    gone = "deployment,serviceaccount,role,rolebinding,service"
    assert installation.names(gone) == set()
    assert installation.names(gone, namespace=TEAM) == set()
    roles = installation.names("clusterrole,clusterrolebinding")
    assert roles == set()
    assert installation.lasting() == kept

    installation.helm("install", RELEASE, CHART, values={"namespaces": [TEAM]})

    assert installation.names("deployment") == {f"deployment.apps/{RELEASE}"}
    assert installation.lasting() == kept


class Container:
    """The operator's container of a Deployment, on this machine: its volumes in a folder."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        folder.mkdir()
        self._installation = installation
        self._folder = folder
        pod = installation.get("deployment", RELEASE)["spec"]["template"]["spec"]
        (self.container,) = pod["containers"]
        self._volumes = {one["name"]: one for one in pod["volumes"]}
        self._mounts = {one["mountPath"]: one["name"] for one in self.container["volumeMounts"]}
        for name in self._volumes:
            (folder / name).mkdir()
            for file, content in self._content(name).items():
                (folder / name / file).write_bytes(content)

    @property
    def arguments(self) -> list[str]:
        return [*self.container["command"][1:], *map(self._mapped, self.container["args"])]

    def _content(self, volume: str) -> Mapping[str, bytes]:
        source = self._volumes[volume]
        if "secret" in source:
            data = self._installation.get("secret", source["secret"]["secretName"])["data"]
            return {
                one["path"]: base64.b64decode(data[one["key"]]) for one in source["secret"]["items"]
            }
        if "configMap" in source:
            data = self._installation.get("configmap", source["configMap"]["name"])["data"]
            return {name: self._mapped(text).encode() for name, text in data.items()}
        return {}

    def _mapped(self, text: str) -> str:
        for path, name in self._mounts.items():
            # What begins with `/tmp` here is no mount.
            if path != "/tmp":
                text = text.replace(path, str(self._folder / name))
        return text


def documented(section: str) -> Iterator[list[str]]:
    """The first commands of a section of docs/install.md, word by word."""
    page = (ROOT / "docs/install.md").read_text()
    _, _, rest = page.partition(f"\n## {section}\n")
    for line in rest.partition("```sh\n")[2].partition("```")[0].splitlines():
        yield shlex.split(line, comments=True)


def test_an_operator_that_is_started_as_the_chart_says_brings_an_example_to_ready(
    installation: Installation,
) -> None:
    """And takes its copies out of the mailboxes again, as the page on uninstalling has it."""
    plane = installation.plane
    key = base64.b64encode(bytes(range(32))).decode()
    secret = ("create", "secret", "generic", f"{RELEASE}-key", f"--from-literal=key={key}")
    plane.kubectl(*secret, "-n", OFFICE)
    folder = Path(tempfile.mkdtemp(prefix="cirahub-chart-"))
    with trusting(plane) as simulator:
        endpoints = {
            "origins": simulator.endpoints.origins,
            "ca": Path(simulator.endpoints.ca_file).read_text(),
        }
        account = {"namespace": TEAM, "serviceAccounts": ["cirahub-sync"]}
        values = {"namespaces": [TEAM], "endpoints": endpoints, "rbac": {"signIn": [account]}}
        told = installation.helm("install", RELEASE, CHART, values=values)
        assert "create secret generic" not in told
        container = Container(installation, folder / "volumes")
        service = OperatorService(
            kubeconfig=signed_in_as(plane, OFFICE, RELEASE, folder / "kubeconfig"),
            endpoints=simulator.endpoints_file,
            directory=folder,
        )
        # A machine is no pod: another address, and ports that are free.
        own = ("--kubeconfig=", "--listen=", "--health-port=", "--metrics-port=")
        here = [one for one in service.command if one.startswith(own)]
        service.command = [service.command[0], *container.arguments, *here]
        with service:
            _until(service.ready, service)
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert _answers(service.url + container.container[name]["httpGet"]["path"])
            plane.kubectl("apply", "--kustomize", ROOT / "examples/quickstart")
            plane.kubectl(
                *("wait", "cirahub", "--all", "-n", TEAM),
                *("--for=condition=Ready", f"--timeout={WITHIN:.0f}s"),
            )
            granted = [
                one
                for one in service.metrics().splitlines()
                if one.startswith("cirahub_permission_missing{")
            ]
            assert granted
            assert [one for one in granted if not one.endswith(" 0.0")] == []
            assert (folder / "volumes/store/store.sqlite3").exists()
            assert _copies(simulator) > 10
            for program, *arguments in documented("Uninstall"):
                assert program == "kubectl"
                plane.kubectl(*arguments)
            assert _copies(simulator) == 0
            assert plane.kubectl("get", "cirahub", "-n", TEAM, "-o", "name") == ""
        assert service.exit_code == 0, "it did not end when it was told to"


def _copies(simulator: SimulatorProcess) -> int:
    """In a folder that the example's hub makes and fills."""
    held = simulator.admin.contacts("gloria.fernandez@contoso.example")
    return [one["folder"] for one in held].count(["Staff"])


def _until(holds: Callable[[], bool], service: OperatorService) -> None:
    end = time.monotonic() + WITHIN
    while not holds():
        service.check_running()
        assert time.monotonic() < end, service.tail()
        time.sleep(0.2)


def _answers(url: str) -> bool:
    with urllib.request.urlopen(url, timeout=10) as response:
        return bool(response.status == 200)
