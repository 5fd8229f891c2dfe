"""The programs of a node: Debian's packages, and what is built here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster import debian
from cluster.binaries import Binaries
from cluster.build import Build
from cluster.node.configuration import CNI_PLUGINS
from cluster.progress import Progress
from cluster.toolset import CONTAINERD, NODE, PODS, RUNC, Toolset

PACKAGES = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    str(CNI_PLUGINS / "ptp"): "containernetworking-plugins",
}
TO_BUILD = {
    "gcc": "gcc",
    "/usr/include/stdlib.h": "libc6-dev",
    "pkg-config": "pkg-config",
    "/usr/include/seccomp.h": "libseccomp-dev",
}


@dataclass(frozen=True, slots=True)
class Tools:
    """Folders of executables."""

    control_plane: Binaries
    kubernetes: Path
    containerd: Path
    runc: Path
    pods: Path

    @classmethod
    def find(cls, progress: Progress) -> Self:
        """What is lacking is installed or built, which takes minutes once. Raises ClusterError."""
        debian.install(PACKAGES, progress)
        if not Build.of_this_machine(RUNC).directory.is_dir():
            debian.install(TO_BUILD, progress)
        return cls(
            Binaries.find(progress),
            *(_built(tools, progress) for tools in (NODE, CONTAINERD, RUNC, PODS)),
        )


def obstacle() -> str | None:
    """Why they can't be had here, or None where they can."""
    packages = PACKAGES
    if not Build.of_this_machine(RUNC).directory.is_dir():
        packages = PACKAGES | TO_BUILD
    return debian.obstacle(packages)


def _built(tools: Toolset, progress: Progress) -> Path:
    build = Build.of_this_machine(tools)
    return build.directory if build.directory.is_dir() else build.run(progress)
