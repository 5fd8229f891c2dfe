"""One image of one state of the code: found by what it is made of, or built."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster import debian
from cluster.build import cache_folder
from cluster.errors import BinariesMissingError
from cluster.progress import Progress
from image import indexes
from image.architecture import Architecture
from image.archive import Archive
from image.base import Base
from image.buildah import PACKAGES, Buildah
from image.context import Context
from image.docker import Docker
from image.errors import ImageFailedError, UnpreparedError

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = 6
"""Images: of the code as it is, and of earlier states."""
STORAGES_KEPT = 2
NAME = "cirahub-operator"
EARLIEST = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Image:
    name: str
    """With the tag, which stands for what it is made of."""
    archive: Archive

    @classmethod
    def obstacle(cls) -> str | None:
        """Why none can be had here, or None."""
        if Docker.of_this_machine(Progress()) is not None:
            return None
        if os.geteuid() != 0:
            return "needs root, for the file systems of images"
        return debian.obstacle(PACKAGES)

    @classmethod
    def find(
        cls, progress: Progress, *, base: str = "", architecture: Architecture | None = None
    ) -> Self:
        """The one of the code as it is now: from the cache, or built, which takes minutes the first
        time. `base` is an image with Python that is used in the place of the default;
        `architecture` is this machine's unless another is given. Raises ImageError."""
        context = Context(ROOT)
        docker = Docker.of_this_machine(progress)
        target = architecture or Architecture.of_this_machine()
        local = Base.of(target, _cache())
        below = base or ("official" if docker else local.key)
        made_from = f"{context.digest()} {below} {target.machine}"
        tag = hashlib.sha256(made_from.encode()).hexdigest()[:16]
        folder = _cache() / f"image-{tag}"
        archive = Archive(folder / "image.tar")
        image = cls(f"localhost/{NAME}:{tag}", archive)
        with _alone(progress):
            if not folder.is_dir():
                began = time.monotonic()
                for left in _cache().glob("partial-*"):
                    shutil.rmtree(left)
                partial = folder.with_name(f"partial-{folder.name}")
                partial.mkdir()
                image._build(partial / archive.file.name, docker, local, base, progress)
                partial.rename(folder)
                progress.update(f"built {image.name}", began)
            os.utime(folder)
            _forget("image-*", KEPT)
        return image

    def _build(
        self, into: Path, docker: Docker | None, local: Base, base: str, progress: Progress
    ) -> None:
        arguments = _labels()
        if base:
            arguments |= {"BUILD_IMAGE": base, "BASE_IMAGE": base}
        builder: Docker | Buildah
        if docker is not None:
            builder = docker
        else:
            local.architecture.ready()
            progress.say("no Docker daemon answers: buildah builds it")
            _install(progress)
            below = f"{base} {local.architecture.machine}" if base else local.key
            builder = Buildah.of(self._storage(below), progress)
            if not base:
                local.prepare(progress)
                arguments |= builder.take_in(local)
        with indexes.secrets() as secrets:
            builder.build(
                ROOT,
                name=self.name,
                architecture=local.architecture,
                arguments=arguments,
                secrets=secrets,
                into=into,
            )

    @staticmethod
    def _storage(below: str) -> Path:
        """Layers of packages stay for as long as packages do, and layers of code with them; those
        of other packages go."""
        pinned = [ROOT / name for name in ("Dockerfile", "requirements-runtime.lock")]
        made_from = b"\n".join([below.encode(), *(path.read_bytes() for path in pinned)])
        place = _cache() / f"storage-{hashlib.sha256(made_from).hexdigest()[:16]}"
        place.mkdir(parents=True, exist_ok=True)
        os.utime(place)
        _forget("storage-*", STORAGES_KEPT)
        return place


def _install(progress: Progress) -> None:
    why = Image.obstacle()
    if why is not None:
        raise UnpreparedError(f"Building the image {why}. A Docker daemon would do, too.")
    try:
        debian.install(PACKAGES, progress)
    except BinariesMissingError as error:
        raise ImageFailedError(str(error)) from error


def _labels() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {
        "VERSION": project["version"],
        # By its hash, whatever tags there are; with ``-dirty`` if it is not what was committed.
        "REVISION": _git("describe", "--always", "--abbrev=40", "--exclude=*", "--dirty")
        or "unknown",
        # Of the commit: the same commit makes the same image.
        "CREATED": _git(
            "show", "--no-patch", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"
        )
        or EARLIEST,
    }


def _git(*arguments: str) -> str:
    """What it answers; nothing outside of a clone."""
    git = debian.found("git")
    if git is None:
        return ""
    told = subprocess.run(
        [git, *arguments],
        cwd=ROOT,
        env={**os.environ, "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() if told.returncode == 0 else ""


def _cache() -> Path:
    """Beside that of the control plane."""
    return cache_folder().with_name("image")


def _forget(pattern: str, kept: int) -> None:
    """All but those used last."""
    by_use = sorted(_cache().glob(pattern), key=lambda folder: folder.stat().st_mtime)
    for folder in by_use[:-kept]:
        shutil.rmtree(folder)


@contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Two builds at once take turns; the second finds everything done."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting for another build to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
