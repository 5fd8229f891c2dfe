"""Leaving: taking a spoke, or a whole hub, out of everything it reached.

What the leaver contributed goes from the fold, what remains is folded without it, and items that
only lived by it die at once: neither grace nor guard holds back what somebody asked for. Copies
are deleted for good, not into the bin. Every step can be repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from cirahub_sync.endpoints.base import Delete, Result
from cirahub_sync.engine.context import PassContext, SpokeRun, register
from cirahub_sync.engine.recover import recover
from cirahub_sync.engine.refold import refold

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


async def delete_copies(context: PassContext, run: SpokeRun) -> int:
    """Delete every copy of ours in the spoke for good; its own items stay. Returns how many went;
    those that failed keep their replica rows."""
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
    register(context)
    done = await withdraw(context, leaver.uid)
    with context.isolate(leaver):
        done.copies_deleted = await delete_copies(context, leaver)
    return done


async def empty(context: PassContext, runs: Sequence[SpokeRun]) -> int:
    """Delete every copy of the hub's in these spokes; returns how many went."""
    register(context)
    deleted = 0
    for run in runs:
        with context.isolate(run):
            deleted += await delete_copies(context, run)
    return deleted
