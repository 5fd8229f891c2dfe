"""Bringing back what spokes' users deleted: a person's decision, and an input of the fold.

What had been contributed counts again as the hub's own, until its spoke leaves or its user has the
item again. A mailbox that receives gets the item back as a copy; one that only contributes is never
written to.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.refold import refold
from cirahub_sync.store.departed import Departed
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Item, ReplicaState

SAME_DEATH = 60.0
"""Seconds before an item's death within which what went belongs to it."""


class Comeback(msgspec.Struct, frozen=True):
    """An item that would come back, or gain something again, and from which spokes' part."""

    item: str
    spokes: Sequence[str]
    """Uids."""
    alive: bool
    """Whether the item lives as it is, and only gains."""


def to_restore(
    tx: Transaction, *, items: Sequence[str] = (), spoke: str = "", since: float | None = None
) -> list[Comeback]:
    """What went after `since` from these items or from this spoke; without a time, what went when
    each item died."""
    rows = tx.departed.of_spoke(spoke, "", 10**6) if spoke else _of(tx, items)
    by_item: dict[str, list[Departed]] = {item: [] for item in items}
    for row in rows:
        if not row.restored and (not spoke or row.spoke == spoke):
            by_item.setdefault(row.item, []).append(row)
    known = tx.items.get(list(by_item))
    condemned = tx.condemned.of(list(by_item))
    found: list[Comeback] = []
    for item, gone in sorted(by_item.items()):
        before = known.get(item)
        alive = before is not None and before.alive
        moment = since if since is not None else _death(before, gone)
        spokes = sorted(one.spoke for one in gone if one.gone_at > moment)
        undone = item in condemned and not alive and (not spoke or condemned[item] == spoke)
        if spokes or undone:
            found.append(Comeback(item, spokes, alive))
    return found


def restore(context: PassContext, tx: Transaction, chosen: Sequence[Comeback]) -> None:
    """They count again; the next pass brings them to the receivers."""
    for one in chosen:
        for spoke in one.spokes:
            tx.departed.mark(spoke, [one.item], restored=True)
            kept = tx.replicas.by_item(spoke, [one.item]).get(one.item)
            if kept is not None and kept.native and kept.state is ReplicaState.DETACHED:
                tx.replicas.remove(spoke, [one.item])
                tx.pending.reconsider(spoke, [one.item])
    tx.condemned.lift([one.item for one in chosen])
    refold(context, tx, [one.item for one in chosen])


def take_back(context: PassContext, tx: Transaction, items: Sequence[str]) -> list[str]:
    """What was brought back counts no more: what lived by it dies, with the usual grace. Returns
    the items."""
    rows = [row for row in _of(tx, items) if row.restored]
    now = context.clock()
    tx.departed.put([msgspec.structs.replace(row, restored=False, gone_at=now) for row in rows])
    found = sorted({row.item for row in rows})
    refold(context, tx, found)
    return found


def _of(tx: Transaction, items: Sequence[str]) -> list[Departed]:
    return [row for rows in tx.departed.by_item(items).values() for row in rows]


def _death(item: Item | None, gone: Sequence[Departed]) -> float:
    """From when on what went counts as part of the item's death."""
    if item is not None and item.alive:
        return float("inf")
    if item is not None and item.deleted_at is not None:
        return item.deleted_at - SAME_DEATH
    return max((row.gone_at for row in gone), default=0.0) - SAME_DEATH
