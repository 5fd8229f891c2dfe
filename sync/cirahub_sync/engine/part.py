"""Part: contributions of an item become an item of their own because a person says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from cirahub_sync.engine.context import PassContext, item_id
from cirahub_sync.engine.history import follow
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.unite import consider, standing
from cirahub_sync.errors import MergeError
from cirahub_sync.store.hub import Transaction

_replace = msgspec.structs.replace


def split_item(
    context: PassContext,
    tx: Transaction,
    item: str,
    spokes: Collection[str],
    names: Mapping[str, str],
) -> str:
    """What these spokes contribute founds a new item, whose id is returned. When these contacts
    come back after they had gone they are of it again, whatever their keys are. `names` are the
    spokes', by uid. Raises MergeError."""
    before = standing(tx, [item])[item]
    natives = [
        shadow for shadow in tx.shadows.by_item([item])[item] if shadow.native and shadow.admitted
    ]
    moving = sorted(
        (shadow for shadow in natives if shadow.spoke in spokes), key=lambda one: one.spoke
    )
    missing = sorted(set(spokes) - {shadow.spoke for shadow in moving})
    if missing:
        raise MergeError(
            f"item {item}: spoke {names.get(missing[0], missing[0])} contributes nothing to "
            "it; a copy can't be split off"
        )
    if len(moving) == len(natives):
        raise MergeError(
            f"item {item}: nobody else contributes to it; name some of its spokes, and not all"
        )
    made = item_id(tx.hub, f"split\0{tx.next_seq()}", moving[0].remote)
    tx.shadows.put([_replace(shadow, item=made) for shadow in moving])
    for shadow in moving:
        replica = tx.replicas.by_item(shadow.spoke, [item]).get(item)
        if replica is not None:
            tx.replicas.remove(shadow.spoke, [item])
            tx.replicas.put([_replace(replica, item=made, delivered_seq=0)])
        tx.pending.remove(shadow.spoke, [item])
        tx.pending.reconsider(shadow.spoke, [item, made])
        tx.decisions.forget(shadow.spoke, item=item)
    follow(tx, item, made, {shadow.spoke for shadow in moving}, lambda own: own)
    tx.bindings.put(made, [(shadow.spoke, shadow.remote) for shadow in moving])
    refold(context, tx, [item, made])
    consider(tx, before)
    return made
