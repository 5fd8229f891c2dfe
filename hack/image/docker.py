"""Building by a Docker daemon (BuildKit), where one answers."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.debian import found
from cluster.progress import Progress
from image.architecture import Architecture
from image.errors import ImageFailedError

ANSWERS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Docker:
    program: str
    progress: Progress

    @classmethod
    def of_this_machine(cls, progress: Progress) -> "Docker | None":
        program = found("docker")
        if program is None:
            return None
        try:
            asked = subprocess.run(
                [program, "info", "--format", "{{.ServerVersion}}"],
                capture_output=True,
                timeout=ANSWERS_WITHIN,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return cls(program, progress) if asked.returncode == 0 else None

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
        options.append(f"--platform=linux/{architecture.name}")
        self._run("build", "--progress=plain", f"--tag={name}", *options, str(root))
        self._run("save", f"--output={into}", name)

    def _run(self, *arguments: str) -> None:
        latest = [f"docker {arguments[0]}"]

        def take(line: str) -> None:
            latest[0] = line[:80]

        outcome = self.progress.run(
            [self.program, *arguments],
            cwd=Path(os.sep),
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            on_stderr=take,
            status=lambda: latest[0],
        )
        if outcome.exit_code != 0:
            raise ImageFailedError(
                f"docker {arguments[0]} ended with {outcome.exit_code}:\n{outcome.tail}"
            )
