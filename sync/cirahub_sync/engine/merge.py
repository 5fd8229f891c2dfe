"""Merge: staged changes become shadows with their own edits, and items are folded anew.

It starts after all pulls of the pass and goes through the spokes by rank, so arrival decides
nothing. Each chunk is one transaction: shadows, items, sequence, and the staged rows it stands
for; the cursor is promoted in the transaction of the last one. Items that carry our stamp but are
not linked wait for a second phase, when the natives of every spoke are known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from cirahub_sync.engine.chunk import CHUNK, Chunk
from cirahub_sync.engine.context import PassContext, SpokeRun, digest
from cirahub_sync.engine.departure import forget
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.report import Problem
from cirahub_sync.engine.unshown import expected, spare
from cirahub_sync.store.rows import Cursor


async def merge(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Merge what is staged completely. Spokes whose pull failed keep their staged part for the
    next pass; what they contributed before still counts."""
    ordered = sorted(runs, key=lambda run: run.row.rank)
    for run in ordered:
        if run.config.direction.contributes and not run.failed:
            with context.isolate(run):
                await _phase(context, run, second=False)
    for run in ordered:
        if not run.failed:
            with context.isolate(run):
                await _phase(context, run, second=True)
                await _finish(context, run)


async def _phase(context: PassContext, run: SpokeRun, *, second: bool) -> None:
    with context.store.read() as tx:
        if tx.cursors.get(run.uid).staged is None or not tx.staging.any(run.uid):
            return
    position = 0
    waiting: set[str] = set()
    while True:
        with context.store.write() as tx:
            rows = tx.staging.after(run.uid, position, CHUNK)
            done = Chunk(context, run, tx, waiting, second=second).merge(rows)
            tx.staging.remove(done)
        if len(rows) < CHUNK:
            return
        position = rows[-1].position
        await asyncio.sleep(0)


async def _finish(context: PassContext, run: SpokeRun) -> None:
    """Infer deletions if this was a round from nothing, and promote the cursor."""
    with context.store.read() as tx:
        cursor = tx.cursors.get(run.uid)
    if cursor.staged is None:
        return
    if cursor.round is not None and not _emptied(context, run, cursor):
        if context.span is not None:
            with context.store.write() as tx:
                spare(tx, run, context.span, cursor.round)
        await _infer(context, run, cursor.round)
    with context.store.write() as tx:
        if run.report.source_emptied:
            tx.cursors.put(run.uid, Cursor(rounds=cursor.rounds))
            return
        rounds = cursor.rounds + (1 if cursor.round is not None else 0)
        tx.cursors.put(run.uid, Cursor(cursor=cursor.staged, rounds=rounds))
        run.row.verified_at = context.clock()
        tx.update_spoke(run.uid, verified_at=run.row.verified_at)
    if run.afresh:
        context.verified.add(run.uid)


def _emptied(context: PassContext, run: SpokeRun, cursor: Cursor) -> bool:
    """The brake: a round from nothing that shows nothing of what was there is not believed."""
    assert cursor.round is not None
    with context.store.read() as tx:
        before = tx.shadows.count(run.uid) + tx.replicas.count(run.uid)
        if context.span is not None:
            before = len(expected(tx, run, context.span))
        if (
            before == 0
            or tx.shadows.seen(run.uid, cursor.round)
            or tx.replicas.seen(run.uid, cursor.round)
        ):
            return False
    approval = digest("emptied", run.uid, before)
    if approval in context.approved:
        return False
    run.report.source_emptied = True
    run.report.guarded = before
    run.report.approval = approval
    run.fail(
        Problem(
            "SourceEmptied",
            f"spoke {run.config.name} held {before} items and now reads empty; nothing was "
            "deleted anywhere. Restore them; or, if it was emptied on purpose, approve "
            f"{approval}",
            stalled=True,
        )
    )
    return True


async def _infer(context: PassContext, run: SpokeRun, round_id: str) -> None:
    """What a complete round did not show is gone."""
    while True:
        with context.store.write() as tx:
            touched: dict[str, None] = {}
            shadows = tx.shadows.unseen(run.uid, round_id, CHUNK)
            remotes = [shadow.remote for shadow in shadows]
            replicas = tx.replicas.by_remote(run.uid, remotes)
            for shadow in shadows:
                forget(context, run, tx, shadow, replicas.get(shadow.remote), touched=touched)
            if not shadows:
                replicas_left = tx.replicas.unseen(run.uid, round_id, CHUNK)
                for replica in replicas_left:
                    forget(context, run, tx, None, replica, touched=touched)
            refold(context, tx, list(touched), by=run.uid)
        if not shadows and not replicas_left:
            return
        await asyncio.sleep(0)
