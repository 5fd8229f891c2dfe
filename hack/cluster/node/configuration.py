"""The files that the parts of a node read: every setting that differs from a default, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.layout import NODE_NAME
from cluster.network import Credential
from cluster.node import init
from cluster.node.link import Link

CNI_PLUGINS = Path("/usr/lib/cni")
"""Where Debian's package has them."""
DOMAIN = "cluster.local"
PAUSE = "localhost/cirahub/pause:1"
NOTHING_IS_SHORT = {
    f"{what}.{of}": "0%" for what in ("nodefs", "imagefs") for of in ("available", "inodesFree")
} | {"memory.available": "0%"}

CONTAINERD = """\
version = 3
root = "{images}"
state = "/run/containerd"
# It writes to /opt, and is for people.
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{socket}"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime"]
# Root in a container may be forbidden to protect others from the killer of processes.
restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{plugins}"]
conf_dir = "{networks}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{runc}"
"""


@dataclass(frozen=True, slots=True)
class Configuration:
    home: Path
    link: Link

    @property
    def socket(self) -> str:
        return "/run/containerd/containerd.sock"

    @property
    def pod_logs(self) -> Path:
        return self.home / "pods"

    @property
    def containerd(self) -> Path:
        return self.home / "containerd.toml"

    @property
    def kubelet(self) -> Path:
        return self.home / "kubelet.json"

    @property
    def kube_proxy(self) -> Path:
        return self.home / "kube-proxy.json"

    def write(self, *, runc: Path, client: Credential, proxy_kubeconfig: Path) -> None:
        networks = self.home / "networks"
        networks.mkdir()
        self.containerd.write_text(
            CONTAINERD.format(
                images=self.home / init.IMAGES,
                socket=self.socket,
                pause=PAUSE,
                plugins=CNI_PLUGINS,
                networks=networks,
                runc=runc,
            )
        )
        _write(networks / "10-cirahub.conflist", self._network())
        _write(self.kubelet, self._kubelet(client))
        _write(self.kube_proxy, self._kube_proxy(proxy_kubeconfig))

    def _network(self) -> Mapping[str, object]:
        """A wire to each pod, without a bridge: traffic between pods is routed, so that the rules
        of Services see it without br_netfilter."""
        addresses = {
            "type": "host-local",
            "ranges": [[{"subnet": self.link.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(self.home / "addresses"),
        }
        return {
            "cniVersion": "1.0.0",
            "name": NODE_NAME,
            "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}],
        }

    def _kubelet(self, client: Credential) -> Mapping[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.link.node,
            # Everybody on the machine reaches this address: only the API server is answered.
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": False},
                "x509": {"clientCAFile": str(client.certificate)},
            },
            "authorization": {"mode": "AlwaysAllow"},
            "cgroupDriver": "cgroupfs",
            # Pods are not kept from one another: the machine is for tests.
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [self.link.dns],
            "clusterDomain": DOMAIN,
            "resolvConf": "",
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "evictionHard": NOTHING_IS_SHORT,
            # What is loaded is here to stay: nothing could be pulled again.
            "imageGCHighThresholdPercent": 100,
            "podLogsDir": str(self.pod_logs),
            "volumePluginDir": str(self.home / "volume-plugins"),
        }

    def _kube_proxy(self, kubeconfig: Path) -> Mapping[str, object]:
        return {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "nftables",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "clusterCIDR": self.link.pods,
            "hostnameOverride": NODE_NAME,
            "healthzBindAddress": "",
            "metricsBindAddress": "",
            # These are the machine's, not the node's.
            "conntrack": {
                "maxPerCore": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
        }


def _write(file: Path, content: object) -> None:
    """As JSON, which is YAML to every reader of these files."""
    file.write_text(json.dumps(content, indent=2) + "\n")
