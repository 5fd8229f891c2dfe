"""Push: intents first, then requests, then what became of them.

Creates and updates of all receivers go out together; deletions come last, when everything due is
known to the guard.
"""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.configuration import DeletedBy
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import APPROVAL, RETRIED
from cirahub_sync.engine.errands import AtPlaces
from cirahub_sync.engine.first_sync import STAGE
from cirahub_sync.engine.flips import FLIPS_COUNT_FOR
from cirahub_sync.engine.guard import DAY, Candidate, Verdict, holdings, judge_deletions
from cirahub_sync.engine.plan import DELETIONS


async def push(context: PassContext, runs: Sequence[SpokeRun], errands: AtPlaces) -> None:
    """Deliver to these receivers. Those that failed earlier in the pass are left out."""
    busy = [run for run in _with_work(context, runs) if run.settled]
    candidates = await errands.deliver(busy)
    await errands.delete(_judged(context, busy, candidates))
    _purge(context)


def _with_work(context: PassContext, runs: Sequence[SpokeRun]) -> list[SpokeRun]:
    """Those among the receivers for which there is anything to look at: of thousands of them
    hardly one, as long as nothing changes. Who lacks least comes first: a change does not wait for
    first syncs."""
    with context.store.read() as tx:
        last = tx.items.last_seq()
        waiting = tx.pending.waiting(context.clock(), (*RETRIED, *DELETIONS), (*APPROVAL, STAGE))
    busy = [run for run in runs if run.row.mark < last or run.uid in waiting or run.doubled]
    return sorted(busy, key=lambda run: last - run.row.mark)


def _judged(
    context: PassContext, runs: Sequence[SpokeRun], candidates: Sequence[Candidate]
) -> Verdict:
    with context.store.read() as tx:
        there = holdings(tx, candidates, context.clock())
    verdict = judge_deletions(candidates, there, context.hub.deletion, context.approved)
    context.report.approval = verdict.approval
    for run in runs:
        run.report.guarded += verdict.held.get(run.uid, 0)
    return verdict


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
