"""Rows for tests of the store, of which only what counts has to be said."""

from __future__ import annotations

from cirahub_sync.model.contact import Contact
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.store.rows import Replica, ReplicaState, Shadow, Spoke


def spoke(uid: str, rank: int = 0, *, place: str = "p") -> Spoke:
    return Spoke(
        uid=uid,
        rank=rank,
        place=place,
        target=None,
        contributes_key="c",
        receives_key="r",
        mark=0,
        verified_at=0.0,
    )


def shadow(uid: str, remote: str, *, native: bool = True, admitted: bool = True) -> Shadow:
    return Shadow(
        spoke=uid,
        remote=remote,
        item=None,
        native=native,
        admitted=admitted,
        etag="e",
        modified=None,
        acknowledged_at=0.0,
        round=None,
        content=Contact(),
        own=OwnEdits(),
    )


def replica(uid: str, item: str, *, native: bool = False, live: bool = True) -> Replica:
    return Replica(
        spoke=uid,
        item=item,
        remote=f"remote of {item}",
        native=native,
        state=ReplicaState.LIVE if live else ReplicaState.DETACHED,
        etag="e",
        fingerprint=bytes(16),
        acknowledged=bytes(16),
        delivered_seq=0,
    )
