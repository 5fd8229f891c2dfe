"""kubectl, bound to one kubeconfig."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import KubectlFailedError


@dataclass(frozen=True, slots=True)
class Kubectl:
    binary: Path
    kubeconfig: Path

    def run(self, *arguments: str | Path, stdin: str | None = None) -> str:
        """Its stdout. Raises KubectlFailedError, with kubectl's stderr."""
        outcome = subprocess.run(
            [self.binary, "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin or "",
            capture_output=True,
            text=True,
            check=False,
        )
        if outcome.returncode != 0:
            raise KubectlFailedError(
                f"kubectl {' '.join(map(str, arguments))} ended with {outcome.returncode}: "
                f"{outcome.stderr.strip()}",
                exit_code=outcome.returncode,
                stderr=outcome.stderr,
            )
        return outcome.stdout
