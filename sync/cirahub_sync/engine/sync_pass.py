"""The pass over one hub, a stage after the other: recover, pull, merge, plan, guard, push; then
photos."""

from __future__ import annotations

from functools import partial

import msgspec

from cirahub_sync.engine.adoption import adoptions, first_looks
from cirahub_sync.engine.approval import begin_approval, conclude_approval, foresee
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of
from cirahub_sync.engine.deliver import CHUNK, Receiver
from cirahub_sync.engine.errands import AtPlaces, Errands
from cirahub_sync.engine.first_sync import STAGE, begin_stages, summary
from cirahub_sync.engine.flips import feud
from cirahub_sync.engine.groups import look_up_groups
from cirahub_sync.engine.guard import Candidate, holdings, judge_deletions
from cirahub_sync.engine.held import Stage, held
from cirahub_sync.engine.keys import renew_keys
from cirahub_sync.engine.lag import tell_lag
from cirahub_sync.engine.leave import clear
from cirahub_sync.engine.merge import merge
from cirahub_sync.engine.notified import about_to_write, begin_reading, conclude_notified
from cirahub_sync.engine.photo_pass import sync_photos
from cirahub_sync.engine.plan import Encoder, Planned
from cirahub_sync.engine.policy import apply_policy, begin_policy
from cirahub_sync.engine.push import push
from cirahub_sync.engine.registration import register
from cirahub_sync.engine.rejudge import stop_contributing
from cirahub_sync.engine.report import (
    Failing,
    PassReport,
    PendingReason,
    Phase,
    SpokeReport,
)
from cirahub_sync.engine.set_conclusion import conclude_sets
from cirahub_sync.engine.set_members import enlist
from cirahub_sync.engine.shared import Crew, SharedErrands
from cirahub_sync.engine.subscriptions import tend_subscriptions
from cirahub_sync.engine.twins import count_twins
from cirahub_sync.errors import CirahubError, StoreError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Action, Job
from cirahub_sync.store.tallies import Tally

SETTLED_SECONDS = 1.0
"""What waits for less is no failure yet."""


async def run_pass(context: PassContext, crew: Crew | None = None) -> PassReport:
    """One whole pass; with a crew, what is done at places is shared among its workers. Raises
    LeaseLostError; everything else is in the report."""
    return await leased(context, partial(_run, crew=crew))


async def run_plan(context: PassContext) -> dict[str, list[Planned]]:
    """Everything up to the plan and the guard, by spoke. Reads and merges like a pass, sends
    nothing."""
    planned: dict[str, list[Planned]] = {}
    context.dry = context.leaves_folders = True

    async def stages(context: PassContext) -> None:
        await _assemble(context)
        await _look(context)
        fresh = first_looks(context)
        await gather(context, Errands(context))
        context.adoptions = adoptions(context, fresh)
        encoder = Encoder(context.fingerprint)
        for run in _receivers(context):
            with context.isolate(run):
                planned[run.uid] = await Receiver(context, run, encoder, CHUNK).plan()
        _guard(context, planned)
        foresee(context, planned)

    await leased(context, stages)
    return planned


async def deliver_withdrawals(context: PassContext, job: Job) -> PassReport:
    """A pass over those who still show what an erasure withdrew, whatever it waits for otherwise.
    A spoke that does not receive any more loses our copies of it."""

    async def stages(context: PassContext) -> None:
        with context.store.write() as tx:
            tx.withdrawals.hasten(job.job)
        await _run(context)
        former = [run for run in context.runs if not run.config.direction.receives]
        if former:
            with context.store.read() as tx:
                items = set(tx.withdrawals.items_of(job.job))
            for run in former:
                await clear(context, run, job, only=items)

    return await leased(context, stages)


def _guard(context: PassContext, planned: dict[str, list[Planned]]) -> None:
    due = [
        Candidate(uid, one.judgement.item, one.judgement.unguarded, one.judgement.native)
        for uid, plan in planned.items()
        for one in plan
        if one.judgement.action is Action.DELETE and not one.held
    ]
    with context.store.read() as tx:
        there = holdings(tx, due, context.clock())
    verdict = judge_deletions(due, there, context.hub.deletion, context.approved)
    context.report.approval = verdict.approval
    refused = {(one.spoke, one.item) for one in due} - verdict.allowed
    for uid, plan in planned.items():
        context.report.spokes[uid].guarded += verdict.held.get(uid, 0)
        planned[uid] = [
            msgspec.structs.replace(one, held=PendingReason.GUARDED.value)
            if (uid, one.judgement.item) in refused
            else one
            for one in plan
        ]


async def _run(context: PassContext, *, crew: Crew | None = None) -> None:
    await _assemble(context)
    begin_approval(context)
    begin_stages(context)
    if context.gate is not None:
        await _look(context)
    errands: AtPlaces = Errands(context)
    if crew is not None and context.gate is None:
        errands = SharedErrands(context, crew)
    await gather(context, errands)
    receivers = _receivers(context)
    if receivers:
        context.say(f"delivering to {len(receivers)} spokes")
    with context.phase(Phase.PUSH):
        await push(context, receivers, errands)
    with context.phase(Phase.PHOTOS):
        await sync_photos(context)
    await tend_subscriptions(context)
    conclude_approval(context)


async def _assemble(context: PassContext) -> None:
    """Whoever takes part in the pass, with their rows."""
    register(context)
    if context.sets:
        await enlist(context)
        register(context)


