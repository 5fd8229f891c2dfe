"""promtool, which checks and tries alert rules: what PROMTOOL names, that of the machine, or that
of Debian's package `prometheus`, unpacked into the cache without the server being installed."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cluster.build import cache_folder
from cluster.errors import BinariesMissingError, PromtoolFailedError
from cluster.progress import Outcome, Progress

NAMED = "PROMTOOL"
PACKAGE = "prometheus"
NEEDED = ("apt-get", "dpkg-deb")
REMEDY = f"Install Prometheus, or name its promtool in {NAMED}"


def obstacle() -> str | None:
    """Why there can be none here, or None where there is one or it can be had."""
    if os.environ.get(NAMED) or shutil.which("promtool") or _cached().exists():
        return None
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking:
        return f"there is no promtool, and no {' or '.join(lacking)} to get it by. {REMEDY}"
    if os.geteuid() != 0:
        return f"there is no promtool, and only root is sure to get a package of Debian's. {REMEDY}"
    return None


def find(progress: Progress | None = None) -> Path:
    """The executable. Raises BinariesMissingError."""
    named = os.environ.get(NAMED)
    if named:
        path = shutil.which(named)
        if path is None:
            raise BinariesMissingError(
                f"{NAMED} names {named}, which is no program. Correct it, or unset it to have one "
                "found or fetched."
            )
        return Path(path)
    found = shutil.which("promtool")
    if found is not None:
        return Path(found)
    why = obstacle()
    if why is not None:
        raise BinariesMissingError(f"{why}.")
    cached = _cached()
    cached.parent.mkdir(parents=True, exist_ok=True)
    # Tests run in several processes, of which one fetches.
    with (cached.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cached.exists():
            _fetch(cached, progress or Progress())
    return cached


def _cached() -> Path:
    return cache_folder().parent / f"promtool-{platform.machine()}" / "promtool"


def _fetch(into: Path, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(dir=into.parent) as name:
        folder = Path(name)
        download = ("apt-get", "--quiet", "download", PACKAGE)
        # A machine that is fresh has no lists of packages yet.
        if _run(download, folder, progress).exit_code != 0:
            _must(("apt-get", "--quiet", "update"), folder, progress)
            _must(download, folder, progress)
        (package,) = folder.glob("*.deb")
        _must(("dpkg-deb", "--extract", str(package), str(folder)), folder, progress)
        (folder / "usr/bin/promtool").rename(into)


def _run(command: tuple[str, ...], folder: Path, progress: Progress) -> Outcome:
    return progress.run(
        command,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        on_stderr=lambda _: None,
        status=lambda: f"fetching promtool, once: {' '.join(command)}",
    )


def _must(command: tuple[str, ...], folder: Path, progress: Progress) -> None:
    outcome = _run(command, folder, progress)
    if outcome.exit_code != 0:
        raise BinariesMissingError(
            f"promtool could not be fetched: {' '.join(command)} ended with {outcome.exit_code}:\n"
            f"{outcome.tail}\n{REMEDY}."
        )


@dataclass(frozen=True, slots=True)
class Promtool:
    binary: Path

    def run(self, *arguments: str | Path) -> str:
        """What it says. Raises PromtoolFailedError, with all that it said."""
        outcome = subprocess.run(
            [self.binary, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if outcome.returncode != 0:
            raise PromtoolFailedError(
                f"promtool {' '.join(map(str, arguments))} ended with {outcome.returncode}: "
                f"{outcome.stdout.strip()}"
            )
        return outcome.stdout
