"""The virtual environment: made, filled and brought up to date."""

import fcntl
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bootstrap import progress, stamp
from bootstrap.errors import BootstrapError

PIP_STEPS = ("Collecting ", "Installing collected packages")
UNCOMPILED = r"/(msgraph/generated|office365)/"
"""Two thirds of all modules, of which a few tests import some: then Python compiles those."""


@dataclass(frozen=True, slots=True)
class Environment:
    root: Path
    """Of the repository."""

    @property
    def directory(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.directory / "bin" / "python"

    @property
    def lock(self) -> Path:
        return self.root / "requirements.lock"

    def prepare(self) -> None:
        """Do what is needed, which mostly is nothing. Raises BootstrapError."""
        packages = stamp.packages(self.directory, self.lock)
        project = stamp.project(self.directory, self.root / "pyproject.toml")
        if packages.holds() and project.holds():
            return
        with self._alone():
            if not packages.holds():
                project.remove()
                packages.remove()
                self._make()
                self._install_packages()
                self._compile_packages()
                packages.set()
            if not project.holds():
                project.remove()
                self._install_project()
                project.set()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two `make`s at once take turns; the second then finds everything done."""
        cache = self.root / ".cache"
        cache.mkdir(exist_ok=True)
        with (cache / "bootstrap.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress.say("waiting for another run of it to end")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        version = ".".join(map(str, sys.version_info[:3]))
        progress.say(f"making {self.directory.name} with Python {version} ({sys.executable})")
        # What an earlier, perhaps interrupted run left there is removed.
        command = [sys.executable, "-m", "venv", "--clear", str(self.directory)]
        self._run(command, progress.Condensed("making it", (), 0), "making the environment")

    def _install_packages(self) -> None:
        # The lock is complete, so nothing is left to resolve; and a wheel needs no compiler and
        # no build dependencies, which would come without hashes.
        self._pip(
            "installing locked packages",
            ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-compile"],
            ["--requirement", self.lock],
            total=len(re.findall(r"^[A-Za-z0-9]", self.lock.read_text(), flags=re.MULTILINE)),
        )

    def _compile_packages(self) -> None:
        """On all cores, where pip has one. What can't be compiled, since it is meant for other
        Pythons, is no failure to pip either."""
        label = "compiling them"
        began = time.monotonic()
        compiler = ("-m", "compileall", "-qq", "-j", "0", "-x", UNCOMPILED)
        command: list[str | Path] = [self.python, *compiler, self.directory / "lib"]
        progress.run(command, progress.Condensed(label, (), 0))
        progress.say(f"{label}: done in {time.monotonic() - began:.0f} s")

    def _install_project(self) -> None:
        self._pip(
            "installing this project",
            ["--no-deps", "--no-build-isolation", "--no-index"],
            ["--editable", self.root],
            total=0,
        )

    def _pip(
        self, label: str, options: Sequence[str], what: Sequence[str | Path], *, total: int
    ) -> None:
        pip = ("-m", "pip", "install", "--no-input", "--disable-pip-version-check")
        shown = progress.Condensed(label, PIP_STEPS, total)
        command = [self.python, *pip, "--progress-bar", "off", *options, *what]
        self._run(command, shown, label)

    def _run(self, command: Sequence[str | Path], shown: progress.Condensed, what: str) -> None:
        began = time.monotonic()
        exit_code = progress.run(command, shown)
        if exit_code != 0:
            raise BootstrapError(
                f"{what} failed with {exit_code}. The end of its output:\n"
                + "\n".join(shown.tail)
                + "\nIf a package index could not be reached, check pip's configuration and run "
                "this again; what was downloaded is kept. If a package has no wheel for this "
                "Python, name another one: make PYTHON=python3.13 ..."
            )
        progress.say(f"{what}: done in {time.monotonic() - began:.0f} s")
