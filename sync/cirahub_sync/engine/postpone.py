"""What was sent and did not get through waits, with growing pauses."""

from __future__ import annotations

from collections.abc import Sequence

from cirahub_sync.endpoints.base import Outcome, Result
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.plan import Judgement, Why
from cirahub_sync.engine.report import PendingReason
from cirahub_sync.model.kind import as_event
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Action, Pending

FIRST_BACKOFF = 30.0
LONGEST_BACKOFF = 3600.0
REJECTED_SECONDS = 86_400.0
_SOON = 3600.0
"""At the earliest, whatever time an event is found to come into the window at."""


def postpone(
    context: PassContext, run: SpokeRun, tx: Transaction, judgement: Judgement, outcome: Outcome
) -> None:
    """Note why it was not delivered, and when it is looked at again."""
    known = tx.pending.by_item(run.uid, [judgement.item]).get(judgement.item)
    attempts = known.attempts + 1 if known is not None else 1
    if outcome.result in (Result.STALE, Result.GONE):
        # Its user was at it: the next pass looks at what is there now.
        run.row.verified_at = 0.0
        tx.update_spoke(run.uid, verified_at=0.0)
    if judgement.action is Action.DELETE:
        reason, wait = PendingReason.GRACE, FIRST_BACKOFF
    elif outcome.result is Result.REJECTED:
        reason, wait = PendingReason.REJECTED, REJECTED_SECONDS
    elif outcome.result in (Result.STALE, Result.GONE):
        reason, wait = PendingReason.STALE, 0.001
    elif outcome.result in (Result.UNKNOWN, Result.DONE):
        reason, wait = PendingReason.FAILED, 0.001
    else:
        reason = PendingReason.FAILED
        wait = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempts - 1, 10))
    tx.pending.put(
        [
            Pending(
                spoke=run.uid,
                item=judgement.item,
                reason=reason.value,
                due_at=context.clock() + max(wait, outcome.retry_after or 0.0),
                attempts=attempts,
                error=outcome.error,
            )
        ]
    )


def await_window(
    context: PassContext, run: SpokeRun, tx: Transaction, judgements: Sequence[Judgement]
) -> None:
    """Events that are still ahead of the window are considered again when they come into it."""
    outside = [one.item for one in judgements if one.why is Why.OUTSIDE]
    if not outside or run.span is None:
        return
    rows: list[Pending] = []
    for item in tx.items.get(outside).values():
        entered = run.span.entered_at(as_event(item.content), context.hub.window)
        if entered is not None:
            due = max(entered, context.clock() + _SOON)
            reason = PendingReason.WINDOW.value
            rows.append(Pending(spoke=run.uid, item=item.id, reason=reason, due_at=due))
    tx.pending.put(rows)


def await_change(
    context: PassContext, run: SpokeRun, tx: Transaction, judgements: Sequence[Judgement]
) -> None:
    """Note what the filter's expression can't be evaluated for. No time mends that: it waits until
    the item changes, or the filter."""
    tx.pending.put(
        [
            Pending(
                spoke=run.uid,
                item=one.item,
                reason=PendingReason.UNJUDGED.value,
                due_at=context.clock(),
            )
            for one in judgements
            if one.why is Why.UNJUDGED
        ]
    )
