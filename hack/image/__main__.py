"""The image by hand: ``python hack/image``, or ``make image``.

Exit codes: 0 done, 1 it could not be done and stderr says why, 2 wrong options, 130 interrupted.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

if not __package__:
    # Run as a folder, Python puts the folder itself on the path instead of its parent.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from cluster.progress import Progress
from image import materials
from image.architecture import MACHINES, Architecture
from image.errors import ImageError
from image.product import ROOT, Image
from image.sandbox import Sandbox

INTERRUPTED = 130
RUNS = 5
STARTS = {
    "cirahub --version": ("cirahub", "--version"),
    "what the operator loads": ("python", "-c", "import cirahub_operator.operation"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="hack/image", description=__doc__)
    parser.add_argument("--base", default="", metavar="IMAGE", help="an image with Python, to use")
    parser.add_argument(
        "--arch",
        default="",
        choices=("", *MACHINES),
        help="what it is for; by default, and if blank, this machine",
    )
    parser.add_argument(
        "--into", type=Path, default=ROOT / "build" / "image", help="folder of what is made"
    )
    options = parser.parse_args()
    progress = Progress(speaker="image")
    try:
        architecture = Architecture.named(options.arch)
        image = Image.find(progress, base=options.base, architecture=architecture)
        options.into.mkdir(parents=True, exist_ok=True)
        place = options.into / "image.tar"
        place.unlink(missing_ok=True)
        place.symlink_to(image.archive.file)
        list_of_parts = options.into / "sbom.cdx.json"
        materials.write(image.archive, ROOT, list_of_parts)
        print(f"{image.name}\n  archive {place}\n  parts   {list_of_parts}")
        size = image.archive.size / 1e6
        print(f"  size    {size:.0f} MB in {len(image.archive.layers)} layers, uncompressed")
        for what, seconds in _starts(image).items():
            how = f" (emulated {architecture.name})" if architecture.foreign else ""
            print(f"  start   {what}: {seconds:.2f} s{how}")
    except ImageError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _starts(image: Image) -> dict[str, float]:
    """Seconds, the median of some runs; without root, none."""
    if os.geteuid() != 0:
        return {}
    with TemporaryDirectory(prefix="cirahub-image-") as folder:
        image.archive.unpack(Path(folder))
        sandbox = Sandbox(Path(folder), image.archive)
        return {what: _median(sandbox, command) for what, command in STARTS.items()}


def _median(sandbox: Sandbox, command: tuple[str, ...]) -> float:
    taken = []
    for _ in range(RUNS):
        began = time.monotonic()
        told = sandbox.run(*command)
        taken.append(time.monotonic() - began)
        if told.returncode != 0:
            raise ImageError(f"{' '.join(command)} does not start in the image:\n{told.stderr}")
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
