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


def to_restore(tx: Transaction, items: Sequence[str]) -> list[Comeback]:
    """What went of these items when each of them died."""
    by_item = {item: [row for row in rows if not row.restored] for item, rows in _of(tx, items)}
    known = tx.items.get(list(by_item))
    condemned = tx.condemned.of(list(by_item))
    found: list[Comeback] = []
    for item, gone in sorted(by_item.items()):
        before = known.get(item)
        alive = before is not None and before.alive
        moment = _death(before, gone)
        spokes = sorted(one.spoke for one in gone if one.gone_at > moment)
        if spokes or (item in condemned and not alive):
            found.append(Comeback(item, spokes, alive))
    return found


def restore(context: PassContext, tx: Transaction, chosen: Sequence[Comeback]) -> None:
    """They count again; the next pass brings them to the receivers."""
    for one in chosen:
        for spoke in one.spokes:
            tx.departed.mark(spoke, [one.item], restored=True)
            receive_again(tx, spoke, one.item)
    tx.condemned.lift([one.item for one in chosen])
    refold(context, tx, [one.item for one in chosen])


def receive_again(tx: Transaction, spoke: str, item: str) -> None:
    """That the spoke's user removed it is remembered no more."""
    kept = tx.replicas.by_item(spoke, [item]).get(item)
    if kept is not None and kept.state is ReplicaState.DETACHED:
        tx.replicas.remove(spoke, [item])
        tx.pending.reconsider(spoke, [item])


def take_back(
    context: PassContext, tx: Transaction, items: Sequence[str], spoke: str = ""
) -> list[str]:
    """What was brought back of these items, or of the spoke's part of them, counts no more: what
    lived by it dies, with the usual grace. Returns those of which something was."""
    rows = [
        row
        for _, gone in _of(tx, items)
        for row in gone
        if row.restored and (not spoke or row.spoke == spoke)
    ]
    now = context.clock()
    tx.departed.put([msgspec.structs.replace(row, restored=False, gone_at=now) for row in rows])
    found = sorted({row.item for row in rows})
    refold(context, tx, found)
    return found


def _of(tx: Transaction, items: Sequence[str]) -> list[tuple[str, list[Departed]]]:
    """By item, each once."""
    departed = tx.departed.by_item(items)
    return [(item, departed.get(item, [])) for item in dict.fromkeys(items)]


def _death(item: Item | None, gone: Sequence[Departed]) -> float:
    """From when on what went counts as part of the item's death."""
    if item is not None and item.alive:
        return float("inf")
    if item is not None and item.deleted_at is not None:
        return item.deleted_at - SAME_DEATH
    return max((row.gone_at for row in gone), default=0.0) - SAME_DEATH
