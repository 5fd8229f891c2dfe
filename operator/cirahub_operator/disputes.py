"""Conflicts that wait for a person, as a condition says it."""

from __future__ import annotations

from cirahub_operator.conditions import CONFLICTS_PENDING, Statement
from cirahub_sync.engine.report import PassReport


def undecided(report: PassReport) -> Statement:
    """How many conflicts wait, in how many items, and what to do."""
    verb = "waits" if report.undecided == 1 else "wait"
    message = (
        f"{_counted(report.undecided, 'conflict')} in {_counted(report.disputed, 'item')} {verb} "
        f"for a person{_frozen(report)}, and "
        "the hub shows what it had first; see them with `cirahub conflicts list` and decide with "
        "`cirahub conflicts resolve`, where the operator's store and its key are"
    )
    return Statement(CONFLICTS_PENDING, True, "DecisionNeeded", message)


def frozen(report: PassReport) -> str:
    """What the pass froze, and who kept changing it."""
    what = f"{_counted(report.froze, 'field')} of items"
    if report.feud is not None:
        what += f", {report.feud.field} last, by {' and '.join(report.feud.spokes)}"
    return (
        f"changed back and forth three times within 24 hours and frozen: {what}; see what does "
        "that there, and decide with `cirahub conflicts resolve`"
    )


def _frozen(report: PassReport) -> str:
    if report.feud is None:
        return ""
    holder, other = report.feud.spokes
    count = "1 is a field" if report.frozen == 1 else f"{report.frozen} are fields"
    return (
        f" ({count} that two Spokes kept changing back and forth: {report.feud.field}, by "
        f"{holder} and {other}{', last' if report.frozen > 1 else ''})"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"
