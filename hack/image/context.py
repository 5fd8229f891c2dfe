"""What the image is made of: the files that `.dockerignore` lets through, and the `Dockerfile`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from image.errors import ImageError

EVERYTHING = "*"
LET_THROUGH = "!"
ANYWHERE = "**/"


@dataclass(frozen=True, slots=True)
class Context:
    root: Path
    """Of the repository."""

    @property
    def dockerfile(self) -> Path:
        return self.root / "Dockerfile"

    def digest(self) -> str:
        """Of all contents and of who may execute what, in hexadecimal."""
        digest = hashlib.sha256()
        for path in (self.dockerfile, *self.files()):
            executable = bool(path.stat().st_mode & 0o100)
            name = f"{path.relative_to(self.root)} {executable}".encode()
            for part in (name, path.read_bytes()):
                digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()

    def files(self) -> Iterator[Path]:
        """In an order that stays. Raises ImageError for a line of `.dockerignore` that is none of
        the three kinds known here: everything, something at the top let through, and a name that
        is left out anywhere."""
        tops: list[str] = []
        left_out: list[str] = []
        for line in (self.root / ".dockerignore").read_text().splitlines():
            if not line or line.startswith("#") or line == EVERYTHING:
                continue
            if line.startswith(LET_THROUGH) and "/" not in line:
                tops.append(line.removeprefix(LET_THROUGH))
            elif line.startswith(ANYWHERE):
                left_out.append(line.removeprefix(ANYWHERE))
            else:
                raise ImageError(
                    f".dockerignore has the line {line!r}, which hack/image can't read: write "
                    f"{LET_THROUGH}NAME for something at the top, or {ANYWHERE}NAME"
                )
        for top in sorted(tops):
            place = self.root / top
            found = sorted(place.rglob("*")) if place.is_dir() else [place]
            for path in found:
                parts = path.relative_to(self.root).parts
                if path.is_file() and not any(
                    fnmatch(part, name) for part in parts for name in left_out
                ):
                    yield path
