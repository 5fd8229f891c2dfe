"""Building by buildah, as root and without any daemon."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.debian import SEARCHED, found
from cluster.progress import Progress
from image.architecture import Architecture
from image.base import ALONE, Base
from image.errors import ImageFailedError

PACKAGES = {"buildah": "buildah", "debootstrap": "debootstrap"}
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The official images have it as well. An image without one would have no PATH to add to."""
TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class Buildah:
    storage: Path
    """Of images and layers, ours alone: neither podman nor anybody's buildah sees it."""
    driver: str
    progress: Progress

    @classmethod
    def of(cls, storage: Path, progress: Progress) -> "Buildah":
        storage.mkdir(parents=True, exist_ok=True)
        return cls(storage, _driver(storage), progress)

    def take_in(self, base: Base) -> dict[str, str]:
        """The build arguments that name its images, which are made unless they are there."""
        names = {}
        for argument, tree in (("BUILD_IMAGE", base.build), ("BASE_IMAGE", base.runtime)):
            name = f"localhost/cirahub-{tree.stem}:{base.key}"
            names[argument] = name
            if self._has(name):
                continue
            label = f"taking in {tree.name}"
            container = self._run(label, "from", "scratch")[-1]
            try:
                self._run(label, "add", "--quiet", container, str(tree), "/")
                options = [f"--arch={base.architecture.name}", f"--env=PATH={SEARCH_PATH}"]
                self._run(label, "config", *options, container)
                self._run(label, "commit", "--quiet", container, name)
            finally:
                self._run(label, "rm", container)
        return names

    def build(
        self,
        root: Path,
        *,
        name: str,
        architecture: Architecture,
        arguments: Mapping[str, str],
        secrets: Mapping[str, Path],
        into: Path,
    ) -> None:
        """Raises ImageFailedError."""
        options = [f"--build-arg={key}={value}" for key, value in arguments.items()]
        options += [f"--secret=id={key},src={file}" for key, file in secrets.items()]
        # Each layer would be a copy of everything below it where the file system has no overlays.
        options.append(f"--layers={str(self.driver == 'overlay').lower()}")
        options += [
            f"--platform=linux/{architecture.name}",
            "--network=host",
            "--force-rm",
            f"--tag={name}",
        ]
        self._run("building", "build", *options, str(root))
        into.unlink(missing_ok=True)
        self._run("writing the archive", "push", "--quiet", name, f"docker-archive:{into}:{name}")
        self._run("tidying up", "rmi", name)

    def _has(self, name: str) -> bool:
        asked = subprocess.run(
            self._command("images", "--quiet", name),
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.returncode == 0 and bool(asked.stdout.strip())

    def _run(self, label: str, *arguments: str) -> list[str]:
        """Its stdout, by lines."""
        latest = [label]

        def take(line: str) -> None:
            latest[0] = f"{label}: {line}"[:100]

        outcome = self.progress.run(
            self._command(*arguments),
            cwd=Path(os.sep),
            env=self._environment(),
            on_stderr=take,
            on_stdout=take,
            status=lambda: latest[0],
        )
        if outcome.exit_code != 0:
            said = "\n".join([*outcome.stdout[-TAIL_LINES:], outcome.tail])
            raise ImageFailedError(
                f"buildah {arguments[0]} ended with {outcome.exit_code}:\n{said}\n"
                f"What was built so far is kept; if that is what is broken, remove {self.storage}."
            )
        return outcome.stdout

    def _command(self, *arguments: str) -> list[str]:
        return [
            *ALONE,
            found("buildah") or "buildah",
            f"--root={self.storage / 'images'}",
            f"--runroot={self.storage / 'run'}",
            f"--storage-driver={self.driver}",
            *arguments,
        ]

    def _environment(self) -> dict[str, str]:
        """Without an OCI runtime: a change of the root is all that a RUN gets, and needs."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("STORAGE_")}
        return {**kept, "PATH": SEARCHED, "BUILDAH_ISOLATION": "chroot"}


def _driver(storage: Path) -> str:
    """`overlay`, or `vfs` where the kernel or the file system below has none (a container whose
    root is an overlay itself)."""
    trial = storage / "trial"
    command = [*ALONE, found("buildah") or "buildah", "--storage-driver=overlay"]
    asked = subprocess.run(
        [*command, f"--root={trial / 'images'}", f"--runroot={trial / 'run'}", "info"],
        capture_output=True,
        check=False,
    )
    shutil.rmtree(trial, ignore_errors=True)
    return "overlay" if asked.returncode == 0 else "vfs"
