"""`make prove`: break each guard in a copy of the tree, and see that its tests fail."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from prove import trust
from prove.breakage import BREAKAGES, Breakage

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("operator", "sync", "simulator")
_FAILED = 1
"""pytest's exit code when tests ran and some failed."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="prove",
        description="Break the code of each invariant on purpose and check that a test fails.",
        epilog="Exit codes: 0 every breakage was noticed; 1 one was not.",
    )
    parser.add_argument(
        "--only",
        metavar="N",
        help="only the breakages of invariant N of the design, or of a section (trust)",
    )
    wanted = parser.parse_args().only
    chosen = [
        breakage
        for breakage in (*BREAKAGES, *trust.BREAKAGES)
        if wanted is None or str(breakage.invariant).lower() == wanted.lower()
    ]
    unnoticed = 0
    with tempfile.TemporaryDirectory(prefix="cirahub-prove-") as folder:
        tree = Path(folder) / "tree"
        files = subprocess.check_output(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
        )
        for name in files.splitlines():
            source = ROOT / name
            if source.is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, tree / name)
        targets = sorted({target for breakage in chosen for target in breakage.tests.split()})
        code, told = _pytest(tree, targets)
        print(f"unbroken: {told}", flush=True)
        if code != 0:
            print("the tests fail without anything being broken; mend them first")
            return 1
        for breakage in chosen:
            unnoticed += not _noticed(tree, breakage)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} breakages noticed")
    return 1 if unnoticed else 0


def _noticed(tree: Path, breakage: Breakage) -> bool:
    path = tree / breakage.file
    whole = path.read_text(encoding="utf-8")
    guarded = breakage.invariant
    label = f"invariant {guarded:>2}" if isinstance(guarded, int) else guarded
    label += f": {breakage.what}"
    if whole.count(breakage.old) != 1:
        print(f"{label}: {breakage.file} has changed; write this breakage anew")
        return False
    started = time.monotonic()
    path.write_text(whole.replace(breakage.old, breakage.new), encoding="utf-8")
    try:
        code, told = _pytest(tree, breakage.tests.split())
    finally:
        path.write_text(whole, encoding="utf-8")
    noticed = code == _FAILED
    verdict = "noticed" if noticed else "NOT NOTICED"
    seconds = time.monotonic() - started
    print(f"{label}: {verdict} by {breakage.tests} ({told}, {seconds:.0f} s)", flush=True)
    return noticed


def _pytest(tree: Path, targets: list[str]) -> tuple[int, str]:
    """Run the tests on the copy: its packages come before the installed ones."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(tree / package) for package in PACKAGES),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "2", *targets],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    closing = [line for line in done.stdout.splitlines() if re.search(r"\b(passed|failed)\b", line)]
    return done.returncode, closing[-1].strip("= ") if closing else done.stdout[-300:]


if __name__ == "__main__":
    sys.exit(main())
