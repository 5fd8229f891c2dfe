"""Bases without a registry: Debian with Python, by debootstrap, as two archives of files.

They stand in for the official Python image where nothing can be pulled. Security updates are not in
them: they are for trying and testing, not for production.
"""

import hashlib
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path

from cluster.debian import SEARCHED, found
from cluster.progress import Progress
from image.architecture import Architecture
from image.errors import ImageFailedError

SUITE = "trixie"
"""The Debian that the official image of the Dockerfile's default is made from."""
PACKAGES = ("python3", "python3-venv", "ca-certificates")
ONLY_TO_BUILD = "python3*-venv python3-pip-whl python3-setuptools-whl"
EMPTIED = ("var/cache/apt", "var/lib/apt/lists", "var/log", "usr/share/doc", "usr/share/man")
EMPTIED_LAST = ("usr/share/locale", "usr/share/info", "tmp")
ALONE = ("unshare", "--mount", "--propagation=private")
"""In a mount namespace of its own: whatever is mounted ends with it, however it ends."""


@dataclass(frozen=True, slots=True)
class Base:
    build: Path
    """With venv, for the first stages."""
    runtime: Path
    """Without it."""
    architecture: Architecture

    @property
    def key(self) -> str:
        return self.build.parent.name

    @classmethod
    def of(cls, architecture: Architecture, cache: Path) -> "Base":
        """Where it is or will be."""
        parts = (*PACKAGES, ONLY_TO_BUILD, *EMPTIED, *EMPTIED_LAST)
        made_from = (SUITE, *parts, architecture.machine)
        key = hashlib.sha256("\n".join(made_from).encode()).hexdigest()[:16]
        home = cache / f"base-{key}"
        return cls(
            build=home / "build.tar", runtime=home / "runtime.tar", architecture=architecture
        )

    def prepare(self, progress: Progress) -> None:
        """Make it unless it is there. Raises ImageFailedError."""
        home = self.build.parent
        if home.is_dir():
            return
        partial = home.with_name(f"partial-{home.name}")
        shutil.rmtree(partial, ignore_errors=True)
        tree = partial / "tree"
        tree.mkdir(parents=True)
        options = [f"--arch={self.architecture.name}", f"--include={','.join(PACKAGES)}"]
        debootstrap = found("debootstrap") or "debootstrap"
        _run([debootstrap, "--variant=minbase", *options, SUITE, str(tree)], progress)
        for folder in (*EMPTIED, *EMPTIED_LAST):
            _empty(tree / folder)
        _pack(tree, partial / self.build.name)
        remove = f"dpkg --purge $(dpkg-query --show --showformat '${{Package}} ' {ONLY_TO_BUILD})"
        _run(["chroot", str(tree), "sh", "-ec", remove], progress)
        _pack(tree, partial / self.runtime.name)
        shutil.rmtree(tree)
        partial.rename(home)


def _run(command: list[str], progress: Progress) -> None:
    label = " ".join(command)
    latest = [command[0].rpartition("/")[2]]

    def take(line: str) -> None:
        latest[0] = line[:80]

    outcome = progress.run(
        # debootstrap mounts /proc in the tree, which nobody who clears up afterwards must meet.
        [*ALONE, *command],
        cwd=Path(os.sep),
        env={"PATH": SEARCHED, "LC_ALL": "C", **_proxies()},
        on_stderr=take,
        on_stdout=take,
        status=lambda: f"making a base of Debian {SUITE}: {latest[0]}",
    )
    if outcome.exit_code != 0:
        said = "\n".join([*outcome.stdout[-20:], outcome.tail])
        raise ImageFailedError(
            f"{label} ended with {outcome.exit_code}:\n{said}\n"
            "Check that Debian's packages can be reached, or name a base: make image BASE=..."
        )


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _pack(tree: Path, into: Path) -> None:
    """Devices are left out: whoever runs the image brings its own."""
    with tarfile.open(into, "w") as archive:
        archive.add(tree, ".", filter=lambda entry: None if entry.isdev() else entry)
