"""A control plane with one node that really runs pods, for as long as a `with` block."""

from __future__ import annotations

import os
import platform
import secrets
import string
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from cluster.component import Component
from cluster.controlplane import ControlPlane
from cluster.errors import NodeFailedError
from cluster.layout import NODE_NAME
from cluster.network import Credential, Network
from cluster.node import images, tools
from cluster.node.cgroups import Cgroups
from cluster.node.configuration import DOMAIN, PAUSE, Configuration
from cluster.node.isolation import Isolation
from cluster.node.tools import Tools
from cluster.progress import Progress
from cluster.watchdog import Watchdog

COREDNS = "localhost/cirahub/coredns:1"
WEB = "localhost/cirahub/web:1"
"""Runs `hack/cluster/tools/node/cmd/web`."""
OWN_IMAGES = {"pause": PAUSE, "coredns": COREDNS, "web": WEB}
DNS = Path(__file__).with_name("dns.yaml")
VOLUME = Path(__file__).with_name("volume.yaml")
READY_WITHIN = 120.0
READY_POLL = 0.2


def obstacle() -> str | None:
    """Why there can be no node here, or None."""
    if platform.system() != "Linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root, for its mounts and its network"
    if not Path("/sys/fs/cgroup").is_mount():
        return "needs cgroups, and none are mounted at /sys/fs/cgroup"
    return tools.obstacle()


