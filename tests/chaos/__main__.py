"""`python -m tests.chaos`: kill the worker at many boundaries, and set the state machine going.

Progress goes to standard error. Standard output has one line of JSON at the end:
{"crash_points": N, "duplicates": 0, "lost": 0, "unconverged": 0, "examples": M}. The exit code is
1 if anything was doubled, lost or did not converge, and 0 otherwise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path

import msgspec
from tests.chaos.campaign import (
    STORIES,
    Part,
    Result,
    parts_of_deaths,
    parts_of_examples,
    play,
)
from tests.chaos.settings import Setting
from tests.chaos.story import LIFE
from tests.chaos.tape import Boundary


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    if asked.switches is not None:
        settings: list[Setting] | None = [msgspec.json.decode(asked.switches, type=Setting)]
    else:
        settings = None
    parts: list[Part] = []
    if asked.boundary is not None:
        setting = settings[0] if settings else {}
        parts.append(Part(setting, story=asked.story, boundaries=(asked.boundary,)))
    else:
        parts += parts_of_examples(asked.examples, asked.seed, settings)
        parts += parts_of_deaths(asked.boundaries, asked.seed, settings)
    found = Result()
    for result in played(parts, asked.jobs):
        found += result
    summary = {
        "crash_points": found.crash_points,
        "duplicates": found.duplicates,
        "lost": found.lost,
        "unconverged": found.unconverged,
        "examples": found.examples,
    }
    sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    return 1 if found.bad else 0


def played(parts: Sequence[Part], jobs: int) -> list[Result]:
    started = time.monotonic()
    results: list[Result] = []
    total = Result()
    context = multiprocessing.get_context("spawn")
    # No max_tasks_per_child: a worker that has ended so counts as idle, and is waited for.
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        futures: list[Future[Result]] = [pool.submit(play, part) for part in parts]
        for future in as_completed(futures):
            result = future.result()
            results.append(result)
            total += result
            for line in result.told:
                sys.stderr.write(f"{line}\n")
            sys.stderr.write(
                f"{time.monotonic() - started:6.0f} s  {len(results)} of {len(parts)} parts: "
                f"{total.crash_points} crash points, {total.examples} examples, "
                f"{total.bad} bad ends\n"
            )
            sys.stderr.flush()
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--boundaries",
        type=int,
        default=550,
        help="how many deaths at least (default: %(default)s)",
    )
    parser.add_argument(
        "--examples", type=int, default=2000, help="of the state machine (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--switches",
        metavar="JSON",
        help="only this setting of the simulator's switches; {} is the likeliest",
    )
    parser.add_argument(
        "--boundary",
        type=Boundary.parse,
        metavar="KIND:NUMBER:MOMENT",
        help="only this death, request:17:late say, under --switches",
    )
    parser.add_argument(
        "--story",
        choices=sorted(STORIES),
        default=LIFE.name,
        help="that --boundary is one of (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    # Spawned processes import by the same path as this one.
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
