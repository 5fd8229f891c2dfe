"""promtool, which checks and tries alert rules, and Prometheus itself, which is queried: what
PROMTOOL and PROMETHEUS name, those of the machine, or those of Debian's package, unpacked into the
cache without the server being installed."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cluster.build import cache_folder
from cluster.errors import BinariesMissingError, PromtoolFailedError
from cluster.progress import Outcome, Progress

PACKAGE = "prometheus"
NEEDED = ("apt-get", "dpkg-deb")


class Program(StrEnum):
    """Of the package."""

    PROMTOOL = "promtool"
    SERVER = "prometheus"

    @property
    def named(self) -> str:
        """The variable that names another one."""
        return self.value.upper()

    @property
    def remedy(self) -> str:
        return f"Install Prometheus, or name its {self} in {self.named}"


def obstacle(program: Program = Program.PROMTOOL) -> str | None:
    """Why there can be none here, or None where there is one or it can be had."""
    if os.environ.get(program.named) or shutil.which(program) or _cached(program).exists():
        return None
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking:
        why = f"no {' or '.join(lacking)} to get it by"
    elif os.geteuid() != 0:
        why = "only root is sure to get a package of Debian's"
    else:
        return None
    return f"there is no {program}, and {why}. {program.remedy}"


def find(program: Program = Program.PROMTOOL, progress: Progress | None = None) -> Path:
    """The executable. Raises BinariesMissingError."""
    named = os.environ.get(program.named)
    if named:
        path = shutil.which(named)
        if path is None:
            raise BinariesMissingError(
                f"{program.named} names {named}, which is no program. Correct it, or unset it to "
                "have one found or fetched."
            )
        return Path(path)
    found = shutil.which(program)
    if found is not None:
        return Path(found)
    why = obstacle(program)
    if why is not None:
        raise BinariesMissingError(f"{why}.")
    cached = _cached(program)
    cached.parent.mkdir(parents=True, exist_ok=True)
    # Tests run in several processes, of which one fetches.
    with (cached.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cached.exists():
            _fetch(cached.parent, program, progress or Progress())
    return cached


def _cached(program: Program) -> Path:
    return cache_folder().parent / f"prometheus-{platform.machine()}" / program


def _fetch(into: Path, program: Program, progress: Progress) -> None:
    """All programs of the package; `program` is whom it is for."""
    with tempfile.TemporaryDirectory(dir=into) as name:
        folder = Path(name)
        download = ("apt-get", "--quiet", "download", PACKAGE)
        # A machine that is fresh has no lists of packages yet.
        if _run(download, folder, progress).exit_code != 0:
            _must(("apt-get", "--quiet", "update"), folder, program, progress)
            _must(download, folder, program, progress)
        (package,) = folder.glob("*.deb")
        _must(("dpkg-deb", "--extract", str(package), str(folder)), folder, program, progress)
        for one in Program:
            (folder / "usr/bin" / one).rename(into / one)


def _run(command: tuple[str, ...], folder: Path, progress: Progress) -> Outcome:
    return progress.run(
        command,
        cwd=folder,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        on_stderr=lambda _: None,
        status=lambda: f"fetching Prometheus, once: {' '.join(command)}",
    )


def _must(command: tuple[str, ...], folder: Path, program: Program, progress: Progress) -> None:
    outcome = _run(command, folder, progress)
    if outcome.exit_code != 0:
        raise BinariesMissingError(
            f"{program} could not be fetched: {' '.join(command)} ended with {outcome.exit_code}:\n"
            f"{outcome.tail}\n{program.remedy}."
        )


@dataclass(frozen=True, slots=True)
class Promtool:
    binary: Path

    def run(self, *arguments: str | Path, stdin: str = "") -> str:
        """What it says. Raises PromtoolFailedError, with all that it said."""
        outcome = subprocess.run(
            [self.binary, *arguments],
            input=stdin,
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
