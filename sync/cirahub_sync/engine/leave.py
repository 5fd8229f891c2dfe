"""Leaving: taking a spoke, or a whole hub, out of everything it reached.

What the leaver contributed goes from the fold, what remains is folded without it, and items that
only lived by it die at once: neither grace nor guard holds back what somebody asked for. That is
local, comes first and waits for nobody. Copies are then deleted for good, not into the bin. Every
step can be repeated.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import aclosing

import msgspec

from cirahub_sync.endpoints.base import Delete, RemoteItem, Result, Stamp
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.flips import thaw
from cirahub_sync.engine.history import forget_of
from cirahub_sync.engine.recover import recover
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.report import Problem
from cirahub_sync.engine.traces import forget_traces
from cirahub_sync.errors import TargetNotFoundError
from cirahub_sync.model.edit import OwnEdits
from cirahub_sync.model.kind import kind_of
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import UNKNOWN_FINGERPRINT, Cursor, Job, Replica, ReplicaState, Shadow

log = logging.getLogger(__name__)

CHUNK = 400
CONCURRENT = 16
_LOOKED = -1
"""In place of a cursor's rounds: who leaves is pulled no more."""


async def withdraw(context: PassContext, job: Job) -> None:
    """Fold without the spoke's contributions, and note what changed. Nothing is sent."""
    uid = job.job
    with context.store.write() as tx:
        tx.decisions.forget(uid)
        tx.flips.forget(uid)
        tx.bindings.forget(uid)
        _withdraw_photos(tx, job)
    while True:
        with context.store.write() as tx:
            shadows = tx.shadows.linked(uid, CHUNK)
            lifted = [] if shadows else tx.condemned.lift_of(uid, CHUNK)
            gone = [] if shadows or lifted else _departed(tx, uid)
            tx.departed.remove(uid, gone)
            past = [] if shadows or lifted or gone else forget_of(tx, uid, CHUNK)
            waits = shadows or lifted or gone or past
            died = [] if waits else [item.id for item in tx.items.died_of(uid, CHUNK)]
            if not waits and not died:
                tx.staging.clear(uid)
                tx.forget_conflicts(uid)
                return
            _blank(tx, shadows)
            linked = {shadow.item for shadow in shadows if shadow.item is not None}
            touched = sorted(linked.union(gone, lifted, past))
            _thaw(tx, uid, touched)
            forget_traces(tx, touched)
            changed = refold(context, tx, [*touched, *died], leaver=uid)
            edited = [one.item for one in shadows if one.item and one.own]
            _forget_edits(tx, [*gone, *past, *edited])
            tx.withdrawals.add(uid, {item.id: item.seq for item in changed})
            erased = sum(item.erased for item in changed)
            tx.erasures.count(job.number, items_erased=erased, items_changed=len(changed) - erased)
        await asyncio.sleep(0)


def _withdraw_photos(tx: Transaction, job: Job) -> None:
    """Items whose photo was the leaver's are changed by that, though their fields may not be. Those
    that die with it lose their copies as a whole."""
    items = tx.portraits.of_spoke(job.job)
    living = [item.id for item in tx.items.heads(items).values() if item.alive]
    tx.withdrawals.add(job.job, dict.fromkeys(living, 0))
    tx.portraits.put(dict.fromkeys(items))
    tx.photos.disown(job.job)
    tx.pictures.purge()


def _departed(tx: Transaction, uid: str) -> list[str]:
    """Items that the leaver's user had deleted, and that are kept for a while."""
    return [row.item for row in tx.departed.of_spoke(uid, "", CHUNK)]


def _blank(tx: Transaction, shadows: Sequence[Shadow]) -> None:
    """Of the leaver's own items only that they are its own is kept, lest one be taken for a copy
    of ours; of copies nothing."""
    for uid in {shadow.spoke for shadow in shadows}:
        tx.shadows.remove(uid, [shadow.remote for shadow in shadows])
    tx.shadows.put(
        [
            msgspec.structs.replace(
                shadow,
                item=None,
                admitted=False,
                content=kind_of(shadow.content).blank,
                own=OwnEdits(),
            )
            for shadow in shadows
            if shadow.native
        ]
    )


def _thaw(tx: Transaction, uid: str, items: Sequence[str]) -> None:
    """What is held of the leaver goes with it."""
    for frozen in tx.freezes.of_items(items).values():
        for one in frozen:
            if uid in one.writers:
                thaw(tx, one)


def _forget_edits(tx: Transaction, edited: Sequence[str]) -> None:
    """A tombstone keeps nothing that the leaver had changed; whose it is, it has its grace."""
    dead = [item for item in tx.items.get(edited).values() if not (item.alive or item.erased)]
    tx.items.put(
        [
            msgspec.structs.replace(
                item, content=kind_of(item.content).blank, fingerprint=UNKNOWN_FINGERPRINT
            )
            for item in dead
        ]
    )
    tx.items.set_match_keys({item.id: () for item in dead})


