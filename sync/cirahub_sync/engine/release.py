"""Release: what a spoke kept frozen with another is frozen no more, for it is about to go."""

from __future__ import annotations

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.flips import thaw
from cirahub_sync.engine.refold import refold
from cirahub_sync.store.hub import Transaction


def release(context: PassContext, tx: Transaction, spoke: str) -> None:
    """What the spoke contributed stays, and counts as anybody's."""
    items = tx.freezes.of_spoke(spoke)
    for frozen in tx.freezes.of_items(items).values():
        for one in frozen:
            if spoke in one.writers:
                thaw(tx, one)
    refold(context, tx, items)
