"""How long what a receiver lacks has waited."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from cirahub_sync.engine.context import PassContext
from cirahub_sync.engine.report import UNCONSIDERED
from cirahub_sync.store.delivery import Standing
from cirahub_sync.store.hub import Transaction


def tell_lag(
    context: PassContext, tx: Transaction, pending: Mapping[str, Mapping[str, Standing]]
) -> None:
    """Put into the spokes' reports since when the oldest change waits that did not reach them, by
    reason. Comes after the pass has noted its own moment."""
    last = tx.items.last_seq()
    behind = {
        run.uid: run.row.mark
        for run in context.runs
        if run.registered and run.config.direction.receives and run.row.mark < last
    }
    # Hardly ever is anybody behind: whoever could not be reached, or a hub whose pass broke off.
    moments = tx.moments.after(min(behind.values())) if behind else []
    seqs = [moment.seq for moment in moments]
    for run in context.runs:
        waiting = pending.get(run.uid, {})
        since = {reason: standing.since for reason, standing in waiting.items()}
        if run.uid in behind:
            known = moments[bisect_right(seqs, behind[run.uid])]
            since[UNCONSIDERED] = max(known.at, run.row.joined_at)
        run.report.waiting_since = since
