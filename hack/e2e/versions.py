"""The code as it is, and as it was a commit before: a chart and an image each."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from e2e.errors import EndToEndError
from e2e.image import Image

ROOT = Path(__file__).resolve().parent.parent.parent
PREVIOUS = "HEAD~1"
CHART = "charts/cirahub-operator"
MIGRATIONS = "sync/cirahub_sync/store/migrations/versions"

FIND = """
from cluster.progress import Progress
from image import Image
image = Image.find(Progress(speaker="image"))
print(image.name, image.archive.file, sep="\\n")
"""


@dataclass(frozen=True, slots=True)
class Version:
    what: str
    """For people."""
    root: Path
    image: Image

    @property
    def chart(self) -> Path:
        return self.root / CHART

    @property
    def schema(self) -> frozenset[str]:
        """Migrations of the store that it knows."""
        return frozenset(file.name for file in (self.root / MIGRATIONS).glob("[0-9]*.py"))

    @classmethod
    def now(cls, image: Image | None) -> Self:
        return cls("this code", ROOT, image or Image.of_this_code())

    @classmethod
    def before(cls, folder: Path, revision: str = PREVIOUS) -> Self | None:
        """An earlier commit, laid out in `folder` and built by its own tools. None where there is
        none before this one, or it has no image or no chart."""
        commit = _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if commit is None and revision == PREVIOUS:
            return None
        files = _git("archive", revision) if commit else None
        if commit is None or files is None:
            raise EndToEndError(f"git has no commit {revision}: is this clone whole?")
        with tarfile.open(fileobj=io.BytesIO(files)) as archive:
            # Python has filters since 3.11.4; what git writes needs none.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(folder)  # noqa: S202 (by the filter, and of our own)
        if not (folder / CHART).is_dir() or not (folder / "hack/image").is_dir():
            return None
        told = subprocess.run(
            [sys.executable, "-c", FIND],
            env={**os.environ, "PYTHONPATH": str(folder / "hack")},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if told.returncode != 0:
            raise EndToEndError(f"The image of {revision} could not be built; see above.")
        name, place = told.stdout.splitlines()
        image = Image.named(name, Path(place))
        return cls(f"an earlier commit ({commit.decode().strip()[:10]})", folder, image)


def _git(*arguments: str) -> bytes | None:
    outcome = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)
    return outcome.stdout if outcome.returncode == 0 else None
