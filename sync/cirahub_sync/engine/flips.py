"""Flips: noticing that two spokes keep taking a field back from each other, and stopping that.

A spoke *flips* a field when it gives it back what it had said of it last, over what it has received
from others since. When the last three flips of a field (in a list: of one of its elements) between
two spokes alternate, and no more than a day is between the first and the third of them, the field
is frozen for these two: see `frozen`. Whose tool, app or service does that, and whether somebody
means it, cannot be seen from here and does not matter.

Nothing is read or written for what does not flip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.frozen import hold, in_force, seen_until
from cirahub_sync.engine.report import Feud, PassReport
from cirahub_sync.engine.rules import FoldInput
from cirahub_sync.model.field_names import manifest_name
from cirahub_sync.model.freeze import Flip, Freeze
from cirahub_sync.model.observe import Return
from cirahub_sync.store.hub import Transaction

_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode

FLIPS = 3
"""Alternating flips of one field between two spokes, at which it is frozen."""
FLIPS_COUNT_FOR = 86_400.0
"""Seconds."""


def rival(flips: Sequence[Flip], spoke: str) -> str | None:
    """With whom the spoke, which flipped last, has taken turns `FLIPS` times within a day; of
    several, with whom it did so last. `flips` are those of one field, in the order in which they
    came."""
    last = flips[-1]
    recent = [one for one in flips if last.at - one.at <= FLIPS_COUNT_FOR]
    for other in dict.fromkeys(one.spoke for one in reversed(recent)):
        turns = [one.spoke for one in recent if one.spoke in (spoke, other)][-FLIPS:]
        if other != spoke and turns == [spoke, other, spoke]:
            return other
    return None


def notice(
    context: PassContext,
    tx: Transaction,
    spoke: str,
    returns: Iterable[tuple[str, int, Return]],
) -> None:
    """Note what the spoke took back, by item and seq, and freeze what has flipped too often. What
    the store has of the spoke is what it says now."""
    now = context.clock()
    for item, seq, one in returns:
        tx.flips.add(item, one.field, one.key, Flip(spoke, seq, one.said, now))
        flips = tx.flips.of(item, one.field, one.key)
        other = rival(flips, spoke)
        if other is not None:
            turns = [flip for flip in flips if flip.spoke in (spoke, other)]
            context.report.froze += _freeze(tx, item, one.field, turns[-FLIPS:], now)


def ended(
    tx: Transaction, freezes: Mapping[str, Sequence[Freeze]], inputs: Mapping[str, list[FoldInput]]
) -> bool:
    """Thaw what one of its writers has no say in any more, or has no contact of; whether there was
    any such."""
    there = {
        item: {one.spoke for one in shadows if one.admitted}
        for item, shadows in tx.shadows.by_item(list(freezes)).items()
    }
    over = [
        one
        for item, frozen in freezes.items()
        for one in frozen
        if not there[item].issuperset(one.writers) or not in_force([one], inputs[item])
    ]
    for one in over:
        thaw(tx, one)
    return bool(over)


def thaw(tx: Transaction, freeze: Freeze) -> None:
    """What both say counts again, from what they had seen of the field; and it is written to both
    of them. The item is to be folded anew."""
    tx.freezes.remove(freeze)
    tx.flips.settle(freeze.item, freeze.field)
    shadows = [
        one for one in tx.shadows.by_item([freeze.item])[freeze.item] if one.spoke in freeze.writers
    ]
    tx.shadows.put(
        [
            msgspec.structs.replace(one, own=seen_until(one.own, freeze.field, freeze.seq))
            for one in shadows
        ]
    )
    for one in shadows:
        tx.pending.reconsider(one.spoke, [freeze.item])


def feud(tx: Transaction, report: PassReport) -> Feud | None:
    """Who changed back and forth what is frozen since last."""
    found = tx.freezes.last()
    if found is None:
        return None
    field, *writers = found
    holder, other = (_name(tx, report, one) for one in writers)
    return Feud(manifest_name(field), (holder, other))


def _name(tx: Transaction, report: PassReport, uid: str) -> str:
    if uid in report.spokes:
        return report.spokes[uid].name
    kept = tx.configurations.get(uid)
    return uid if kept is None else _spoke(kept).name


def _freeze(tx: Transaction, item: str, field: str, turns: Sequence[Flip], now: float) -> bool:
    """Whether it was not frozen for one of them yet."""
    writers = {one.spoke for one in turns}
    frozen = tx.freezes.of_items([item]).get(item, ())
    if any(one.field == field and not writers.isdisjoint(one.writers) for one in frozen):
        return False
    own = {one.spoke: one.own for one in tx.shadows.by_item([item])[item] if one.admitted}
    if not own.keys() >= writers:
        return False
    holder = min(turns, key=lambda one: one.said).spoke
    (other,) = writers - {holder}
    held = hold(own[holder], own[other], field)
    tx.freezes.put(Freeze(item, field, tx.next_seq(), now, holder, other, held))
    return True
