"""Files of published Go modules, as pinned by a `go.mod` of ours: nothing of them is compiled."""

import json
import os
import subprocess
from pathlib import Path

from cluster.build import cache_folder
from cluster.errors import BuildFailedError
from cluster.progress import Progress
from cluster.toolchain import go_command
from cluster.toolset import Pins


def downloaded(folder: Path, module: str, progress: Progress | None = None) -> Path:
    """Where the files of `module` are, which the `go.mod` in `folder` requires. Go keeps them, and
    compares them with `go.sum`. Raises BuildFailedError, and ToolchainMissingError."""
    go = go_command(Pins.read(folder, module).go, cache_folder(), progress or Progress())
    outcome = subprocess.run(
        [go, "mod", "download", "-json", module],
        cwd=folder,
        env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise BuildFailedError(
            f"{go} could not download {module}, pinned in {folder / 'go.mod'}:\n"
            f"{outcome.stderr or outcome.stdout}\n"
            "Check that the Go module proxy can be reached, and try again."
        )
    return Path(json.loads(outcome.stdout)["Dir"])
