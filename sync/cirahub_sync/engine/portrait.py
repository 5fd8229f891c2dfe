"""Portrait: whose photo an item has. As the fold, it is made anew of what people put in: take one
away, and it is what it would be without."""

from __future__ import annotations

from collections.abc import Mapping

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.refold import rules_in
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.portraits import Claim, Portrait

_LAST = 1 << 30


def choose(
    claims: list[Claim], order: Mapping[str, int], ranks: Mapping[str, int]
) -> dict[str, Portrait]:
    """By item, the photo of whom `conflicts.priority` names first, and else of who joined first."""

    def place(one: Claim) -> tuple[int, int, str, str]:
        return order.get(one.spoke, _LAST), ranks.get(one.spoke, _LAST), one.spoke, one.remote

    found: dict[str, Portrait] = {}
    for one in sorted(claims, key=place):
        found.setdefault(one.item, Portrait(one.digest, one.spoke))
    return found


def portray(context: PassContext, tx: Transaction) -> list[str]:
    """Note whose photo each item has; the items that have another one than before, or none."""
    ranks = {uid: row.rank for uid, row in tx.spokes().items()}
    found = choose(tx.portraits.claims(), rules_in(context, tx).order, ranks)
    before = tx.portraits.all()
    changed = {
        item: found.get(item)
        for item in found.keys() | before.keys()
        if found.get(item) != before.get(item)
    }
    tx.portraits.put(changed)
    tx.pictures.purge()
    return sorted(
        item
        for item, one in changed.items()
        if one is None or item not in before or before[item].digest != one.digest
    )
