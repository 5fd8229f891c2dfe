"""Departure: an item went from a spoke, and what it contributed goes with it."""

from __future__ import annotations

import msgspec

from cirahub_sync.configuration import Direction, OnUserDelete
from cirahub_sync.engine.context import SpokeRun
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT, Replica, ReplicaState, Shadow


def forget(
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
