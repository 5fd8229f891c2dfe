"""Inputs: what an item is folded from, out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import DeletedBy
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.model.earlier import over, put_back
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import Kind
from cirahub_sync.store.departed import Departed
from cirahub_sync.store.earlier import Word
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
    for item, words in tx.rewound.counting(ids).items():
        ranks |= tx.ranks(sorted({word.spoke for word in words} - ranks.keys()))
        found[item] = _put_back(context, found[item], words, ranks)
    return found


def _standing(context: PassContext, tx: Transaction, ids: Sequence[str]) -> list[Departed]:
    kept = context.hub.deletion.allowed_by is DeletedBy.NEVER
    departed = tx.departed.by_item(ids)
    return [row for rows in departed.values() for row in rows if kept or row.restored]


def _put_back(
    context: PassContext,
    inputs: Sequence[FoldInput],
    words: Sequence[Word],
    ranks: Mapping[str, int],
) -> list[FoldInput]:
    """What a person put back counts in the place of what was said until then."""
    always = untouched(context.kind)
    found = {one.spoke: one for one in inputs}
    for word in words:
        one = found.get(word.spoke)
        if word.put_back is None or (one is None and not word.put_back.alone):
            continue  # dormant: nothing of the item is there
        if one is None:
            rank = ranks[word.spoke]
            one = FoldInput(word.spoke, rank, native=False, own=OwnEdits())
        own = put_back(one.own, word.put_back, word.seq, always)
        found[word.spoke] = msgspec.structs.replace(one, own=own)
    return list(found.values())


def untouched(kind: Kind) -> frozenset[str]:
    """Fields that say whose an item is, and which: that is so now, whatever is put back."""
    return kind.inbound | kind.identity


def _joined(inputs: Iterable[FoldInput], row: Departed, rank: int) -> list[FoldInput]:
    """One input a spoke: what its user says of a copy that they have now comes on top of what they
    had contributed."""
    others = [one for one in inputs if one.spoke != row.spoke]
    own, now = row.own, [one for one in inputs if one.spoke == row.spoke]
    for one in now:
        if one.native:
            return [*others, one]
        own = over(own, one.own)
    return [*others, FoldInput(row.spoke, rank, native=True, own=own)]
