"""Coming back: who leaves is taken up again where it stopped, until its erasure has started.

A spoke is known again by its target: a new one on the same folder takes over what is kept of the
one that leaves, so that a rename is no purge. A hub is known by its uid.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from cirahub_sync.errors import ErasureUnderWayError, TargetInUseError
from cirahub_sync.store.departure import take_over
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Job, Spoke

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cirahub_sync.engine.context import PassContext, SpokeRun


class Leavers:
    """Open erasures of a hub."""

    def __init__(self, jobs: Mapping[str, Job], rows: Mapping[str, Spoke]) -> None:
        self.jobs = jobs
        self.places: dict[str, str] = {}
        """The uids of the spokes among them, by their places."""
        for uid, job in jobs.items():
            if not job.whole_hub and uid in rows:
                self.places.setdefault(rows[uid].place, uid)


def hub_comes_back(tx: Transaction, context: PassContext, jobs: Mapping[str, Job]) -> None:
    """Raises ErasureUnderWayError once it is too late."""
    for job in jobs.values():
        if job.whole_hub:
            if job.started:
                raise ErasureUnderWayError(
                    f"hub {context.hub.name}: what an earlier hub of this name held is being "
                    "erased; this one starts afresh once that is complete (see cirahub erase "
                    "--list)"
                )
            tx.erasures.cancel(job.number)


def spoke_comes_back(
    tx: Transaction,
    context: PassContext,
    run: SpokeRun,
    leavers: Leavers,
    rows: Mapping[str, Spoke],
) -> Spoke | None:
    """The row that the spoke goes on with. Raises ErasureUnderWayError once it is too late."""
    row = rows.get(run.uid)
    old = run.uid
    if row is None:
        if run.place not in leavers.places:
            return None
        old = leavers.places[run.place]
    job = leavers.jobs.get(old)
    if job is None:
        return row
    if job.started:
        raise _too_late(run)
    tx.erasures.cancel(job.number)
    if old == run.uid:
        return row
    return _replace(tx, context, run, old)


def claim_from(tx: Transaction, context: PassContext, run: SpokeRun, owner: str) -> Spoke:
    """The target that the spoke was found to have is another's: its row, if that one leaves, or is
    a member of a set and this one is none. Raises TargetInUseError, or ErasureUnderWayError once it
    is too late."""
    leaves_at = tx.leaves_at(owner)
    if leaves_at is None:
        if _goes_before(tx, context, run, owner):
            return _in_place_of(tx, context, run, owner)
        raise TargetInUseError(
            f"spoke {run.config.name}: {context.called(owner)} already syncs this "
            f"{run.config.target.noun}, which belongs to one spoke: delete one of the two, "
            "or have one of them lead elsewhere"
        )
    job = tx.erasures.open().get(owner)
    if job is not None and job.started:
        raise _too_late(run)
    if job is None or not _fresh(tx, run) or context.erasing:
        until = datetime.fromtimestamp(leaves_at, UTC).strftime("%Y-%m-%dT%H:%MZ")
        held = TargetInUseError(
            f"spoke {run.config.name}: the folder still belongs to a spoke (uid {owner}) that "
            f"leaves and is erased from {until} on; this one starts after that. To wait no longer, "
            "have it erased with cirahub erase"
        )
        held.stalled = False
        raise held
    tx.erasures.cancel(job.number)
    return _in_place_of(tx, context, run, owner)


def gives_way(tx: Transaction, context: PassContext, run: SpokeRun, owner: str) -> bool:
    """Whether the owner of a spoke's target is a member of a set that is being synced at this very
    moment, and has to give it up, which it does before the next pass."""
    if owner not in context.members or not _goes_before(tx, context, run, owner):
        return False
    row = context.members[owner]
    row.yields_to = run.uid
    tx.members.put([row])
    return True


def _goes_before(tx: Transaction, context: PassContext, run: SpokeRun, owner: str) -> bool:
    """A Spoke of the manifests goes before a member of a set."""
    if context.erasing or run.uid in context.members or not _fresh(tx, run):
        return False
    return tx.members.by_uid(owner) is not None


def _fresh(tx: Transaction, run: SpokeRun) -> bool:
    return not (tx.shadows.any(run.uid) or tx.replicas.any(run.uid))


def _in_place_of(tx: Transaction, context: PassContext, run: SpokeRun, owner: str) -> Spoke:
    row = _replace(tx, context, run, owner)
    run.settled = False  # what the other had sent is settled at the next pass
    keys = run.row.contributes_key, run.row.receives_key
    run.row = row
    row.place = run.place
    tx.update_spoke(run.uid, place=run.place)
    apply_changes(tx, run, *keys)
    return row


def _replace(tx: Transaction, context: PassContext, run: SpokeRun, old: str) -> Spoke:
    take_over(tx, old, run.uid)
    if old in context.verified:
        context.verified.add(run.uid)
    return tx.spoke(run.uid)


def _too_late(run: SpokeRun) -> ErasureUnderWayError:
    return ErasureUnderWayError(
        f"spoke {run.config.name}: what an earlier spoke on this folder contributed is being "
        "erased; this one starts afresh once that is complete (see cirahub erase --list)"
    )


def apply_changes(tx: Transaction, run: SpokeRun, contributes_key: str, receives_key: str) -> None:
    """A spoke whose flow or target changed is judged anew."""
    row = run.row
    if row.contributes_key != contributes_key:
        read_anew(tx, run.uid)
        row.contributes_key = contributes_key
        tx.update_spoke(run.uid, contributes_key=contributes_key)
    if row.receives_key != receives_key:
        row.receives_key = receives_key
        row.mark = 0
        tx.update_spoke(run.uid, receives_key=receives_key, mark=0)
    if row.place != run.place:
        row.place = run.place
        row.target = None
        tx.update_spoke(run.uid, place=run.place, target=None)


def read_anew(tx: Transaction, uid: str, remotes: Sequence[str] | None = None) -> None:
    """Have the spoke's items, or some of them, judged anew by a round from nothing."""
    cursor = tx.cursors.get(uid)
    tx.cursors.put(
        uid, msgspec.structs.replace(cursor, cursor=None, next=None, staged=None, round=None)
    )
    tx.staging.clear(uid)
    tx.shadows.forget_etags(uid, remotes)
