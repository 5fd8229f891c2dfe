"""Folding items anew after something about their shadows changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from cirahub_sync.configuration import DeletedBy, SpokeConfig
from cirahub_sync.engine.context import PassContext, digest
from cirahub_sync.engine.flips import ended
from cirahub_sync.engine.fold import fold
from cirahub_sync.engine.inputs import inputs_of
from cirahub_sync.engine.keys import item_digests
from cirahub_sync.engine.rules import Rules, Undecided, ordered
from cirahub_sync.engine.sources import reconsider
from cirahub_sync.model.kind import EVENTS
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import PERSON, READ_ONLY, UNKNOWN_FINGERPRINT, Conflict, Item

_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode
_encode = msgspec.msgpack.Encoder().encode


def refold(
    context: PassContext,
    tx: Transaction,
    ids: Sequence[str],
    *,
    by: str | None = None,
    leaver: str | None = None,
    reworded: Collection[str] = (),
) -> Sequence[Item]:
    """Fold these items from their shadows; returns those that changed. `by` is the spoke that
    something changed at. A `leaver` leaves for good: items that die of it, or that had died of it,
    know neither grace nor guard, and nothing of them is kept. Those that are `reworded` changed in
    nothing that they are matched by."""
    if not ids:
        return ()
    now = context.clock()
    rules = rules_in(context, tx)
    inputs = inputs_of(context, tx, ids)
    freezes = tx.freezes.of_items(ids)
    if freezes and ended(tx, freezes, inputs):
        inputs = inputs_of(context, tx, ids)
        freezes = tx.freezes.of_items(ids)
    condemned = condemned_in(context, tx, ids)
    items = tx.items.heads(ids)
    decisions = tx.decisions.of_items(ids)
    undecided: dict[str, Sequence[str]] = {}
    changed: list[Item] = []
    keys: dict[str, Sequence[bytes]] = {}
    for item_id in ids:
        before = items.get(item_id)
        folded = fold(
            inputs[item_id],
            rules,
            decisions.get(item_id, ()),
            freezes.get(item_id, ()),
        )
        undecided[item_id] = [conflict_id(item_id, one) for one in folded.undecided]
        if not folded.alive or item_id in condemned:
            undecided[item_id] = ()
            if before is not None and leaver is not None and _dies(before, leaver):
                changed.append(
                    msgspec.structs.replace(
                        before,
                        seq=tx.next_seq(),
                        alive=False,
                        deleted_at=now,
                        erased=True,
                        fingerprint=UNKNOWN_FINGERPRINT,
                        content=context.kind.blank,
                        died_of=None,
                    )
                )
                keys[item_id] = ()
            elif before is not None and before.alive:
                whole = tx.items.get([item_id])[item_id]
                changed.append(
                    msgspec.structs.replace(
                        whole,
                        seq=tx.next_seq(),
                        alive=False,
                        deleted_at=now,
                        died_of=by or _gone_from(tx, item_id),
                    )
                )
            continue
        fingerprint = context.fingerprint(folded.content)
        if before is None or not before.alive or before.fingerprint != fingerprint:
            changed.append(
                Item(
                    id=item_id,
                    seq=tx.next_seq(),
                    alive=True,
                    deleted_at=None,
                    erased=False,
                    fingerprint=fingerprint,
                    content=folded.content,
                )
            )
        if before is None or not before.alive or item_id not in reworded:
            keys[item_id] = item_digests(context, tx, folded.content, inputs[item_id])
        if folded.conflicts:
            context.report.conflicts += tx.add_conflicts(
                [
                    Conflict(
                        item=item_id,
                        field=conflict.field,
                        loser=conflict.loser_spoke or PERSON,
                        winner=READ_ONLY if conflict.read_only else conflict.winner_spoke or PERSON,
                        tie=conflict.tie,
                        seq=tx.seq,
                        value=_encode(conflict.value),
                    )
                    for conflict in folded.conflicts
                ],
                now,
            )
    tx.items.put(changed)
    reconsider(context, tx, ids)
    tx.items.set_match_keys(keys, new=keys.keys() - items.keys())
    tx.undecided.replace(undecided, now)
    return changed


def condemned_in(context: PassContext, tx: Transaction, ids: Sequence[str]) -> Collection[str]:
    """Those of the items that a single contributor's deletion keeps dead: an organiser's, or
    anybody's where any may delete."""
    allowed_by = context.hub.deletion.allowed_by
    organised = context.kind is EVENTS and allowed_by is not DeletedBy.NEVER
    if allowed_by is not DeletedBy.ANY_CONTRIBUTOR and not organised:
        return ()
    return tx.condemned.of(ids)


def _gone_from(tx: Transaction, item: str) -> str | None:
    """The spoke that it went from last, if it went from any."""
    rows = tx.departed.by_item([item]).get(item)
    return max(rows, key=lambda row: (row.gone_at, row.spoke)).spoke if rows else None


def conflict_id(item: str, conflict: Undecided) -> str:
    """What people call it by. It changes with who says something, and when they said it."""
    sides = sorted((one.spoke, one.seq, one.key) for one in conflict.contenders)
    return digest(item, conflict.field, sides)[:12]


def _dies(item: Item, leaver: str) -> bool:
    """Whether it goes with the leaver. What others deleted has the grace that they were given."""
    return item.alive or (item.died_of == leaver and not item.erased)


def rules_in(context: PassContext, tx: Transaction) -> Rules:
    """The hub's rules, with the places of its spokes; one that can't take part keeps its own."""
    if context.rules is None:
        names: dict[str, str] = {}
        if context.hub.priority:
            kept = tx.configurations.all()
            names = {uid: _spoke(kept[uid]).name for uid in tx.spokes() if uid in kept}
            names |= {uid: report.name for uid, report in context.report.spokes.items()}
        context.rules = ordered(context.stated, context.hub.priority, names)
    return context.rules
