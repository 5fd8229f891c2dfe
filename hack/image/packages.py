"""Debian's packages of what builds an image: found, or installed where that is allowed."""

import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from cluster.progress import Progress
from image.errors import ImageFailedError, UnpreparedError

SEARCHED = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
"""Who is root by other means than a login often lacks the last ones."""
APT = ("apt-get", "--quiet", "--yes", "--no-install-recommends")


def found(program: str) -> str | None:
    return shutil.which(program, path=SEARCHED)


def lacking(packages: Mapping[str, str]) -> list[str]:
    """The packages, by program, whose program is not here."""
    return [package for program, package in packages.items() if found(program) is None]


def obstacle(packages: Mapping[str, str]) -> str | None:
    """Why an image can't be built here with these, or None where it can."""
    if os.geteuid() != 0:
        return "needs root, for the file systems of images"
    missing = lacking(packages)
    if missing and found("apt-get") is None:
        return f"needs {' and '.join(missing)}, and there is no apt-get to install them by"
    return None


def install(packages: Mapping[str, str], progress: Progress) -> None:
    """Those that are lacking. Raises UnpreparedError and ImageFailedError."""
    why = obstacle(packages)
    if why is not None:
        raise UnpreparedError(f"Building the image {why}. A Docker daemon would do, too.")
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
            raise ImageFailedError(
                f"{label} ended with {outcome.exit_code}:\n{outcome.tail}\n"
                "Install them by hand, and try again."
            )
