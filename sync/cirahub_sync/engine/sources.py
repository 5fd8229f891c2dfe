"""Who contributes an item: what a receiver's filter may ask for besides the item itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.plan import DELETIONS
from cirahub_sync.store.hub import Transaction

_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


def sources_of(
    context: PassContext, tx: Transaction, ids: Sequence[str]
) -> dict[str, frozenset[str]]:
    """By item, the names of the spokes of which it is a native. One that takes no part in this
    pass goes by the name that it had last."""
    names = {uid: report.name for uid, report in context.report.spokes.items()}
    found: dict[str, frozenset[str]] = {}
    for item, shadows in tx.shadows.by_item(ids).items():
        for uid in {s.spoke for s in shadows} - names.keys():
            kept = tx.configurations.get(uid)
            names[uid] = "" if kept is None else _spoke(kept).name
        found[item] = frozenset(names[s.spoke] for s in shadows if s.native and s.admitted)
    return found


def reconsider(context: PassContext, tx: Transaction, ids: Sequence[str]) -> None:
    """Have those who ask for the sources judge the items again: these may have changed without
    the items. A deletion that waits is judged again when its time comes."""
    asking = [run.uid for run in context.asking_for_spokes if run.registered]
    for uid in (*asking, *context.asking_elsewhere):
        waiting = tx.pending.by_item(uid, ids)
        tx.pending.reconsider(
            uid, [i for i in ids if i not in waiting or waiting[i].reason not in DELETIONS]
        )
