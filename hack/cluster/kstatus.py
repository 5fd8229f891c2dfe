"""What Flux, Helm and kapply make of objects: kstatus, built here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cluster.build import Build
from cluster.progress import Progress
from cluster.toolset import KSTATUS


def find(progress: Progress | None = None) -> Path:
    """The executable. Raises what building raises."""
    build = Build.of_this_machine(KSTATUS)
    if not build.directory.is_dir():
        build.run(progress or Progress())
    return build.directory / "kstatus"


@dataclass(frozen=True, slots=True)
class Kstatus:
    binary: Path

    @classmethod
    def found(cls) -> Self:
        return cls(find())

    def of(self, objects: Iterable[Mapping[str, Any]]) -> list[str]:
        """`Current`, `InProgress`, `Failed`, `Terminating` or `Unknown`, for each."""
        told = subprocess.run(
            [self.binary],
            input="".join(map(json.dumps, objects)),
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.split()
