"""Departure: an item went from a spoke, and what it contributed goes with it."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import DeletedBy, Direction, OnUserDelete
from cirahub_sync.engine.authority import has_a_say, rules_alone
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.history import copy_gone
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.departed import Departed
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT, Replica, ReplicaState, Shadow


def forget(
    context: PassContext,
    run: SpokeRun,
    tx: Transaction,
    shadow: Shadow | None,
    replica: Replica | None,
    *,
    touched: dict[str, None],
) -> None:
    """An item went from a spoke. What it contributed goes with it; a delivery there is remembered
    as removed by its user (or made again, with Restore)."""
    if shadow is not None:
        tx.shadows.remove(run.uid, [shadow.remote])
        run.report.counts.removed += 1
        if shadow.item is not None:
            touched[shadow.item] = None
        keep(context, tx, shadow)
        condemn(context, tx, shadow)
    item = replica.item if replica is not None else shadow.item if shadow is not None else None
    native = shadow.native if shadow is not None else replica is None or replica.native
    if item is not None and not native:
        live = replica is not None and replica.state is ReplicaState.LIVE
        copy_gone(tx, run.uid, item, shadow, user=live)
    if replica is not None and replica.state is ReplicaState.LIVE:
        if run.config.on_user_delete is OnUserDelete.RESTORE:
            tx.replicas.remove(run.uid, [replica.item])
            tx.pending.reconsider(run.uid, [replica.item])
        else:
            tx.replicas.put(
                [msgspec.structs.replace(replica, state=ReplicaState.DETACHED, etag="")]
            )
    elif (
        shadow is not None
        and shadow.native
        and shadow.item is not None
        and run.config.direction is Direction.TWO_WAY
        and run.config.on_user_delete is OnUserDelete.REMEMBER
    ):
        # The user removed their own item while others still contribute it: not sent back.
        tx.replicas.put(
            [
                Replica(
                    spoke=run.uid,
                    item=shadow.item,
                    remote=shadow.remote,
                    native=True,
                    state=ReplicaState.DETACHED,
                    etag="",
                    fingerprint=UNKNOWN_FINGERPRINT,
                    acknowledged=UNKNOWN_FINGERPRINT,
                    delivered_seq=0,
                )
            ]
        )


def keep(context: PassContext, tx: Transaction, shadow: Shadow) -> None:
    """What an own item contributed is kept for a while after it went."""
    if shadow.native and shadow.admitted and shadow.item is not None:
        tx.departed.put(
            [
                Departed(
                    spoke=shadow.spoke, item=shadow.item, gone_at=context.clock(), own=shadow.own
                )
            ]
        )


def condemn(context: PassContext, tx: Transaction, shadow: Shadow) -> None:
    """Where any contributor may delete, an item dies with the first of its own items that goes;
    unless another contributor's user changed it meanwhile, not knowing of that. Of an event that
    has an organiser, it is theirs alone that it dies with, unless nobody may delete."""
    item = shadow.item
    if (
        item is None
        or not (shadow.native and shadow.admitted)
        or not _deletes(context.hub.deletion.allowed_by, shadow.own)
    ):
        return
    others = [
        one
        for one in tx.shadows.by_item([item])[item]
        if one.native and one.admitted and has_a_say(one.own)
    ]
    if not any(_last(one.own) > context.began for one in others):
        tx.condemned.put(item, shadow.spoke, context.clock())


def _deletes(allowed_by: DeletedBy, own: OwnEdits) -> bool:
    if rules_alone(own):
        return allowed_by is not DeletedBy.NEVER
    return allowed_by is DeletedBy.ANY_CONTRIBUTOR and has_a_say(own)


def _last(own: OwnEdits) -> int:
    """The sequence number of the last of these edits."""
    return max(
        (
            *(edit.when.seq for edit in own.scalars.values()),
            *(edit.when.seq for edits in own.elements.values() for edit in edits.values()),
        ),
        default=0,
    )
