"""Debian's packages of what builds images and runs nodes: found, or installed where that is
allowed."""

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cluster.errors import BinariesMissingError
from cluster.progress import Progress

SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Who is root by other means than a login often lacks the last ones."""
APT = ("apt-get", "--quiet", "--yes", "--no-install-recommends")


def found(program: str) -> str | None:
    """A name is looked for among the programs, a path where it is."""
    if program.startswith(os.sep):
        return program if Path(program).exists() else None
    return shutil.which(program, path=SEARCHED)


def lacking(packages: Mapping[str, str]) -> list[str]:
    """The packages, by program or file, whose program or file is not here."""
    return sorted({package for program, package in packages.items() if found(program) is None})


def obstacle(packages: Mapping[str, str]) -> str | None:
    """Why they can't be had here, or None where they can."""
    missing = lacking(packages)
    if not missing:
        return None
    if found("apt-get") is None:
        return f"needs {' and '.join(missing)}, and there is no apt-get to install them by"
    if os.geteuid() != 0:
        return f"needs {' and '.join(missing)}, which only root may install"
    return None


def install(packages: Mapping[str, str], progress: Progress) -> None:
    """Those that are lacking. Raises BinariesMissingError."""
    why = obstacle(packages)
    if why is not None:
        raise BinariesMissingError(f"This machine {why}. Install them by hand, and try again.")
    missing = lacking(packages)
    if not missing:
        return
    for arguments in (("update",), ("install", *missing)):
        label = f"apt-get {' '.join(arguments)}"
        outcome = progress.run(
            [*APT, *arguments],
            cwd=Path(os.sep),
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            on_stderr=lambda _: None,
            status=partial(str, label),
        )
        if outcome.exit_code != 0:
            raise BinariesMissingError(
                f"{label} ended with {outcome.exit_code}:\n{outcome.tail}\n"
                "Install them by hand, and try again."
            )
