"""What a pass says of members of sets: kept in their rows, and told of the set in numbers."""

from __future__ import annotations

import zlib
from collections import Counter

import msgspec

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.guard import DAY
from cirahub_sync.engine.report import Counts, SetReport, SpokeReport
from cirahub_sync.spoke_set import MemberState, SpokeSetConfig
from cirahub_sync.store.delivery import SETTLED
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.members import MemberRow

WORST = 10
FIRST_PAUSE = 300.0
"""Seconds after which a member whose mailbox is not there is tried again, at least; doubled each
time, up to a day."""


class _Moment(msgspec.Struct, frozen=True):
    now: float
    seq: int
    """Of the item that changed last."""


def conclude_sets(context: PassContext, tx: Transaction) -> None:
    """Members leave the report's spokes: of thousands it would tell too much."""
    at = _Moment(context.clock(), tx.items.last_seq() if context.sets else 0)
    runs = {run.uid: run for run in context.runs if run.uid in context.members}
    for one in context.sets:
        report, rows = context.report.sets.get(one.uid), context.rolls.get(one.uid)
        if report is None or rows is None:
            continue
        changed: list[MemberRow] = []
        for row in rows.values():
            run = runs.get(row.uid)
            if run is None:
                continue
            del context.report.spokes[row.uid]
            _add(report, run.report)
            before = _standing(row)
            if context.report.problem is None:
                _judge(tx, one, row, run, at)
            if _standing(row) != before:
                changed.append(row)
        if not context.dry:
            tx.members.put(changed)
        _count(report, list(rows.values()))


def _standing(row: MemberRow) -> tuple[object, ...]:
    return row.state, row.reason, row.failures, row.retry_at


def _judge(
    tx: Transaction, one: SpokeSetConfig, row: MemberRow, run: SpokeRun, at: _Moment
) -> None:
    """A member that the pass did not get to stays what it was."""
    problem, failed = run.report.problem, bool(row.reason)
    if problem is None and failed and run.overlooked:
        return
    if problem is not None:
        row.state, row.reason = MemberState.FAILED, problem.reason
        row.failures += 1
        row.retry_at = 0.0
        if problem.stalled and not problem.access:
            row.retry_at = at.now + _pause(one, row)
    elif run.row.target is None:
        return
    else:
        behind = run.config.direction.receives and run.row.mark < at.seq
        waits = behind or any(reason not in SETTLED for reason in run.report.pending)
        row.state = MemberState.PENDING if waits else MemberState.READY
        row.reason, row.failures, row.retry_at = "", 0, 0.0
    if problem is not None or failed:
        message = "" if problem is None else problem.message
        person = tx.members.person(row)
        if person.message != message:
            tx.members.seal(row, msgspec.structs.replace(person, message=message))


def _pause(one: SpokeSetConfig, row: MemberRow) -> float:
    """Spread by up to a tenth either way, so that those that failed together drift apart."""
    spread = 0.9 + 0.2 * (zlib.crc32(row.uid.encode()) / 0xFFFFFFFF)
    first = max(FIRST_PAUSE, one.interval)
    doubled: float = first * 2.0 ** min(row.failures - 1, 16)
    return spread * min(DAY, doubled)


def _add(report: SetReport, of: SpokeReport) -> None:
    for name in Counts.__struct_fields__:
        setattr(report.counts, name, getattr(report.counts, name) + getattr(of.counts, name))
    for reason, count in of.pending.items():
        report.pending[reason] = report.pending.get(reason, 0) + count
    for reason, since in (of.waiting_since or {}).items():
        report.waiting_since[reason] = min(since, report.waiting_since.get(reason, since))
    report.guarded += of.guarded
    report.sources_emptied += of.source_emptied
    report.unsubscribed += of.unsubscribed is not None
    problem = of.problem
    if problem is not None:
        report.retrying = report.retrying or not problem.stalled
        report.retry_after = max(report.retry_after, problem.retry_after or 0.0)
        report.access = report.access or problem.access


def _count(report: SetReport, rows: list[MemberRow]) -> None:
    report.states = dict(Counter(row.state.value for row in rows))
    failing = [row for row in rows if row.state is MemberState.FAILED]
    report.reasons = dict(Counter(row.reason for row in failing))
    failing.sort(key=lambda row: (-row.failures, row.id))
    report.worst = [(row.id, row.reason) for row in failing[:WORST]]
