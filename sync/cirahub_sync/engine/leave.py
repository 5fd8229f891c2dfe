"""Leaving: taking a spoke, or a whole hub, out of everything it reached.

What the leaver contributed goes from the fold, what remains is folded without it, and items that
only lived by it die at once: neither grace nor guard holds back what somebody asked for. Copies
are deleted for good, not into the bin. Every step can be repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from cirahub_sync.endpoints.base import Delete, Result
from cirahub_sync.engine.context import PassContext, SpokeRun, register
from cirahub_sync.engine.recover import recover
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.verify import verify
from cirahub_sync.errors import TargetNotFoundError

log = logging.getLogger(__name__)

CHUNK = 400


class Withdrawal(msgspec.Struct):
    items_erased: int = 0
    items_changed: int = 0
    copies_deleted: int = 0


async def withdraw(context: PassContext, uid: str) -> Withdrawal:
    """Fold without the spoke's contributions. Nothing is sent."""
    done = Withdrawal()
    while True:
        with context.store.write() as tx:
            shadows = tx.shadows.of_spoke(uid, "", CHUNK)
            if not shadows:
                tx.staging.clear(uid)
                tx.forget_conflicts(uid)
                return done
            tx.shadows.remove(uid, [shadow.remote for shadow in shadows])
            touched = sorted({shadow.item for shadow in shadows if shadow.item is not None})
            alive = {item.id for item in tx.items.get(touched).values() if item.alive}
            changed = refold(context, tx, touched, erased=True)
            dead = sum(not item.alive for item in tx.items.get(touched).values())
            born_dead = len(touched) - len(alive)
            done.items_erased += max(0, dead - born_dead)
            done.items_changed += changed - max(0, dead - born_dead)


async def look(context: PassContext, run: SpokeRun) -> None:
    """Find the copies in the spoke, unless this process has done so: a store that was lost or
    restored does not know them all."""
    if run.config.direction.receives and run.uid not in context.verified and not run.failed:
        await verify(context, [run])
        if run.report.source_emptied:
            run.report.problem = None
            run.report.guarded = 0


async def clear(context: PassContext, run: SpokeRun) -> int:
    """Delete every copy of ours in the spoke, and say how many went. A mailbox or folder that is no
    more holds none."""
    deleted = 0
    with context.isolate(run):
        deleted = await delete_copies(context, run)
    problem = run.report.problem
    if problem is not None and problem.reason == TargetNotFoundError.reason:
        log.info("spoke %s: its mailbox or folder is no more, and our copies with it", run.uid)
        with context.store.write() as tx:
            tx.forget_deliveries(run.uid)
        run.report.problem = None
    return deleted


async def delete_copies(context: PassContext, run: SpokeRun) -> int:
    """Delete the copies that the store knows of for good; the spoke's own items stay. Returns how
    many went; those that failed keep their replica rows."""
    with context.store.read() as tx:
        if tx.replicas.count(run.uid) == 0 and not tx.intents.open(run.uid):
            return 0
    await recover(context, [run])
    endpoint = await run.endpoint(context)
    deleted = 0
    after = ""
    while True:
        with context.store.read() as tx:
            copies = tx.replicas.copies(run.uid, after, CHUNK)
        if not copies:
            return deleted
        after = copies[-1].item
        operations = [
            Delete(id=copy.remote, etag="", permanent=endpoint.capabilities.permanent_delete)
            for copy in copies
        ]
        async with aclosing(endpoint.push(operations)) as sent:
            async for outcomes in sent:
                done = [
                    copies[outcome.index]
                    for outcome in outcomes
                    if outcome.result in (Result.DONE, Result.GONE)
                ]
                with context.store.write() as tx:
                    tx.replicas.remove(run.uid, [copy.item for copy in done])
                    tx.shadows.remove(run.uid, [copy.remote for copy in done])
                deleted += len(done)


async def leave(context: PassContext, leaver: SpokeRun) -> Withdrawal:
    """The leaver's part: contributions folded away, copies in it deleted. The copies that others
    hold go with the next pass over them. `context.runs` is the leaver alone."""
    context.leaves_folders = True
    register(context)
    await look(context, leaver)
    done = await withdraw(context, leaver.uid)
    done.copies_deleted = await clear(context, leaver)
    return done


async def empty(context: PassContext, runs: Sequence[SpokeRun]) -> int:
    """Delete every copy of the hub's in these spokes; returns how many went."""
    context.leaves_folders = True
    register(context)
    deleted = 0
    for run in runs:
        await look(context, run)
        deleted += await clear(context, run)
    return deleted