class Node:
    """Made by `start`. What it does to the machine is in namespaces of its own, and goes with
    them."""

    def __init__(
        self,
        home: Path,
        plane: ControlPlane,
        programs: Tools,
        isolation: Isolation,
        watchdog: Watchdog,
    ) -> None:
        self.home = home
        """Holds the logs of its parts, and all that they keep."""
        self.plane = plane
        self._programs = programs
        self._isolation = isolation
        self._configuration = Configuration(home, isolation.link)

        def part(name: str, command: list[str]) -> Component:
            return Component(name, command, home=home, watchdog=watchdog)

        within, kubernetes = isolation.within, programs.kubernetes
        self._containerd = part(
            "containerd",
            within(
                [programs.containerd / "containerd", "--config", self._configuration.containerd],
                path=programs.containerd,
            ),
        )
        self._kubelet = part(
            "kubelet",
            within(
                [
                    kubernetes / "kubelet",
                    f"--config={self._configuration.kubelet}",
                    f"--kubeconfig={plane.kubeconfig_of('kubelet')}",
                    f"--root-dir={home / 'kubelet'}",
                    f"--cert-dir={home / 'kubelet-certificates'}",
                    f"--hostname-override={NODE_NAME}",
                    f"--node-ip={isolation.link.node}",
                ]
            ),
        )
        self._kube_proxy = part(
            "kube-proxy",
            within([kubernetes / "kube-proxy", f"--config={self._configuration.kube_proxy}"]),
        )
        self._scheduler = part(
            "kube-scheduler",
            [
                str(kubernetes / "kube-scheduler"),
                f"--kubeconfig={plane.kubeconfig_of('kube-scheduler')}",
                "--leader-elect=false",
                "--secure-port=0",
            ],
        )

    @classmethod
    @contextmanager
    def start(
        cls, *, audit: bool | Path = False, keep: bool = False, progress: Progress | None = None
    ) -> Iterator[Self]:
        """Start, and wait until pods run and names are told; at the end kill it, and remove its
        directory but for `keep`. Programs that are lacking are built first, which takes minutes.
        Raises ClusterError."""
        why = obstacle()
        if why is not None:
            raise NodeFailedError(f"A node {why}.")
        programs = Tools.find(progress or Progress())
        with ExitStack() as stack:
            home = Path(mkdtemp(prefix="cirahub-node-"))
            cgroups = Cgroups.make(home.name)
            watchdog = Watchdog(None if keep else home, cgroups.folders.values())
            stack.enter_context(closing(watchdog))
            isolation = stack.enter_context(Isolation.made(home, cgroups, watchdog))
            credential = _credential(programs.pods / "credential", home)
            plane = stack.enter_context(
                ControlPlane.start(
                    audit=audit,
                    binaries=programs.control_plane,
                    keep=keep,
                    network=Network(isolation.link.host, isolation.link.services, credential),
                    within=home,
                )
            )
            node = cls(home, plane, programs, isolation, watchdog)
            node._configuration.write(
                runc=programs.runc / "runc",
                client=credential,
                proxy_kubeconfig=plane.kubeconfig_of("kube-proxy"),
            )
            stack.callback(node._stop)
            node._start()
            yield node

    @property
    def pids(self) -> dict[str, int]:
        """Of its parts, without those of `plane`."""
        return {part.name: part.pid for part in self._parts if part.pid is not None}

    @property
    def device(self) -> str:
        """The machine's side of the node's network."""
        return self._isolation.link.name

    @property
    def host(self) -> str:
        """The machine's own address, at which pods reach what listens there."""
        return self._isolation.link.host

    @property
    def pods(self) -> str:
        """Addresses of pods, in CIDR."""
        return self._isolation.link.pods

    @property
    def logs(self) -> Path:
        """Of pods' containers: NAMESPACE_POD_UID/CONTAINER/N.log, a line each as the CRI has it.
        What a pod said goes with the pod."""
        return self._configuration.pod_logs

    def kill(self, container: str) -> None:
        """The first process of a pod's container, by SIGKILL; nobody in there can do that to it.
        `container` is what the pod's status has as `containerID`. Raises NodeFailedError."""
        self._ctr("tasks", "kill", "--signal", "SIGKILL", container.removeprefix("containerd://"))

    def load(self, archive: Path) -> None:
        """The images of an OCI or Docker archive, for pods that never pull. Raises
        NodeFailedError."""
        # Not by containerd's own service, which takes four times as long.
        self._ctr("images", "import", "--local", str(archive))

    def provide_volume(self) -> None:
        """A volume for the next claim, since nothing here makes volumes by itself. Its folder goes
        with the node."""
        folder = self.home / "volumes" / f"volume-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        volume = string.Template(VOLUME.read_text()).substitute(
            name=folder.name, path=folder, node=NODE_NAME
        )
        self.plane.kubectl("apply", "--filename", "-", input=volume)

    @property
    def _parts(self) -> tuple[Component, ...]:
        return (self._kubelet, self._kube_proxy, self._scheduler, self._containerd)

    def _start(self) -> None:
        self._containerd.start()
        self._scheduler.start()
        self._until(lambda: self._asked_containerd("version").returncode == 0, self._containerd)
        for program, name in OWN_IMAGES.items():
            archive = self.home / f"{program}.tar"
            images.write(archive, name, self._programs.pods / program, platform.machine())
            self.load(archive)
            archive.unlink()
        self._kubelet.start()
        self._kube_proxy.start()
        self.plane.kubectl("apply", "--filename", "-", input=self._dns())
        self._until(self._ready, self._kubelet)
        self._until(self._names_are_told, self._kube_proxy)

    def _stop(self) -> None:
        for part in self._parts:
            part.stop()

    def _dns(self) -> str:
        return string.Template(DNS.read_text()).substitute(
            address=self._isolation.link.dns, image=COREDNS, domain=DOMAIN
        )

    def _ready(self) -> bool:
        node = self.plane.get(f"/api/v1/nodes/{NODE_NAME}")
        conditions = (node or {"status": {}})["status"].get("conditions", ())
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    def _names_are_told(self) -> bool:
        told = self.plane.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
        return bool(told["status"].get("availableReplicas"))

    def _until(self, condition: Callable[[], bool], waited_for: Component) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not condition():
            for part in self._parts:
                part.check_running()
            if time.monotonic() > deadline:
                raise waited_for.failure(f"was not ready within {READY_WITHIN:.0f} s")
            time.sleep(READY_POLL)

    def _ctr(self, *arguments: str) -> None:
        outcome = self._asked_containerd(*arguments)
        if outcome.returncode != 0:
            raise NodeFailedError(
                f"ctr {' '.join(arguments)} ended with {outcome.returncode}: "
                f"{outcome.stderr.strip()}"
            )

    def _asked_containerd(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        ctr = self._programs.containerd / "ctr"
        address = self._configuration.socket
        return subprocess.run(
            self._isolation.within(
                [ctr, "--address", address, "--namespace", "k8s.io", *arguments]
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _credential(program: Path, home: Path) -> Credential:
    made = Credential(home / "apiserver-client.crt", home / "apiserver-client.key")
    subprocess.run([program, made.certificate, made.key], check=True)
    return made
