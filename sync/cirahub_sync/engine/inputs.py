"""Inputs: what an item is folded from, out of the store."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.store.hub import Transaction


def inputs_of(tx: Transaction, ids: Sequence[str]) -> dict[str, list[FoldInput]]:
    """What these items are folded from, but for decisions."""
    by_item = tx.shadows.by_item(ids)
    ranks = tx.ranks(sorted({one.spoke for shadows in by_item.values() for one in shadows}))
    return {
        item: [
            FoldInput(shadow.spoke, ranks[shadow.spoke], shadow.native, shadow.own)
            for shadow in shadows
            if shadow.admitted
        ]
        for item, shadows in by_item.items()
    }