async def clear(
    context: PassContext, run: SpokeRun, job: Job, *, only: Collection[str] | None = None
) -> None:
    """Delete our copies in the spoke (or those of some items only). A mailbox or folder that is no
    more holds none."""
    with context.isolate(run):
        await _delete_copies(context, run, job, only)
    problem = run.report.problem
    if problem is not None and problem.reason == TargetNotFoundError.reason:
        log.info("spoke %s: its mailbox or folder is no more, and our copies with it", run.uid)
        run.report.problem = None
        if only is None:
            with context.store.write() as tx:
                tx.forget_deliveries(run.uid)


async def clear_all(context: PassContext, job: Job) -> None:
    """Delete our copies in all of the context's spokes, several at a time."""
    gate = asyncio.Semaphore(CONCURRENT)

    async def one(run: SpokeRun) -> None:
        async with gate:
            await look(context, run)
            await clear(context, run, job)

    async with asyncio.TaskGroup() as group:
        for run in context.runs:
            group.create_task(one(run))


async def look(context: PassContext, run: SpokeRun) -> None:
    """Find our copies in the spoke, unless this process has read it: a store that was lost or
    restored does not know them all. Done once, and before the first of them is deleted: a copy
    that the spoke's user made of ours is told from ours by what is known of ours."""
    with context.store.read() as tx:
        looked = tx.cursors.get(run.uid).rounds == _LOOKED
        living = {uid for uid, row in tx.spokes().items() if not row.retired}
    if looked:
        return
    if run.config.direction.receives and run.uid not in context.verified:
        await _find(context, run, living)
    if not run.failed:
        with context.store.write() as tx:
            tx.cursors.put(run.uid, Cursor(rounds=_LOOKED))


async def _find(context: PassContext, run: SpokeRun, living: Collection[str]) -> None:
    with context.isolate(run):
        endpoint = await run.endpoint(context)
        found: list[RemoteItem] = []
        async for item in endpoint.stamped():
            stamp = Stamp.parse(item.stamp)
            if (
                stamp is not None
                and stamp.installation == context.installation
                and stamp.hub == context.hub.uid
                and (stamp.spoke == run.uid or stamp.spoke not in living)
            ):
                found.append(item)
        found.sort(key=lambda item: (item.created or 0.0, item.id))
        for start in range(0, len(found), CHUNK):
            with context.store.write() as tx:
                _adopt(tx, run, found[start : start + CHUNK])


def _adopt(tx: Transaction, run: SpokeRun, found: Sequence[RemoteItem]) -> None:
    """Copies that the store does not know. One whose stamp's item has another copy here was made
    by the spoke's user, and is theirs."""
    of_user = tx.shadows.by_remote(run.uid, [item.id for item in found])
    parsed = {item.id: Stamp.parse(item.stamp) for item in found}
    merged = tx.redirects.of([stamp.item for stamp in parsed.values() if stamp is not None])
    stamps = {
        remote: stamp and msgspec.structs.replace(stamp, item=merged.get(stamp.item, stamp.item))
        for remote, stamp in parsed.items()
    }
    items = [stamp.item for stamp in stamps.values() if stamp is not None]
    known = set(tx.replicas.by_item(run.uid, items))
    for item in found:
        stamp = stamps[item.id]
        shadow = of_user.get(item.id)
        own = shadow is not None and shadow.native
        if stamp is None or own or stamp.item in known:
            continue
        known.add(stamp.item)
        tx.replicas.put(
            [
                Replica(
                    spoke=run.uid,
                    item=stamp.item,
                    remote=item.id,
                    native=False,
                    state=ReplicaState.LIVE,
                    etag="",
                    fingerprint=UNKNOWN_FINGERPRINT,
                    acknowledged=UNKNOWN_FINGERPRINT,
                    delivered_seq=0,
                    attempt=stamp.attempt,
                )
            ]
        )


async def _delete_copies(
    context: PassContext, run: SpokeRun, job: Job, only: Collection[str] | None
) -> None:
    """Those that failed keep their replica rows; the spoke's own items stay."""
    with context.store.read() as tx:
        if tx.replicas.count(run.uid) == 0 and not tx.intents.open(run.uid):
            return
    await recover(context, [run])
    endpoint = await run.endpoint(context)
    after = ""
    failed: Counter[str] = Counter()
    while True:
        with context.store.read() as tx:
            copies = tx.replicas.copies(run.uid, after, CHUNK)
        if not copies:
            if failed:
                run.fail(_undeleted(run, failed))
            return
        after = copies[-1].item
        if only is not None:
            copies = [copy for copy in copies if copy.item in only]
            if not copies:
                continue
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
                failed.update(
                    outcome.error.partition(" request ")[0] or "no answer"
                    for outcome in outcomes
                    if outcome.result not in (Result.DONE, Result.GONE)
                )
                with context.store.write() as tx:
                    tx.replicas.remove(run.uid, [copy.item for copy in done])
                    tx.shadows.remove(run.uid, [copy.remote for copy in done])
                    tx.erasures.count(job.number, copies_deleted=len(done))
                run.report.counts.deleted += len(done)
                context.say(f"{run.config.name}: {run.report.counts.deleted} copies deleted")


def _undeleted(run: SpokeRun, failed: Counter[str]) -> Problem:
    """By the codes that the service gave, without the ids of requests: those differ each time."""
    return Problem(
        "DeletesFailed",
        f"spoke {run.config.name}: {failed.total()} copies could not be deleted "
        f"({', '.join(sorted(failed))}); will be tried again",
    )
