"""A node of our own runs pods as any other does, and the machine is as it was afterwards."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import cluster
from cluster.node import Node, obstacle
from cluster.node.init import SETTINGS

PODS = Path(__file__).with_name("pods.yaml")
ROOM = Path(cluster.__file__).parent.parent
WITHIN = 60.0
STARTER = """
import json, time
from cluster.node import Node
with Node.start() as node:
    print(json.dumps([str(node.home), node.device, *node.pids.values()]), flush=True)
    while True:
        time.sleep(0.1)
"""


def settings() -> Mapping[str, str]:
    return {name: Path("/proc/sys", name).read_text() for name in SETTINGS}


def cgroups(name: str) -> Iterator[str]:
    """Those that go while they are looked for are gone."""
    for folder, inside, _ in os.walk("/sys/fs/cgroup"):
        if name in inside:
            yield f"{folder}/{name}"


def left_behind(home: Path, device: str) -> list[str]:
    """Whatever of a node can still be found on the machine."""
    return [
        *(f"folder {home}" for _ in [0] if home.exists()),
        *(f"cgroup {found}" for found in cgroups(home.name)),
        *(f"device {device}" for _ in [0] if Path("/sys/class/net", device).exists()),
        *(
            f"mount {line}"
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if home.name in line
        ),
        *(
            f"process {process.name}"
            for process in Path("/proc").glob("[0-9]*")
            if home.name in _command(process)
        ),
    ]


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(errors="replace")
    except OSError:
        # It has ended since it was listed.
        return ""


def nothing_is_left(home: Path, device: str) -> None:
    """The kernel takes namespaces down when it comes to it."""
    deadline = time.monotonic() + WITHIN
    while left := left_behind(home, device):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


@pytest.fixture(scope="module")
def node(before: Mapping[str, str]) -> Iterator[Node]:
    why = obstacle()
    if why is not None:
        pytest.skip(f"a node {why}")
    with Node.start() as started:
        yield started
    nothing_is_left(started.home, started.device)
    assert settings() == before


@pytest.fixture(scope="module")
def before() -> Mapping[str, str]:
    return settings()


@pytest.fixture(scope="module")
def namespace(node: Node) -> str:
    """With the pods of `pods.yaml`."""
    name = "visited"
    node.plane.kubectl("create", "namespace", name)
    node.plane.kubectl("apply", "-n", name, "-f", PODS)
    return name


def come(node: Node, namespace: str, condition: str, of: str) -> None:
    timeout = f"--timeout={WITHIN:.0f}s"
    node.plane.kubectl("wait", "-n", namespace, f"--for=condition={condition}", of, timeout)


def test_a_pod_reaches_a_service_by_its_name_and_a_job_completes(
    node: Node, namespace: str
) -> None:
    ask = node.plane.kubectl
    come(node, namespace, "Complete", "job/ask")
    listed = json.loads(ask("get", "pods", "-n", namespace, "-l", "app=web", "-o", "json"))
    serving = {pod["metadata"]["name"] for pod in listed["items"]}
    job = json.loads(ask("get", "job", "ask", "-n", namespace, "-o", "json"))

    answers = ask("logs", "-n", namespace, "-l", "job-name=ask").split()

    assert len(serving) == 2
    assert len(answers) == 3
    assert set(answers) <= serving
    assert job["status"]["completedIndexes"] == "0-2"


def test_the_machine_reaches_services_too(node: Node, namespace: str) -> None:
    come(node, namespace, "Available", "deployment/web")
    service = node.plane.get(f"/api/v1/namespaces/{namespace}/services/web")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    with direct.open(f"http://{service['spec']['clusterIP']}/", timeout=WITHIN) as answer:
        assert answer.read().startswith(b"web-")


def test_a_container_whose_process_is_killed_is_started_again_and_what_it_said_can_be_read(
    node: Node, namespace: str
) -> None:
    come(node, namespace, "Available", "deployment/web")

    def standing() -> tuple[str, int, bool]:
        pod = node.plane.get(f"/api/v1/namespaces/{namespace}/pods/{name}")
        (container,) = pod["status"]["containerStatuses"]
        return container["containerID"], container["restartCount"], container["ready"]

    pods = node.plane.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=app=web")
    name = pods["items"][0]["metadata"]["name"]
    killed, _, _ = standing()

    node.kill(killed)

    deadline = time.monotonic() + WITHIN
    while standing()[1:] != (1, True):
        assert time.monotonic() < deadline, standing()
        time.sleep(0.1)
    assert standing()[0] != killed
    logs = node.logs.glob(f"{namespace}_{name}_*/web/*.log")
    assert sorted(log.name for log in logs) == ["0.log", "1.log"]


def test_the_kubelet_answers_the_api_server_alone(node: Node) -> None:
    (kubelet,) = (
        address["address"]
        for address in node.plane.get("/api/v1/nodes/cirahub")["status"]["addresses"]
        if address["type"] == "InternalIP"
    )
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unchecked)
    )

    with pytest.raises(urllib.error.HTTPError, match="401"):
        direct.open(f"https://{kubelet}:10250/pods", timeout=WITHIN)


def test_the_machine_keeps_its_settings(before: Mapping[str, str], node: Node) -> None:
    assert node.pids
    assert settings() == before


@pytest.mark.skipif(obstacle() is not None, reason=f"a node {obstacle()}")
def test_nothing_outlives_a_starter_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        env={**os.environ, "PYTHONPATH": str(ROOM)},
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        try:
            assert starter.stdout is not None
            home, device, *pids = json.loads(starter.stdout.readline())
            assert len(pids) == 4
            # So the check can fail: while the node is there, all kinds of remains are found.
            found = left_behind(Path(home), device)
            assert {kind.split()[0] for kind in found} == {"folder", "cgroup", "device", "process"}

            starter.send_signal(signal.SIGKILL)

            starter.wait(timeout=WITHIN)
            nothing_is_left(Path(home), device)
        finally:
            starter.kill()


def test_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert obstacle() == "needs root, for its mounts and its network"
