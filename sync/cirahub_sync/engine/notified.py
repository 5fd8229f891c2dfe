"""A pass that looks only where services told of changes: who is read in it, and who is not.

Who has never been read whole is read in any pass. And a two-way spoke is read before it is written
to, in any pass: what its user did meanwhile must meet what others did as a conflict, and not be
written over.
"""

from __future__ import annotations

import msgspec

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import APPROVAL, RETRIED
from cirahub_sync.engine.first_sync import STAGE
from cirahub_sync.engine.plan import DELETIONS
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.verify import due
from cirahub_sync.store.hub import Transaction

_report = msgspec.msgpack.Decoder(PassReport).decode


def begin_reading(context: PassContext, *, reads_again: bool) -> list[SpokeRun]:
    """Those that are read first; all of them, unless `reads_again`. Notes what was told until
    now."""
    with context.store.read() as tx:
        if not (context.dry or context.erasing):
            context.notified = tx.notified.all()
        settled = tx.cursors.settled() if context.notified_only else frozenset()
    runs = [run for run in context.runs if not (run.failed or run.pristine)]
    if not context.notified_only:
        now = context.clock()
        return [run for run in runs if run.config.direction.contributes or due(run, now)]
    contributors = [run for run in runs if run.config.direction.contributes]
    first = [run for run in contributors if run.uid in context.notified or run.uid not in settled]
    if first and not reads_again:
        reading = {run.uid for run in first}
        first += [
            run for run in contributors if run.config.direction.receives and run.uid not in reading
        ]
    reading = {run.uid for run in first}
    for run in contributors:
        run.overlooked = run.uid not in reading
    return first


def about_to_write(context: PassContext) -> list[SpokeRun]:
    """Two-way spokes that were not read, for which there is something to look at."""
    overlooked = [run for run in context.runs if run.overlooked and run.config.direction.receives]
    if not overlooked:
        return []
    with context.store.read() as tx:
        last = tx.items.last_seq()
        waiting = tx.pending.waiting(context.clock(), (*RETRIED, *DELETIONS), (*APPROVAL, STAGE))
    found = [run for run in overlooked if run.row.mark < last or run.uid in waiting]
    for run in found:
        run.overlooked = False
    return found


def conclude_notified(context: PassContext, tx: Transaction) -> None:
    """What was told of a spoke that can't be read, or that nobody reads, waits for no pass of its
    own: the next one that reads everybody looks there. And a spoke that was not looked at is as
    its last report has it."""
    if context.report.problem is not None:
        return
    readable = {
        run.uid for run in context.runs if run.config.direction.contributes and not run.failed
    }
    tx.notified.handled(
        {uid: times for uid, times in context.notified.items() if uid not in readable}
    )
    overlooked = [run for run in context.runs if run.overlooked and not run.failed]
    kept = tx.reports.last() if overlooked else None
    if kept is None:
        return
    spokes = _report(kept).spokes
    for run in overlooked:
        before = spokes.get(run.uid)
        if before is not None and before.problem is not None:
            run.report.problem = before.problem
