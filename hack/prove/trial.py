"""A copy of the tree in which breakages are tried, one after the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cluster.access import EXISTING
from prove.breakage import Breakage
from prove.check import broken

PACKAGES = ("operator", "sync", "simulator")
_FAILED = 1
"""pytest's exit code when tests ran and some failed."""
_FAILURE = re.compile(r"^FAILED (?P<test>\S+::.*?)(?: - (?P<why>.*))?$", re.MULTILINE)
_CLOSING = re.compile(r"^.*\b(?:passed|failed|skipped|errors?)\b.* in [\d.]+s.*$", re.MULTILINE)
_NO_PROOF = re.compile(
    r"(?:NameError|UnboundLocalError|ImportError|ModuleNotFoundError|SyntaxError|AttributeError)\b"
)
"""Python's own complaints: the code was damaged, not its guard removed."""


class Verdict(StrEnum):
    NOTICED = "noticed"
    UNNOTICED = "NOT NOTICED"
    DAMAGED = "NO PROOF"
    """Something failed that would fail whatever was guarded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    breakage: Breakage
    verdict: Verdict
    why: str
    """The test that failed first, and what it said; else what pytest said in the end."""
    seconds: float


class Tree:
    """The repository's files as they are now, copied; its packages come before installed ones."""

    def __init__(self, root: Path, folder: Path, kubeconfig: Path | None) -> None:
        """`kubeconfig`: of a cluster that the tests share; None: each run has its own."""
        self._folder = folder
        self._kubeconfig = kubeconfig
        listed = subprocess.check_output(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=root,
            text=True,
        )
        for name in filter(None, listed.split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)

    def unbroken(self, targets: list[str], *, own_cluster: bool) -> tuple[bool, str]:
        """Whether the tests pass as long as nothing is broken, and what pytest said."""
        done = self._pytest("-n", "2", "--dist", "loadfile", *targets, own_cluster=own_cluster)
        failed = [one["test"] for one in _FAILURE.finditer(done.stdout)]
        return done.returncode == 0, ", ".join([_said(done.stdout), *failed])

    def tried(self, breakage: Breakage) -> Outcome:
        path = self._folder / breakage.file
        whole = path.read_text(encoding="utf-8")
        started = time.monotonic()
        path.write_text(broken(whole, breakage), encoding="utf-8")
        try:
            done = self._pytest(
                "-n", "0", "-x", *breakage.tests.split(), own_cluster=breakage.own_cluster
            )
        finally:
            path.write_text(whole, encoding="utf-8")
        verdict, why = _judged(done)
        return Outcome(
            breakage=breakage, verdict=verdict, why=why, seconds=time.monotonic() - started
        )

    def _pytest(self, *arguments: str, own_cluster: bool) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(self._folder / package) for package in PACKAGES),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "400",
        }
        if own_cluster:
            environment = {name: value for name, value in environment.items() if name != EXISTING}
        elif self._kubeconfig is not None:
            environment = {**environment, EXISTING: str(self._kubeconfig)}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=self._folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


def _judged(done: subprocess.CompletedProcess[str]) -> tuple[Verdict, str]:
    failed = _FAILURE.search(done.stdout)
    if done.returncode == 0:
        return Verdict.UNNOTICED, _said(done.stdout)
    if done.returncode != _FAILED or failed is None:
        return Verdict.DAMAGED, _said(done.stdout)
    path, _, test = failed["test"].partition("::")
    why = f"{Path(path).name}::{test}: {failed['why'] or 'failed'}"
    if _NO_PROOF.match(failed["why"] or ""):
        return Verdict.DAMAGED, why
    return Verdict.NOTICED, why


def _said(stdout: str) -> str:
    closing = _CLOSING.findall(stdout)
    return closing[-1].strip("= ") if closing else stdout[-300:]
