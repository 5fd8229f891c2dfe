"""Items that the expression of a filter can't be evaluated for, as a condition says it."""

from __future__ import annotations

from cirahub_sync.engine.report import Failing


def unjudged(found: Failing) -> str:
    """How many, one of them, and what to do."""
    items = "1 item" if found.count == 1 else f"{found.count} items"
    return (
        f"the expression of receives.filter can't be evaluated for {items} (item {found.example}), "
        "so what is there stays as it is; guard what it asks for, with size(...) > 0, say"
    )
