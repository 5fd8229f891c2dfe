"""The sets of tools that are built here: each from a Go module of its own, which pins it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.errors import BuildFailedError

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Pins:
    """What a `go.mod` says."""

    version: str
    """Of what the set is named after, with its v, as in ``v1.37.2``."""
    go: tuple[int, ...]

    @classmethod
    def read(cls, module: Path, named_after: str) -> Self:
        text = (module / "go.mod").read_text()
        path = re.escape(named_after)
        version = re.search(rf"^\s*(?:require )?{path} (v[\d.]+)", text, re.MULTILINE)
        go = re.search(r"^go ([\d.]+)$", text, re.MULTILINE)
        if version is None or go is None:
            raise BuildFailedError(
                f"{module / 'go.mod'} does not require {named_after} or has no go line: "
                "restore it from version control"
            )
        return cls(version[1], tuple(int(part) for part in go[1].split(".")))


@dataclass(frozen=True, slots=True)
class Toolset:
    name: str
    module: Path
    """Folder of `go.mod` and `go.sum`."""
    named_after: str
    """The module whose version the set has."""
    packages: Mapping[str, str]
    """By executable."""
    stamps: Callable[[str], Mapping[str, str]]
    """Variables of the linker (-X) for a version."""
    takes: str
    """How long a first build does, for people who wait."""
    tags: str = ""
    """Of the build, with commas between them."""
    c: bool = False
    """Whether it needs a C compiler."""

    @property
    def sources(self) -> Sequence[Path]:
        """Commands of ours, in the module itself."""
        return sorted((self.module / "cmd").glob("**/*.go"))

    def pins(self) -> Pins:
        """Raises BuildFailedError."""
        return Pins.read(self.module, self.named_after)

    def linker_flags(self, pins: Pins) -> str:
        stamped = [f"-X {name}={value}" for name, value in self.stamps(pins.version).items()]
        return " ".join(["-s", "-w", *stamped])


def _kubernetes_stamps(version: str) -> Mapping[str, str]:
    """Without them kubectl rejects the server's version string."""
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
    }
    return {f"k8s.io/component-base/version.{name}": value for name, value in stamps.items()}


KUBERNETES = Toolset(
    name="Kubernetes",
    module=FOLDER,
    named_after="k8s.io/kubernetes",
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    },
    stamps=_kubernetes_stamps,
    takes="6 minutes",
)

HELM = Toolset(
    name="Helm",
    module=FOLDER / "tools" / "helm",
    named_after="helm.sh/helm/v4",
    packages={"helm": "helm.sh/helm/v4/cmd/helm"},
    stamps=lambda version: {"helm.sh/helm/v4/internal/version.version": version},
    takes="3 minutes",
)

NODE = Toolset(
    name="the node's part of Kubernetes",
    module=FOLDER,
    named_after="k8s.io/kubernetes",
    packages={
        "kubelet": "k8s.io/kubernetes/cmd/kubelet",
        "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    },
    stamps=_kubernetes_stamps,
    takes="2 minutes",
)

CONTAINERD = Toolset(
    name="containerd",
    module=FOLDER / "tools" / "containerd",
    named_after="github.com/containerd/containerd/v2",
    packages={
        name: f"github.com/containerd/containerd/v2/cmd/{name}"
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    },
    stamps=lambda version: {"github.com/containerd/containerd/v2/version.Version": version},
    takes="2 minutes",
)

RUNC = Toolset(
    name="runc",
    module=FOLDER / "tools" / "runc",
    named_after="github.com/opencontainers/runc",
    packages={"runc": "github.com/opencontainers/runc"},
    stamps=lambda _: {},
    takes="half a minute",
    tags="seccomp",
    c=True,
)

PODS = Toolset(
    name="what runs in the node's own pods",
    module=FOLDER / "tools" / "node",
    named_after="github.com/coredns/coredns",
    packages={name: f"./cmd/{name}" for name in ("coredns", "pause", "credential", "web")},
    stamps=lambda _: {},
    takes="2 minutes",
)

KSTATUS = Toolset(
    name="kstatus",
    module=FOLDER / "tools" / "kstatus",
    named_after="github.com/fluxcd/cli-utils",
    packages={"kstatus": "./cmd/kstatus"},
    stamps=lambda _: {},
    takes="1 minute",
)
