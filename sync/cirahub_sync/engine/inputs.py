"""Inputs: what an item is folded from, out of the store."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.store.hub import Transaction


def inputs_of(tx: Transaction, ids: Sequence[str]) -> dict[str, list[FoldInput]]:
    """What these items are folded from, but for decisions."""
    said = list(tx.shadows.said(ids))
    ranks = tx.ranks(sorted({spoke for _, spoke, _, _ in said}))
    found: dict[str, list[FoldInput]] = {item: [] for item in ids}
    for item, spoke, native, own in said:
        found[item].append(FoldInput(spoke, ranks[spoke], native, own))
    return found
