"""Where the control-plane binaries are: told by KUBEBUILDER_ASSETS, cached, or built."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.build import Build
from cluster.errors import BinariesMissingError
from cluster.progress import Progress
from cluster.toolset import KUBERNETES

ASSETS = "KUBEBUILDER_ASSETS"
REQUIRED = ("etcd", "kube-apiserver", "kubectl")
"""What envtest's archives hold."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """One set of executables, complete but for the controller manager."""

    directory: Path
    etcd: Path
    kube_apiserver: Path
    kubectl: Path
    kube_controller_manager: Path | None
    """Not in envtest's archives; without it no garbage is collected, no namespace ends,
    and no default ServiceAccount appears."""

    @classmethod
    def present(cls) -> Self | None:
        """The set that is there now, without building: None when there is none.

        Raises BinariesMissingError when KUBEBUILDER_ASSETS is set and lacks something: a set
        that was named is not silently replaced by another.
        """
        assets = os.environ.get(ASSETS)
        if assets:
            return cls._in(
                Path(assets), REQUIRED, remedy=f"Complete it, or unset {ASSETS} to have it built."
            )
        directory = Build.of_this_machine().directory
        return cls._built(directory) if directory.is_dir() else None

    @classmethod
    def find(cls, progress: Progress | None = None) -> Self:
        """The set that is there, else one built now, which takes minutes and shows progress.

        Raises BinariesMissingError as `present` does, ToolchainMissingError and
        BuildFailedError as building does.
        """
        present = cls.present()
        if present is not None:
            return present
        return cls._built(Build.of_this_machine().run(progress or Progress()))

    @classmethod
    def _built(cls, directory: Path) -> Self:
        return cls._in(
            directory, tuple(KUBERNETES.packages), remedy="Remove it to have it built again."
        )

    @classmethod
    def _in(cls, directory: Path, required: tuple[str, ...], *, remedy: str) -> Self:
        missing = [name for name in required if not os.access(directory / name, os.X_OK)]
        if missing:
            raise BinariesMissingError(
                f"{directory} has no executable {', '.join(missing)}; "
                f"it must hold {', '.join(required)}. {remedy}"
            )
        manager = directory / "kube-controller-manager"
        return cls(
            directory=directory,
            etcd=directory / "etcd",
            kube_apiserver=directory / "kube-apiserver",
            kubectl=directory / "kubectl",
            kube_controller_manager=manager if os.access(manager, os.X_OK) else None,
        )
