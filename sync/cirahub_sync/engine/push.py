"""Push: intents first, then requests, then what became of them.

Creates and updates of all receivers go out together; deletions come last, when everything due is
known to the guard. Only this module decides to send anything again.
"""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.configuration import DeletedBy
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import APPROVAL, RETRIED, Receiver
from cirahub_sync.engine.first_sync import STAGE
from cirahub_sync.engine.flips import FLIPS_COUNT_FOR
from cirahub_sync.engine.guard import DAY, Candidate, holdings, judge_deletions
from cirahub_sync.engine.lanes import each
from cirahub_sync.engine.plan import DELETIONS, Encoder
from cirahub_sync.engine.recover import recover

CONCURRENT_RECEIVERS = 64


async def push(context: PassContext, runs: Sequence[SpokeRun]) -> None:
    """Deliver to these receivers. Those that failed earlier in the pass are left out."""
    encoder = Encoder(context.fingerprint)
    busy = _with_work(context, runs)
    receivers = [Receiver(context, run, encoder) for run in busy if run.settled]
    await _each(context, receivers, deletions=False)
    await _guarded(context, receivers)
    await _each(context, receivers, deletions=True)
    unsure = [
        receiver.run
        for receiver in receivers
        if (receiver.unsure or receiver.run.doubled) and not receiver.run.failed
    ]
    if unsure:
        await recover(context, unsure, give_up=False)
    _purge(context)


def _with_work(context: PassContext, runs: Sequence[SpokeRun]) -> list[SpokeRun]:
    """Those among the receivers for which there is anything to look at: of thousands of them
    hardly one, as long as nothing changes."""
    with context.store.read() as tx:
        last = tx.items.last_seq()
        waiting = tx.pending.waiting(context.clock(), (*RETRIED, *DELETIONS), (*APPROVAL, STAGE))
    return [run for run in runs if run.row.mark < last or run.uid in waiting or run.doubled]


async def _each(context: PassContext, receivers: Sequence[Receiver], *, deletions: bool) -> None:
    async def one(receiver: Receiver) -> None:
        with context.isolate(receiver.run):
            await (receiver.delete() if deletions else receiver.deliver())

    willing = [receiver for receiver in receivers if not receiver.run.failed]
    await each(willing, one, lanes=CONCURRENT_RECEIVERS)


async def _guarded(context: PassContext, receivers: Sequence[Receiver]) -> None:
    candidates: list[Candidate] = []
    for receiver in receivers:
        if receiver.run.failed:
            continue
        with context.isolate(receiver.run):
            candidates.extend(await receiver.deletions_due())
    with context.store.read() as tx:
        there = holdings(tx, candidates, context.clock())
    verdict = judge_deletions(candidates, there, context.hub.deletion, context.approved)
    context.report.approval = verdict.approval
    for receiver in receivers:
        receiver.run.report.guarded += verdict.held.get(receiver.run.uid, 0)
        receiver.apply(verdict)


def _purge(context: PassContext) -> None:
    """Dead items whose grace is over and that no receiver holds any more are forgotten; and so is
    what the guard looks back on no more."""
    with context.store.write() as tx:
        tx.removals.expire(context.clock() - DAY)
        tx.flips.expire(context.clock() - FLIPS_COUNT_FOR)
        limits = context.hub.deletion
        tx.items.purge(context.clock() - limits.grace_period)
        past = context.clock() - limits.kept
        tx.departed.expire(past, living=limits.allowed_by is DeletedBy.NEVER)
        tx.condemned.purge()
        gone = tx.moments.expire(past)
        if gone is not None:
            tx.earlier.expire(gone)
            tx.rewound.expire(gone)
        tx.rewound.purge()
