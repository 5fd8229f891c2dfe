"""Makes requirements.lock anew from pyproject.toml, by uv in an environment that is thrown away.

By hand the same is: ``uv pip compile pyproject.toml --group dev --universal --python-version 3.11
--generate-hashes --no-header --no-annotate --output-file requirements.lock``. The result names
no index: whoever installs from it uses the one that pip is configured for.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bootstrap import progress
from bootstrap.errors import BootstrapError

COMPILE = (
    "pip",
    "compile",
    "pyproject.toml",
    "--group",
    "dev",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
)


def renew(root: Path, *, upgrade: bool) -> None:
    """Write the lock. Pins that still fit are kept unless `upgrade`. Raises BootstrapError."""
    lock = root / "requirements.lock"
    with tempfile.TemporaryDirectory(prefix="cirahub-lock-") as scratch:
        environment, made = Path(scratch, "venv"), Path(scratch, lock.name)
        _run([sys.executable, "-m", "venv", str(environment)], "making an environment for uv", root)
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run([environment / "bin" / "python", *pip, "uv"], "installing uv", root)
        if not upgrade:
            made.write_bytes(lock.read_bytes())
        _run(
            [environment / "bin" / "uv", *COMPILE, "--output-file", made],
            "resolving the dependencies",
            root,
        )
        partial = lock.with_name(f"{lock.name}.{os.getpid()}")
        partial.write_bytes(made.read_bytes())
        partial.replace(lock)
    progress.say(f"wrote {lock.name}")


def _run(command: Sequence[str | Path], what: str, root: Path) -> None:
    progress.say(what)
    began = time.monotonic()
    outcome = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise BootstrapError(
            f"{what} failed with {outcome.returncode}:\n{outcome.stdout}{outcome.stderr}"
        )
    progress.say(f"{what}: done in {time.monotonic() - began:.0f} s")
