"""Inputs: what an item is folded from, out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cirahub_sync.configuration import DeletedBy
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.departed import Departed
from cirahub_sync.store.hub import Transaction


def inputs_of(
    context: PassContext, tx: Transaction, ids: Sequence[str]
) -> dict[str, list[FoldInput]]:
    """What these items are folded from, but for decisions. What went from a spoke counts if a
    person brought it back, or if nobody may delete."""
    said = list(tx.shadows.said(ids))
    gone = _standing(context, tx, ids)
    spokes = {spoke for _, spoke, _, _ in said}
    ranks = tx.ranks(sorted(spokes.union(row.spoke for row in gone)))
    found: dict[str, list[FoldInput]] = {item: [] for item in ids}
    for item, spoke, native, own in said:
        found[item].append(FoldInput(spoke, ranks[spoke], native, own))
    for row in gone:
        found[row.item] = _joined(found[row.item], row, ranks[row.spoke])
    return found


def _standing(context: PassContext, tx: Transaction, ids: Sequence[str]) -> list[Departed]:
    kept = context.hub.deletion.allowed_by is DeletedBy.NEVER
    departed = tx.departed.by_item(ids)
    return [row for rows in departed.values() for row in rows if kept or row.restored]


def _joined(inputs: Iterable[FoldInput], row: Departed, rank: int) -> list[FoldInput]:
    """One input a spoke: what its user says of a copy that they have now comes on top of what they
    had contributed."""
    others = [one for one in inputs if one.spoke != row.spoke]
    own, now = row.own, [one for one in inputs if one.spoke == row.spoke]
    for one in now:
        if one.native:
            return [*others, one]
        elements = dict(own.elements)
        for field, edits in one.own.elements.items():
            elements[field] = {**elements.get(field, {}), **edits}
        own = OwnEdits({**own.scalars, **one.own.scalars}, elements)
    return [*others, FoldInput(row.spoke, rank, native=True, own=own)]
