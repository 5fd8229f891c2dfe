"""Hold what a whole test run said to what must never be said.

    python -m tests.silence.judge SAID RECORDINGS

SAID is the folder in which the run's processes noted their log records, the texts of our errors,
what ended them and what a scrape would have shown, and its API servers each status and event that
was written. RECORDINGS is what the simulators recorded. Exit codes: 0 nothing was said; 1 something
was, or there was nothing to look at; 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.silence.canaries import Canaries, gathered

from cirahub_simulator.seed.loader import secrets

SHOWN = 20
WRITES = frozenset({"create", "update", "patch"})
KINDS = ("log", "error", "metric", "status", "event")
"""Of what is said: each has to be there, or the run was not listened to."""


def said(folder: Path) -> Iterator[tuple[str, str]]:
    """Kind and text of everything."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open() as lines:
            for line in lines:
                one = json.loads(line)
                if "auditID" in one:
                    yield from _written(one)
                else:
                    yield one["kind"], one["text"]


def _written(entry: dict[str, object]) -> Iterator[tuple[str, str]]:
    """What a request to an API server says of an object."""
    body, about = entry.get("requestObject"), entry.get("objectRef")
    if entry.get("verb") not in WRITES or not isinstance(body, dict):
        return
    if not isinstance(about, dict):
        return
    if about.get("subresource") == "status":
        yield "status", json.dumps(body.get("status", body), ensure_ascii=False)
    elif about.get("resource") == "events":
        yield "event", json.dumps(body, ensure_ascii=False)


def judge(folder: Path, canaries: Canaries) -> tuple[list[str], int]:
    """What to tell, and how much was found or is missing."""
    texts: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    bad: list[tuple[str, str, str, str]] = []
    for kind, text in said(folder):
        texts[kind] += 1
        if (kind, text) not in seen:
            seen.add((kind, text))
            bad += [(kind, text, what, canary) for what, canary in canaries.found(text)]
    processes = len(list(folder.glob("*.jsonl")))
    heard = ", ".join(f"{texts[kind]:,} of kind {kind}" for kind in sorted(texts))
    held = ", ".join(f"{count:,} {what}" for what, count in canaries.counts().items())
    lines = [
        f"said by {processes} processes: {heard or 'nothing'}",
        f"held against {held}: {len(bad)} found",
    ]
    lines += [
        f"  a {what} in a text of kind {kind}: {canary!r} in {text[:300]!r}"
        for kind, text, what, canary in bad[:SHOWN]
    ]
    missing = [kind for kind in KINDS if not texts[kind]]
    missing += [what for what, count in canaries.counts().items() if not count]
    if missing:
        lines.append(f"  there was nothing of: {', '.join(missing)}")
    return lines, len(bad) + len(missing)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("said", type=Path, help="what CIRAHUB_TEST_SAID named")
    parser.add_argument(
        "recordings", type=Path, help="what CIRAHUB_SIMULATOR_RECORDINGS named, of the same run"
    )
    chosen = parser.parse_args()
    for folder in (chosen.said, chosen.recordings):
        if not folder.is_dir():
            parser.error(f"{folder} is no folder")
    canaries = gathered(sorted(chosen.recordings.glob("*.jsonl")), secrets())
    lines, problems = judge(chosen.said, canaries)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
