"""Conflicts that wait for a person, as a condition says it."""

from __future__ import annotations

from cirahub_operator.conditions import CONFLICTS_PENDING, Statement


def undecided(conflicts: int, items: int) -> Statement:
    """How many conflicts wait, in how many items, and what to do."""
    verb = "waits" if conflicts == 1 else "wait"
    message = (
        f"{_counted(conflicts, 'conflict')} in {_counted(items, 'item')} {verb} for a person, and "
        "the hub shows what it had first; see them with `cirahub conflicts list` and decide with "
        "`cirahub conflicts resolve`, where the operator's store and its key are"
    )
    return Statement(CONFLICTS_PENDING, True, "DecisionNeeded", message)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun if count == 1 else noun + 's'}"
