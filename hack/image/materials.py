"""The list of what is in the image (SBOM), in CycloneDX's JSON, by CycloneDX's own tool."""

import subprocess
import sys
import venv
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from image.archive import Archive
from image.errors import ImageFailedError

DESCRIBED = "opt/cirahub/lib/python3.*/site-packages/*.dist-info/*"
"""What says, in the image, which Python packages it has."""


def write(archive: Archive, root: Path, into: Path) -> None:
    """Of the Python packages that are in the image, with the project as what they are parts of; not
    of the base. The same image makes the same file. Raises ImageFailedError."""
    with TemporaryDirectory(prefix="cirahub-materials-") as folder:
        files, environment = Path(folder, "image"), Path(folder, "environment")
        files.mkdir()
        archive.unpack(files, only=lambda path: fnmatch(path, DESCRIBED))
        (packages,) = files.glob("opt/cirahub/lib/python3.*/site-packages")
        # An environment that sees these packages and no others; the tool asks it.
        venv.create(environment, with_pip=False)
        (site,) = environment.glob("lib/python3.*/site-packages")
        (site / "image.pth").write_text(f"{packages}\n")
        told = subprocess.run(
            [
                *(sys.executable, "-m", "cyclonedx_py", "environment"),
                *("--pyproject", root / "pyproject.toml", "--mc-type", "application"),
                *("--output-reproducible", "--output-format", "JSON", "--output-file", into),
                environment / "bin" / "python",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if told.returncode != 0:
        raise ImageFailedError(f"cyclonedx-py ended with {told.returncode}:\n{told.stderr}")