async def _look(context: PassContext) -> None:
    """Which receivers have no folder yet."""
    for run in _receivers(context):
        if run.row.target is None:
            with context.isolate(run):
                await run.endpoint(context)


async def gather(context: PassContext, errands: AtPlaces) -> None:
    """Recover, pull and merge."""
    begin_policy(context)
    await look_up_groups(context)
    await renew_keys(context)
    for run in _former_contributors(context):
        await stop_contributing(context, run)
    sources = begin_reading(context, reads_again=errands.reads_again)
    with context.store.read() as tx:
        context.began = tx.seq
    context.say(f"reading {len(sources)} spokes")
    await errands.read(sources)
    with context.phase(Phase.MERGE):
        await merge(context, [run for run in sources if not run.failed])
        await apply_policy(context)
    written_to = about_to_write(context)
    if written_to:
        await errands.read(written_to)
        with context.phase(Phase.MERGE):
            await merge(context, [run for run in written_to if not run.failed])
    _date_orphans(context)


def _former_contributors(context: PassContext) -> list[SpokeRun]:
    """Those that only receive, and have own items that count. Asked for all of them at once."""
    receiving = [run for run in context.runs if not run.config.direction.contributes]
    if not receiving:
        return []
    with context.store.read() as tx:
        contributors = tx.shadows.contributors()
    return [run for run in receiving if run.uid in contributors]


def _receivers(context: PassContext) -> list[SpokeRun]:
    return [run for run in context.runs if run.config.direction.receives and not run.failed]


def _date_orphans(context: PassContext) -> None:
    """Once every contributor has been read whole by this store, a copy whose item nobody
    contributes is known to be left over: its grace begins."""
    if context.erasing:
        return
    contributors = [run for run in context.runs if run.config.direction.contributes]
    with context.store.read() as tx:
        orphans = tx.items.undated()
        if (
            not orphans
            or context.broken
            or context.absent
            or any(tx.cursors.get(run.uid).rounds == 0 for run in contributors)
        ):
            return
    with context.store.write() as tx:
        tx.items.put(
            [
                msgspec.structs.replace(item, deleted_at=context.clock(), seq=tx.next_seq())
                for item in orphans
            ]
        )


async def leased(context: PassContext, stages: Stage) -> PassReport:
    """Run the stages under the hub's lease, renewing it while requests are waited for."""
    report = context.report
    try:
        context.store.acquire()
    except CirahubError as error:
        report.problem = problem_of(error)
        report.finished = context.clock()
        return report
    try:
        report.problem = await held(context, stages)
    finally:
        for end in (partial(_conclude, context), context.store.release):
            try:
                end()
            except StoreError as error:
                report.finished = context.clock()
                report.problem = report.problem or problem_of(error)
    return report


def _conclude(context: PassContext) -> None:
    """Count what stands, and keep the report."""
    report = context.report
    report.finished = context.clock()
    for run in context.asking_for_groups:
        if run.unread is not None:
            run.fail(run.unread)
    with context.store.write() as tx:
        conclude_notified(context, tx)
        report.items = tx.items.count()
        report.sequence = tx.seq
        tx.moments.note(tx.seq, report.finished)
        report.undecided, report.disputed = tx.undecided.counts()
        report.frozen = tx.freezes.count() if report.undecided else 0
        report.feud = feud(tx, report) if report.frozen else None
        count_twins(tx, report)
        asked = {report.approval, *(run.report.approval for run in context.runs)}
        report.approval = ",".join(sorted(asked - {""}))
        has, unreadable = tx.tallies.settle(), tx.pull_retry.counts()
        pending = tx.pending.standing(report.finished)
        for run in context.runs:
            idle = not (context.erasing or run.config.direction.receives)
            if idle and run.uid in pending:
                del pending[run.uid]
                # Nothing is delivered there; should it receive again, everything is looked at anew.
                tx.pending.clear(run.uid)
            counts = run.report.counts
            here = has.get(run.uid, Tally())
            counts.items, counts.copies = here.own, here.copies
            waiting = pending.get(run.uid, {})
            run.report.pending = {reason: one.count for reason, one in waiting.items()}
            counts.pending = sum(run.report.pending.values())
            if STAGE in run.report.pending and run.registered and not context.dry:
                run.report.stage = summary(tx, run.config, run.row, waiting[STAGE].count)
            counts.unreadable = unreadable.get(run.uid, 0)
            run.report.target = run.row.target or "" if run.registered else ""
            _complain(tx, run.report, context.clock())
        tell_lag(context, tx, pending)
        conclude_sets(context, tx)
        tx.shards.clear()
        if not context.erasing:
            tx.reports.add(report.started, msgspec.msgpack.encode(report))


def _complain(tx: Transaction, report: SpokeReport, now: float) -> None:
    """Say which items don't get through. One whose answer was lost is settled by the next pass,
    and is none of them."""
    waiting = report.pending

    def failing(reason: PendingReason, after: float = now + SETTLED_SECONDS) -> Failing | None:
        if reason.value not in waiting:
            return None
        row = tx.pending.latest(report.uid, reason.value, after)
        if row is None:
            return None
        return Failing(waiting[row.reason], row.item, row.error.partition(" request ")[0])

    report.rejected = failing(PendingReason.REJECTED)
    report.undelivered = failing(PendingReason.FAILED)
    report.unjudged = failing(PendingReason.UNJUDGED, after=0.0)
    if report.counts.unreadable:
        unreadable = tx.pull_retry.latest(report.uid)
        report.unreadable = Failing(report.counts.unreadable, unreadable or "")
