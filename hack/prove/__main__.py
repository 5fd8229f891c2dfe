"""`make prove`: break each guard in a copy of the tree, and see that its tests fail."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cluster import ControlPlane
from cluster.access import EXISTING
from prove.breakage import Breakage
from prove.breakages import BREAKAGES
from prove.check import complaints
from prove.trial import Outcome, Tree, Verdict

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="prove",
        description="Break the code of each promise on purpose and check that a test fails.",
        epilog="Exit codes: 0 every breakage was noticed; 1 one was not, or no longer fits.",
    )
    parser.add_argument(
        "--only",
        metavar="WORDS",
        help="only the breakages of invariant N, of a section (trust), or with these words in "
        "their description",
    )
    parser.add_argument(
        "--check", action="store_true", help="only see that every breakage still fits the code"
    )
    parser.add_argument(
        "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="trials at the same time"
    )
    asked = parser.parse_args()
    chosen = [one for one in BREAKAGES if asked.only is None or _is_meant(one, asked.only)]
    misfits = complaints(ROOT, chosen)
    print("\n".join([*misfits, f"{len(chosen)} breakages, {len(misfits)} of them don't fit"]))
    if misfits or asked.check or not chosen:
        return 1 if misfits or not chosen else 0
    with ExitStack() as stack:
        # One for all, which saves each run the making of its own.
        kubeconfig = (
            None if EXISTING in os.environ else stack.enter_context(ControlPlane.start()).kubeconfig
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cirahub-prove-")))
        trees = [Tree(ROOT, folder / str(number), kubeconfig) for number in range(asked.jobs)]
        if not _sound(trees[0], chosen):
            print("the tests fail without anything being broken; mend them first")
            return 1
        outcomes = _tried(trees, chosen)
    print("\n".join(_table(outcomes)))
    noticed = sum(one.verdict is Verdict.NOTICED for one in outcomes)
    print(f"{noticed} of {len(outcomes)} breakages noticed")
    return 0 if noticed == len(outcomes) else 1


def _is_meant(breakage: Breakage, words: str) -> bool:
    if words.isdecimal():
        return breakage.guards == int(words)
    return words.lower() in breakage.label.lower()


def _sound(tree: Tree, chosen: Iterable[Breakage]) -> bool:
    """Whether the tests pass as long as nothing is broken."""
    sound = True
    for own_cluster in (False, True):
        targets = _targets([one for one in chosen if one.own_cluster is own_cluster])
        if targets:
            started = time.monotonic()
            fine, said = tree.unbroken(targets, own_cluster=own_cluster)
            print(f"unbroken: {said} ({time.monotonic() - started:.0f} s)", flush=True)
            sound = sound and fine
    return sound


def _targets(breakages: Iterable[Breakage]) -> list[str]:
    """Each test once: not by itself beside the whole file that it is in."""
    every = {target for one in breakages for target in one.tests.split()}
    files = {target for target in every if "::" not in target}
    return sorted(
        target for target in every if target in files or target.partition("::")[0] not in files
    )


def _tried(trees: Sequence[Tree], chosen: Sequence[Breakage]) -> list[Outcome]:
    """In the order of `chosen`; each is printed when it is known."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(breakage: Breakage) -> Outcome:
        tree = free.get()
        try:
            return tree.tried(breakage)
        finally:
            free.put(tree)

    with ThreadPoolExecutor(max_workers=len(trees)) as pool:
        running = [pool.submit(one, breakage) for breakage in chosen]
        for number, done in enumerate(as_completed(running), 1):
            outcome = done.result()
            print(
                f"[{number}/{len(chosen)}] {outcome.breakage.label}: {outcome.verdict} in "
                f"{outcome.seconds:.0f} s ({outcome.why[:200]})",
                flush=True,
            )
        return [each.result() for each in running]


def _table(outcomes: Sequence[Outcome]) -> list[str]:
    rows = [("GUARDS", "WITHOUT IT", "", "BY", "SECONDS")]
    rows += [
        (
            str(one.breakage.guards),
            one.breakage.what,
            str(one.verdict),
            one.why.partition(": ")[0] if one.verdict is Verdict.NOTICED else one.why[:80],
            f"{one.seconds:.0f}",
        )
        for one in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


if __name__ == "__main__":
    sys.exit(main())
