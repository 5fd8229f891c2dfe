"""The figures that the project holds itself to, and what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from figures import Outcome


@dataclass(frozen=True, slots=True)
class Goal:
    what: str
    benchmark: str
    figure: str
    """By its name in the benchmark's file."""
    limit: float
    at_least: bool = False
    floor: str = ""
    """Another figure of the same benchmark: what is left of this one if all is done without that
    could be."""

    def verdict(self, outcomes: Mapping[str, Outcome]) -> tuple[str, str, str, str]:
        """The row of the table: figure, goal, measured, verdict."""
        sign = "≥" if self.at_least else "≤"
        goal = f"{sign} {self.limit:g}"
        outcome = outcomes.get(self.benchmark)
        found = outcome.figures.get(self.figure) if outcome else None
        if found is None:
            return self.what, goal, "", "not measured"
        met = found.median >= self.limit if self.at_least else found.median <= self.limit
        verdict = "met" if met else "short"
        floor = outcome.figures.get(self.floor) if outcome else None
        if not met and floor is not None:
            verdict = f"short; {self.floor}: {floor.median:.3g}"
        return self.what, goal, f"{found.median:.3g}", verdict


GOALS = (
    Goal(
        "fanout first pass, wall, ours / bare",
        "fanout",
        "1,000 to 20: first pass, wall, ours / bare",
        1.25,
        floor="1,000 to 20: kept, wall / bare",
    ),
    Goal(
        "fanout to many mailboxes, first pass, wall, ours / bare",
        "fanout",
        "100 to 1,000: first pass, wall, ours / bare",
        1.25,
        floor="100 to 1,000: kept, wall / bare",
    ),
    Goal(
        "CPU of our process per contact written, store included, µs",
        "fanout",
        "1,000 to 20: first pass, our CPU, µs a contact written",
        60,
        floor="1,000 to 20: kept, CPU, µs a contact written",
    ),
    Goal("fanout no-op, requests", "fanout", "1,000 to 20: no-op pass, requests", 1),
    Goal(
        "fanout 1 % changed, wall, ours / bare",
        "fanout",
        "1,000 to 20: 1 % changed, wall, ours / bare",
        1.5,
        floor="1,000 to 20: 1 % changed, read and kept, wall / bare",
    ),
    Goal(
        "ours / msgraph-sdk loop, first pass",
        "naive",
        "first pass, wall, ours / msgraph-sdk loop",
        0.05,
    ),
    Goal(
        "carddav first sync, wall, ours / bare PUTs of the same bytes",
        "carddav",
        "first sync, wall, ours / bare",
        1.05,
        floor="first sync, wall, bare, reads and loading / bare",
    ),
    Goal(
        "carddav first sync, client CPU, ours / vdirsyncer",
        "carddav",
        "first sync, CPU, ours / vdirsyncer",
        0.4,
        floor="first sync, CPU, bare / vdirsyncer",
    ),
    Goal(
        "carddav no-op, whole process, ours / vdirsyncer",
        "carddav",
        "no-op, process, ours / vdirsyncer",
        0.9,
        floor="no-op, process, loading alone / vdirsyncer",
    ),
    Goal(
        "engine fold into SQLite, wall, ours / bare executemany",
        "engine",
        "first sight, wall, ours / bare",
        3,
    ),
    Goal("peak RSS of a pass at 1,000,000 hub items, MB", "memory", "1,000,000: peak RSS, MB", 300),
    Goal(
        "operator RSS at 5,000 Spokes, ours / do-nothing Kopf",
        "operator",
        "5,000: RSS at rest, ours / Kopf alone",
        1.5,
    ),
    Goal(
        "API writes per idle hub pass",
        "operator",
        "5,000: API writes an idle pass",
        1,
    ),
    Goal(
        "quota use, 10,000 mailboxes, in simulated time",
        "quota",
        "10,000: share of the permitted rate",
        0.95,
        at_least=True,
    ),
    Goal(
        "quota, 10,000 mailboxes: 429s of all answers",
        "quota",
        "10,000: 429s of all answers",
        0.001,
    ),
    Goal(
        "freshness with notifications, 100 mailboxes, p99, s",
        "freshness",
        "100 mailboxes, notified: p99, s",
        5,
    ),
)
