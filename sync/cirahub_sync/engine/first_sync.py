"""A first sync in stages: so many items arrive in a receiver, then a person lets more in.

What arrives for the first time, a copy or a change of the mailbox's own item, takes one of the
places that the stage has; the others are pending (`Stage`) in the order of their `seq`. What the
receiver has already goes on as always. Once the last stage is let in, the first sync is over for
good and nothing is asked or counted any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from cirahub_sync.configuration import SpokeConfig
from cirahub_sync.endpoints.base import Stamp
from cirahub_sync.engine.context import PassContext, SpokeRun, digest
from cirahub_sync.engine.plan import Judgement, Planned, Why
from cirahub_sync.engine.report import PendingReason, StageSummary
from cirahub_sync.store.arrivals import Arrived
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import Pending, Spoke

STAGE = PendingReason.STAGE.value
_ID = 16
"""Characters of an id that people copy."""
_ABSENT = frozenset({Why.DEAD, Why.FILTERED, Why.UNSHOWABLE, Why.BLANK, Why.OUTSIDE})


def under_way(config: SpokeConfig, row: Spoke) -> bool:
    """Whether a person is asked before more than a stage allows arrives there."""
    return bool(config.stages) and row.allowed is not None and config.direction.receives


def allowance(stages: Sequence[int], allowed: int, arrived: Arrived) -> int | None:
    """How many items may have arrived by now; None: all. Copies that an earlier store had made
    tell how far somebody had let it come, whose word is lost with that store."""
    if arrived.found:
        reached = _after(stages, arrived.count - 1)
        if reached is None:
            return None
        allowed = max(allowed, reached)
    return max(allowed, stages[0])


def begin_stages(context: PassContext) -> None:
    """Take up what was approved."""
    for run in context.runs if context.approved else ():
        if run.registered and under_way(run.config, run.row):
            targets = approved_by(context.approved, run.config, run.row)
            if targets:
                with context.store.write() as tx:
                    let_in(tx, run.row, targets)


def approved_by(ids: Collection[str], config: SpokeConfig, row: Spoke) -> Sequence[int]:
    """How many items the stages allow that these ids let in; 0: the last one, so all."""
    return [one for one in (*config.stages[1:], 0) if stage_id(row, one) in ids]


def let_in(tx: Transaction, row: Spoke, targets: Sequence[int]) -> None:
    if 0 in targets:
        conclude(tx, row)
        return
    row.allowed = max(row.allowed or 0, *targets)
    tx.update_spoke(row.uid, allowed=row.allowed)


def conclude(tx: Transaction, row: Spoke) -> None:
    """The first sync is over, for good."""
    row.allowed = None
    tx.update_spoke(row.uid, allowed=None)
    tx.arrivals.clear(row.uid)


def held_back(
    tx: Transaction, run: SpokeRun, judgements: Collection[Judgement]
) -> Sequence[Judgement]:
    """What of it has to wait for a stage. The rest has its place from now on."""
    if not under_way(run.config, run.row):
        return ()
    new = _newcomers(tx, run, judgements)
    if not new:
        return ()
    room = _room(tx, run)
    if room is None:
        conclude(tx, run.row)
        return ()
    tx.arrivals.put(run.uid, [one.item for one in new[:room]])
    return new[room:]


def next_in(tx: Transaction, run: SpokeRun, most: int) -> Sequence[str]:
    """Which of the items that wait for a stage are to be looked at: those that are no more, then
    those that may arrive by now."""
    if not under_way(run.config, run.row):
        return ()
    if gone := tx.arrivals.orphaned(run.uid, STAGE, most):
        return gone
    room = _room(tx, run)
    count = most if room is None else min(room, most)
    return tx.arrivals.waiting(run.uid, STAGE, run.row.mark, count) if count else ()


def absent(tx: Transaction, run: SpokeRun, judgements: Sequence[Judgement]) -> None:
    """What is not to be there (any more) gives its place to another item."""
    if under_way(run.config, run.row):
        gone = [one.item for one in judgements if one.action is None and one.why in _ABSENT]
        tx.arrivals.remove(run.uid, gone)


def recognised(tx: Transaction, run: SpokeRun, stamp: str, item: str) -> None:
    """A copy of this spoke's was found by its stamp: if this store did not let it in, an earlier
    one did."""
    made_for = Stamp.parse(stamp)
    if made_for is not None and made_for.spoke == run.uid and under_way(run.config, run.row):
        tx.arrivals.put(run.uid, [item], found=True)


def foreseen(tx: Transaction, run: SpokeRun, planned: Sequence[Planned]) -> Sequence[Planned]:
    """A plan as the stage lets it through. Notes nothing."""
    if not under_way(run.config, run.row):
        return planned
    due = [one.judgement for one in planned if not one.held]
    new, room = _newcomers(tx, run, due), _room(tx, run)
    late = set() if room is None else {one.item for one in new[room:]}
    if late:
        coming = len(new) - len(late)
        run.report.stage = summary(tx, run.config, run.row, len(late), planned=coming)
    return [
        msgspec.structs.replace(one, held=STAGE) if one.judgement.item in late else one
        for one in planned
    ]


def summary(
    tx: Transaction, config: SpokeConfig, row: Spoke, waiting: int, *, planned: int = 0
) -> StageSummary | None:
    """Of a first sync in which this many items wait for a stage, and as many are in a plan. None if
    nobody has to be asked."""
    if not (waiting and under_way(config, row)):
        return None
    arrived = tx.arrivals.count(row.uid)
    now = allowance(config.stages, row.allowed or 0, arrived)
    if now is None:
        return None
    target = _after(config.stages, max(now, arrived.count)) or 0
    return StageSummary(
        id=stage_id(row, target),
        number=max(1, sum(one <= now for one in config.stages)),
        of=len(config.stages) + 1,
        arrived=arrived.count,
        planned=planned,
        waiting=waiting,
        next=target,
    )


def stage_of(tx: Transaction, config: SpokeConfig, row: Spoke, pending: Pending, seq: int) -> int:
    """The number of the stage that lets in an item of this `seq`; 0 if it waits for none."""
    if pending.reason != STAGE or not under_way(config, row):
        return 0
    place = tx.arrivals.count(row.uid).count + tx.arrivals.ahead(row.uid, STAGE, seq)
    return 1 + sum(one <= place for one in config.stages)


def stage_id(row: Spoke, target: int) -> str:
    """What a person approves: so many items in this spoke's first sync, not in a later one's."""
    return digest("stage", row.uid, int(row.joined_at * 1000), target)[:_ID]


def _newcomers(
    tx: Transaction, run: SpokeRun, judgements: Collection[Judgement]
) -> list[Judgement]:
    arriving = sorted((one for one in judgements if one.arrives), key=lambda j: (j.seq, j.item))
    known = tx.arrivals.among(run.uid, [one.item for one in arriving])
    return [one for one in arriving if one.item not in known]


def _room(tx: Transaction, run: SpokeRun) -> int | None:
    arrived = tx.arrivals.count(run.uid)
    most = allowance(run.config.stages, run.row.allowed or 0, arrived)
    return None if most is None else max(0, most - arrived.count)


def _after(stages: Sequence[int], count: int) -> int | None:
    """What the first stage allows that allows more."""
    return next((one for one in stages if one > count), None)
