"""All benchmarks, or some: `make bench`, `make bench ONLY=fanout,engine`, `make bench FULL=1`.

Each is a program of its own, which starts what it needs; its figures are left in
build/bench/NAME.json. At the end stands what the project holds itself to, and whether it was met.
A goal that is short is no failure of the run.

Exit codes: 0 all ran, 1 one of them failed, 2 wrong options, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from demo.narration import Narration
from figures import Machine, Outcome
from goals import GOALS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Benchmark:
    script: str
    what: str
    full: tuple[str, ...] = ()
    """More arguments where there is no limit to time."""


BENCHMARKS = {
    "fanout": Benchmark(
        "fanout.py", "one mailbox's contacts to others, beside bare batches", ("--full",)
    ),
    "naive": Benchmark("naive.py", "a part of it by a loop over Microsoft's own client"),
    "carddav": Benchmark(
        "carddav.py", "two address books, beside vdirsyncer and bare requests", ("--full",)
    ),
    "engine": Benchmark(
        "merge.py", "the merge beside a bare executemany; the peak of memory", ("--items=100000",)
    ),
    "memory": Benchmark("memory.py", "the peak of memory of whole passes", ("--full",)),
    "operator": Benchmark(
        "spokes.py",
        "thousands of Spokes, beside a Kopf operator that does nothing",
        ("--spokes=10,1000,5000",),
    ),
    "members": Benchmark("members.py", "members of a SpokeSet", ("--members=10000",)),
    "quota": Benchmark(
        "quota.py", "what of Graph's quotas is used, in simulated time", ("--full",)
    ),
    "freshness": Benchmark(
        "freshness.py",
        "how soon a change is elsewhere: at an interval, and told of",
        ("--mailboxes=20,100", "--intervals=5,15"),
    ),
    "shards": Benchmark("shards.py", "a pass in parts, on PostgreSQL"),
    "simulator": Benchmark("simulator_creates.py", "what the simulator itself can take"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only",
        default=",".join(BENCHMARKS),
        metavar="NAMES",
        help=f"some of {', '.join(BENCHMARKS)}, with commas between (default: all)",
    )
    parser.add_argument("--full", action="store_true", help="large sizes, without a limit of time")
    parser.add_argument(
        "--into",
        type=Path,
        default=ROOT / "build" / "bench",
        metavar="FOLDER",
        help="where figures are left (default: build/bench)",
    )
    asked = parser.parse_args()
    names = asked.only.split(",")
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    tell = Narration()
    tell.say(str(Machine.this()))
    failed = []
    try:
        for name in names:
            tell.step(f"{name}: {BENCHMARKS[name].what}")
            if not _run(BENCHMARKS[name], asked.into / f"{name}.json", full=asked.full):
                failed.append(name)
    except KeyboardInterrupt:
        return INTERRUPTED
    tell.step("What it came to")
    outcomes = {
        name: Outcome.read(asked.into / f"{name}.json") for name in names if name not in failed
    }
    tell.table(
        ("FIGURE", "GOAL", "MEASURED", ""),
        [goal.verdict(outcomes) for goal in GOALS],
    )
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


def _run(benchmark: Benchmark, into: Path, *, full: bool) -> bool:
    """Its figures of an earlier run are gone, whatever becomes of this one."""
    into.unlink(missing_ok=True)
    arguments = [f"--into={into}", *(benchmark.full if full else ())]
    began = time.monotonic()
    told = subprocess.run(
        [sys.executable, HERE / benchmark.script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "hack")},
        check=False,
    )
    print(f"  {time.monotonic() - began:.0f} s", flush=True)
    return told.returncode == 0 and into.exists()


if __name__ == "__main__":
    sys.exit(main())
