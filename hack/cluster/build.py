"""Building pinned tools into the cache, once per set of pins.

The `go.mod` of a set is the only place that names versions: the stamps and the Go needed are read
from it. Two builds at once on one machine wait for each other; a finished set appears by a rename,
so that whatever is in the cache is complete.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.errors import BuildFailedError
from cluster.progress import Progress
from cluster.toolchain import go_command
from cluster.toolset import KUBERNETES, Pins, Toolset

CACHED = Path("cirahub", "cluster")
LOCK_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Build:
    tools: Toolset
    pins: Pins
    cache: Path
    directory: Path
    """Where the binaries are once built; does not exist before."""

    @classmethod
    def of_this_machine(cls, tools: Toolset = KUBERNETES) -> Self:
        pins = tools.pins()
        key = hashlib.sha256()
        for part in (
            (tools.module / "go.mod").read_bytes(),
            (tools.module / "go.sum").read_bytes(),
            *(source.read_bytes() for source in tools.sources),
            tools.linker_flags(pins).encode(),
            " ".join((tools.tags, *tools.packages.values())).encode(),
            f"{sys.platform}/{platform.machine()}".encode(),
        ):
            key.update(hashlib.sha256(part).digest())
        cache = cache_folder()
        return cls(tools, pins, cache, cache / key.hexdigest()[:16])

    def run(self, progress: Progress) -> Path:
        """Build unless another process has meanwhile, and return `directory`.

        Raises ToolchainMissingError and BuildFailedError.
        """
        self.cache.mkdir(parents=True, exist_ok=True)
        with self._alone(progress):
            if self.directory.is_dir():
                return self.directory
            for partial in self.cache.glob("*.partial-*"):
                shutil.rmtree(partial)
            began = time.monotonic()
            progress.say(
                f"building {self.tools.name} {self.pins.version} "
                f"({', '.join(self.tools.packages)}), once: {self.tools.takes} on 2 cores"
            )
            go = go_command(self.pins.go, self.cache, progress)
            partial = self.cache / f"{self.directory.name}.partial-{os.getpid()}"
            partial.mkdir()
            self._compile(go, partial, progress)
            for name, package in self.tools.packages.items():
                (partial / executable(package)).rename(partial / name)
            partial.rename(self.directory)
            progress.update(f"built into {self.directory}", began)
        return self.directory

    def _compile(self, go: Path, into: Path, progress: Progress) -> None:
        env = {
            **os.environ,
            "CGO_ENABLED": "1" if self.tools.c else "0",
            "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
            "GOTOOLCHAIN": "local",
            "GOWORK": "off",
        }
        counts = _Counts()
        listing = progress.run(
            [go, "list", "-deps", "-tags", self.tools.tags, *self.tools.packages.values()],
            cwd=self.tools.module,
            env=env,
            on_stderr=counts.take,
            status=counts.downloading,
        )
        if listing.exit_code != 0:
            raise BuildFailedError(
                f"{go} could not resolve the modules pinned in {self.tools.module / 'go.mod'}:\n"
                f"{listing.tail}\nCheck that the Go module proxy can be reached, and try again."
            )
        counts.total = len(listing.stdout)
        flags = ["-v", "-tags", self.tools.tags, "-ldflags", self.tools.linker_flags(self.pins)]
        flags += ["-o", f"{into}{os.sep}"]
        building = progress.run(
            [go, "build", *flags, *self.tools.packages.values()],
            cwd=self.tools.module,
            env=env,
            on_stderr=counts.take,
            status=counts.compiling,
        )
        if building.exit_code != 0:
            raise BuildFailedError(
                f"{go} build in {self.tools.module} ended with {building.exit_code}:\n"
                f"{building.tail}\n"
                "What was compiled so far is kept by Go: running it again goes on from there."
            )

    @contextmanager
    def _alone(self, progress: Progress) -> Iterator[None]:
        """Hold the cache's lock, which the kernel releases however this process ends."""
        with (self.cache / "lock").open("w") as lock:
            began = shown = time.monotonic()
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() - shown >= progress.tick:
                        progress.update("waiting for another build", began)
                        shown = time.monotonic()
                    time.sleep(LOCK_POLL)
            yield


def cache_folder() -> Path:
    """Source: XDG Base Directory Specification."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / CACHED


def executable(package: str) -> str:
    """Go names it by the last element of its package that is not a major version."""
    *_, parent, last = package.split("/")
    return parent if re.fullmatch(r"v\d+", last) else last


@dataclass(slots=True)
class _Counts:
    """What Go's stderr tells: downloads by their own lines, `build -v` a line per package."""

    modules: int = 0
    packages: int = 0
    total: int = 0

    def take(self, line: str) -> None:
        if line.startswith("go: downloading "):
            self.modules += 1
        elif " " not in line:
            self.packages += 1

    def downloading(self) -> str:
        return f"downloading Go modules: {self.modules} so far"

    def compiling(self) -> str:
        return f"compiling: {self.packages} of at most {self.total} packages"
