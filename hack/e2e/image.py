"""Images of the operator as a cluster is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cluster.progress import Progress
from image import Image as Built


@dataclass(frozen=True, slots=True)
class Image:
    repository: str
    tag: str
    digest: str = ""
    archive: Path | None = None
    """What is to be loaded. None: it is in a registry."""

    @classmethod
    def named(cls, name: str, archive: Path | None = None) -> Self:
        """``registry:5000/name:tag`` or ``name@sha256:…``."""
        whole, _, digest = name.partition("@")
        repository, colon, tag = whole.rpartition(":")
        if not colon or "/" in tag:
            repository, tag = whole, ""
        return cls(repository, tag, digest, archive)

    @classmethod
    def of_this_code(cls) -> Self:
        built = Built.find(Progress(speaker="image"))
        return cls.named(built.name, built.archive.file)

    @property
    def name(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def policy(self) -> str:
        return "IfNotPresent" if self.archive is None else "Never"

    @property
    def values(self) -> Mapping[str, str]:
        """Of the chart."""
        return {
            "repository": self.repository,
            "tag": self.tag,
            "digest": self.digest,
            "pullPolicy": self.policy,
        }
