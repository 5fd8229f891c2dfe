"""An image in a file, as `docker save` and buildah write it: a configuration, and layers in order.

Source: OCI image specification 1.1, "Image Layer Filesystem Changeset", for what a layer removes;
docker/docs `image/spec/v1.2.md` for ``manifest.json``.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from image.errors import ImageError

REMOVED = ".wh."
ALL_REMOVED = ".wh..wh..opq"


@dataclass(frozen=True, slots=True)
class Archive:
    file: Path

    @property
    def size(self) -> int:
        """Bytes of all layers, uncompressed."""
        return self.file.stat().st_size

    @property
    def layers(self) -> list[str]:
        """Names inside of the archive, the lowest first."""
        layers: list[str] = self._manifest()["Layers"]
        return layers

    @property
    def tags(self) -> list[str]:
        tags: list[str] = self._manifest()["RepoTags"]
        return tags

    @property
    def config(self) -> Mapping[str, Any]:
        """What a runtime starts: ``User``, ``Entrypoint``, ``Cmd``, ``Env``, ``Labels`` and so on
        (OCI image configuration)."""
        config: Mapping[str, Any] = self._json(self._manifest()["Config"])["config"]
        return config

    @property
    def environment(self) -> dict[str, str]:
        return dict(variable.split("=", maxsplit=1) for variable in self.config["Env"])

    def unpack(self, into: Path, *, only: Callable[[str], bool] = lambda _: True) -> None:
        """Lay the layers over each other in an empty folder; with owners where we are root. Of
        those paths, relative to the root, that `only` wants."""
        # Whoever the image runs as has to get into it: a temporary folder is its owner's alone.
        into.chmod(0o755)
        for layer in self.layers:
            with tarfile.open(self.file) as archive:
                content = archive.extractfile(layer)
                if content is None:
                    raise ImageError(f"{self.file} lacks its layer {layer}: build it anew")
                # Read in one go: its members are as many as an environment's files.
                with content, tarfile.open(fileobj=content, mode="r|*") as files:
                    _lay(files, into, only)

    def _manifest(self) -> Any:
        (manifest,) = self._json("manifest.json")
        return manifest

    def _json(self, name: str) -> Any:
        with tarfile.open(self.file) as archive:
            content = archive.extractfile(name)
            if content is None:
                raise ImageError(f"{self.file} lacks {name}: it is no archive of an image")
            with content:
                return json.load(content)


def _lay(files: tarfile.TarFile, into: Path, only: Callable[[str], bool]) -> None:
    # Owners and modes as they are. Before 3.11.4 Python has no filters, and does that anyway.
    files.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
    for member in files:
        path = PurePosixPath(member.name)
        if ".." in path.parts or path.is_absolute():
            raise ImageError(f"a layer has the path {member.name}, which leads out of it")
        if path.name == ALL_REMOVED:
            for below in (into / path.parent).iterdir():
                _remove(below)
        elif path.name.startswith(REMOVED):
            _remove(into / path.with_name(path.name.removeprefix(REMOVED)))
        elif only(str(path)):
            target = into / path
            if not member.isdir() or (target.is_symlink() and not target.is_dir()):
                _remove(target)
            files.extract(member, into, numeric_owner=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
