"""Helm, bound to one kubeconfig: what HELM names, that of the machine, or one built here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.build import Build
from cluster.errors import BinariesMissingError, HelmFailedError
from cluster.progress import Progress
from cluster.toolset import HELM

NAMED = "HELM"
OLDEST = (3, 14)
"""What docs/install.md asks for: `helm upgrade --reset-then-reuse-values` came with it."""


def find(progress: Progress | None = None) -> Path:
    """The executable. Raises BinariesMissingError when HELM names something else, and what
    building raises."""
    named = os.environ.get(NAMED)
    if named:
        path = shutil.which(named)
        if path is None or version(Path(path)) < OLDEST:
            raise BinariesMissingError(
                f"{NAMED} names {named}, which is no Helm of {_text(OLDEST)} or newer. Correct it, "
                "or unset it to have one found or built."
            )
        return Path(path)
    found = shutil.which("helm")
    if found is not None and version(Path(found)) >= OLDEST:
        return Path(found)
    build = Build.of_this_machine(HELM)
    if not build.directory.is_dir():
        build.run(progress or Progress())
    return build.directory / "helm"


def version(helm: Path) -> tuple[int, ...]:
    """The answer of `helm version --template` reads ``v4.3.1``. Of what is no Helm: none."""
    answer = subprocess.run(
        [helm, "version", "--template", "{{.Version}}"], capture_output=True, text=True, check=False
    )
    match = re.match(r"v(\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


@dataclass(frozen=True, slots=True)
class Helm:
    binary: Path
    home: Path
    """For what Helm keeps: neither the plugins nor the repositories of who runs this count."""
    kubeconfig: Path | None = None

    @classmethod
    def of(cls, home: Path, kubeconfig: Path | None = None) -> Self:
        return cls(find(), home, kubeconfig)

    def run(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Its stdout. Raises HelmFailedError, with Helm's stderr."""
        outcome = subprocess.run(
            [self.binary, *arguments],
            env=self._environment(),
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode != 0:
            raise HelmFailedError(
                f"helm {' '.join(map(str, arguments))} ended with {outcome.returncode}: "
                f"{outcome.stderr.strip()}",
                stderr=outcome.stderr,
            )
        return outcome.stdout

    def _environment(self) -> Mapping[str, str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "KUBECONFIG"))}
        homes = {f"HELM_{what}_HOME": str(self.home / what) for what in ("CACHE", "CONFIG", "DATA")}
        # Without one there is no cluster, least of all the one that somebody works with.
        kubeconfig = self.kubeconfig or self.home / "no-kubeconfig"
        return {**own, **homes, "KUBECONFIG": str(kubeconfig)}


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
