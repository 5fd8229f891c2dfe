"""A shard of a pass as its worker does it, and what it and the coordinator tell each other.

A worker knows of the hub what the store holds: the configuration that the coordinator resolved, the
groups that it read, and what is handed over here. It decides nothing that concerns other spokes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from cirahub_sync.configuration import HubConfig, SpokeConfig
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.errands import Errands
from cirahub_sync.engine.groups import recall_groups
from cirahub_sync.engine.guard import Candidate, Verdict
from cirahub_sync.engine.held import held
from cirahub_sync.engine.recover import recover
from cirahub_sync.engine.report import Problem, SpokeReport, Traffic
from cirahub_sync.errors import ConfigurationError, LeaseLostError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.shards import ShardKey


class Errand(StrEnum):
    """What is done at places between two things that are decided over all of a hub."""

    READ = "read"
    DELIVER = "deliver"
    DELETE = "delete"


class SpokeState(msgspec.Struct, kw_only=True):
    """A spoke as the pass has come to know it, handed there and back."""

    report: SpokeReport
    settled: bool
    doubled: bool
    afresh: bool
    verified: bool
    """See `PassContext.verified`."""
    reads: bool = False
    """Whether its changes are to be read. What it had sent is settled anyhow."""
    joins: bool = False
    """Whether it is a member of a set that was not synced yet."""
    due: list[Candidate] = []
    """Deletions."""
    unsure: bool = False
    """Whether an answer was lost in this pass."""


class Handed(msgspec.Struct, kw_only=True):
    """What the coordinator tells."""

    started: float
    began: int
    approved: list[str]
    asking: list[str]
    """Uids of the hub's spokes for which it counts who contributes an item."""
    spokes: list[SpokeState]
    verdict: Verdict | None = None
    """Of the deletions, where these are to be sent."""


class ShardOutcome(msgspec.Struct, kw_only=True):
    """What a worker tells."""

    spokes: list[SpokeState]
    conflicts: int
    froze: int
    traffic: dict[str, dict[str, Traffic]] = {}
    """As in `PassReport`."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Handed).decode
_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


def state_of(context: PassContext, run: SpokeRun) -> SpokeState:
    return SpokeState(
        report=run.report,
        settled=run.settled,
        doubled=run.doubled,
        afresh=run.afresh,
        verified=run.uid in context.verified,
    )


def take_in(context: PassContext, run: SpokeRun, state: SpokeState) -> None:
    """The spoke is as another process left it, its row besides."""
    for name in SpokeReport.__struct_fields__:
        setattr(run.report, name, getattr(state.report, name))
    run.settled, run.doubled, run.afresh = state.settled, state.doubled, state.afresh
    if state.verified:
        context.verified.add(run.uid)
    else:
        context.verified.discard(run.uid)


def _begin(context: PassContext, handed: Handed) -> None:
    """Have the context be the pass's, as far as the shard's spokes need that."""
    context.report.started = handed.started
    context.began = handed.began
    context.approved = frozenset(handed.approved)
    states = {state.report.uid: state for state in handed.spokes}
    context.asking_elsewhere = [uid for uid in handed.asking if uid not in states]
    with context.store.read() as tx:
        context.withdrawn = tx.withdrawals.all()
        context.notified = tx.notified.all()
        for run in context.runs:
            run.row = tx.spoke(run.uid)
            run.registered = True
            member = tx.members.by_uid(run.uid) if states[run.uid].joins else None
            if member is not None:
                context.members[run.uid] = member
            take_in(context, run, states[run.uid])
        recall_groups(context, tx)


def configured(tx: Transaction, key: ShardKey) -> tuple[HubConfig, list[SpokeConfig]]:
    """The hub and the shard's spokes, as the coordinator resolved them at the pass's beginning."""
    hub, *spokes = (
        tx.configurations.get(uid)
        for uid in (tx.hub, *(one.report.uid for one in _decode(tx.shards.handed(key)).spokes))
    )
    if hub is None:
        raise LeaseLostError(f"hub {tx.hub}: nothing is known of it any more")
    return _hub(hub), [_spoke(one) for one in spokes if one is not None]


async def run_shard(
    context: PassContext,
    key: ShardKey,
    *,
    attempt: int,
    account: Callable[[PassContext], None],
) -> Problem | None:
    """One attempt at a shard that the context's store holds, with the context's runs; `account`
    notes in the report what it cost. Returns why it did not get through: whoever takes it next goes
    on. Raises LeaseLostError."""

    async def stages(context: PassContext) -> None:
        with context.store.read() as tx:
            handed = _decode(tx.shards.handed(key))
        _begin(context, handed)
        outcome = await _do(context, key, handed, attempt=attempt)
        for run in context.runs:
            run.report.target = run.row.target or ""  # by which is known where was waited
        account(context)
        outcome.traffic = context.report.traffic
        with context.store.write() as tx:
            tx.shards.finish(key, _encode(outcome))

    try:
        problem = await held(context, stages)
    except asyncio.CancelledError:
        _give_back(context, key, "its worker was stopped")
        raise
    if problem is not None:
        _give_back(context, key, f"{problem.reason}: {problem.message}")
    return problem


def _give_back(context: PassContext, key: ShardKey, why: str) -> None:
    with context.store.write() as tx:
        tx.shards.give_back(key, why)


async def _do(context: PassContext, key: ShardKey, handed: Handed, *, attempt: int) -> ShardOutcome:
    """What the errand asks for, at the context's spokes. What an earlier attempt sent without
    learning the outcome is settled first."""
    errands = Errands(context)
    states = {state.report.uid: state for state in handed.spokes}
    due: Sequence[Candidate] = ()
    if key.errand == Errand.READ:
        await errands.read([run for run in context.runs if states[run.uid].reads])
    else:
        if attempt > 1:
            await recover(context, context.runs)
        runs = [run for run in context.runs if not run.failed]
        if key.errand == Errand.DELIVER:
            due = await errands.deliver(runs)
        elif key.errand == Errand.DELETE and handed.verdict is not None:
            await errands.take_up(
                runs,
                due={uid: [one.item for one in state.due] for uid, state in states.items()},
                unsure={uid for uid, state in states.items() if state.unsure},
            )
            await errands.delete(handed.verdict)
        else:
            raise ConfigurationError(
                f"hub {context.hub.name}: the errand {key.errand} of a pass is of another version "
                "of the operator; give workers and operator the same image"
            )
    return ShardOutcome(
        spokes=[
            msgspec.structs.replace(
                state_of(context, run),
                due=[one for one in due if one.spoke == run.uid],
                unsure=run.uid in errands.unsure,
            )
            for run in context.runs
        ],
        conflicts=context.report.conflicts,
        froze=context.report.froze,
    )
