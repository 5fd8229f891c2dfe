"""Release: who is about to go holds nobody any more, and what it contributed stays."""

from __future__ import annotations

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.flips import thaw
from cirahub_sync.engine.refold import refold
from cirahub_sync.store.departure import retire
from cirahub_sync.store.hub import Transaction


def release(context: PassContext, tx: Transaction, spoke: str) -> None:
    """What the spoke kept frozen with another is frozen no more; the rest of it is forgotten, and
    its contributions are the hub's own."""
    items = tx.freezes.of_spoke(spoke)
    for frozen in tx.freezes.of_items(items).values():
        for one in frozen:
            if spoke in one.writers:
                thaw(tx, one)
    if items:
        refold(context, tx, items)
    retire(tx, spoke)
