"""Makes the locks anew from pyproject.toml, by uv in an environment that is thrown away.

By hand the same is: ``uv pip compile pyproject.toml --group dev --universal --python-version 3.11
--generate-hashes --no-header --no-annotate --output-file requirements.lock``, and without the group
and with ``--constraint requirements.lock`` for the image, and there with ``--extra sqlserver`` for
one whose store is in SQL Server. The results name no index: whoever
installs from them uses the one that pip is configured for.
"""

import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bootstrap import progress
from bootstrap.errors import BootstrapError

COMPILE = (
    "pip",
    "compile",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
)


DEVELOPMENT = "requirements.lock"
"""All that is installed here: what the project needs, and what its tests and checks do."""
RUNTIME = "requirements-runtime.lock"
"""What the project needs: the part of it that the image has."""
SQL_SERVER = "requirements-sqlserver.lock"
"""The same with the driver of SQL Server, for an image whose store is kept there."""
BUILD = "requirements-build.lock"
"""What makes a wheel of the project: the part of it that the image's first stage has besides."""


def renew(root: Path, *, upgrade: bool) -> None:
    """Write the locks. Pins that still fit are kept unless `upgrade`. Raises BootstrapError."""
    with tempfile.TemporaryDirectory(prefix="cirahub-lock-") as folder:
        scratch = Path(folder)
        environment = scratch / "venv"
        _run([sys.executable, "-m", "venv", str(environment)], "making an environment for uv", root)
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run([environment / "bin" / "python", *pip, "uv"], "installing uv", root)
        uv = environment / "bin" / "uv"
        pins = scratch / DEVELOPMENT
        if not upgrade:
            pins.write_bytes((root / DEVELOPMENT).read_bytes())
        _compile(uv, root, ["pyproject.toml", "--group", "dev"], pins)
        # The parts have the versions of the whole: what is tested is what runs.
        same: list[str | Path] = ["--constraint", pins]
        _compile(uv, root, ["pyproject.toml", *same], scratch / RUNTIME)
        driven = scratch / SQL_SERVER
        if not upgrade and (root / SQL_SERVER).exists():
            driven.write_bytes((root / SQL_SERVER).read_bytes())
        _compile(uv, root, ["pyproject.toml", "--extra", "sqlserver", *same], driven)
        backend = scratch / "build.in"
        project = tomllib.loads((root / "pyproject.toml").read_text())
        backend.write_text("\n".join(project["build-system"]["requires"]) + "\n")
        _compile(uv, root, [backend, *same], scratch / BUILD)
        for made in (DEVELOPMENT, RUNTIME, SQL_SERVER, BUILD):
            partial = root / f"{made}.{os.getpid()}"
            partial.write_bytes((scratch / made).read_bytes())
            partial.replace(root / made)
            progress.say(f"wrote {made}")


def _compile(uv: Path, root: Path, what: Sequence[str | Path], into: Path) -> None:
    command = [uv, *COMPILE, *what, "--output-file", into]
    _run(command, f"resolving {into.name}", root)


def _run(command: Sequence[str | Path], what: str, root: Path) -> None:
    progress.say(what)
    began = time.monotonic()
    outcome = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise BootstrapError(
            f"{what} failed with {outcome.returncode}:\n{outcome.stdout}{outcome.stderr}"
        )
    progress.say(f"{what}: done in {time.monotonic() - began:.0f} s")
