"""The errands of a pass done by other processes, each for a shard: some spokes of one connection.

The coordinator holds the hub, writes what is to be done into the store, has a crew work on it, and
goes on when every shard is settled. Between the errands it has the hub for itself again, and knows
what a pass in one process would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.errands import Errands
from cirahub_sync.engine.guard import Candidate, Verdict
from cirahub_sync.engine.report import Phase, Problem
from cirahub_sync.engine.shard import (
    Errand,
    Handed,
    ShardOutcome,
    SpokeState,
    state_of,
    take_in,
)
from cirahub_sync.errors import CirahubError
from cirahub_sync.store.shards import UNSETTLED, Shard, ShardKey, ShardProgress, ShardState

FIRST_LOOK = 0.05
"""Seconds after which the shards are looked at; each time a bit later."""
LATEST_LOOK = 2.0
_LATER = 1.5

_encode = msgspec.msgpack.Encoder().encode
_outcome = msgspec.msgpack.Decoder(ShardOutcome).decode


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """For workers, to the shards of one errand."""

    hub: str
    """Uid."""
    number: int
    """Of the pass."""
    errand: str
    parts: Mapping[str, Sequence[int]]
    """The parts, which follow each other, by the uid of their connection."""


class Crew(Protocol):
    """Processes that take shards: `Worker.work_shard` in each."""

    shard_size: int
    """Spokes in a shard, at most."""

    async def work(self, call: Call) -> None:
        """Have all these parts worked on. Comes back when nobody will work on them any more,
        whether they are settled or not; cancelled, when they are or the pass is over: then it ends
        whoever still does. Raises CrewUnavailableError, with the reason, if nobody can."""


class SharedErrands:
    """See `errands.AtPlaces`."""

    reads_again = False

    def __init__(self, context: PassContext, crew: Crew) -> None:
        self._context = context
        self._crew = crew
        self._here = Errands(context)
        self._states: dict[str, SpokeState] = {}
        """What workers told last, by spoke."""
        self._begun = False

    async def read(self, sources: Sequence[SpokeRun]) -> None:
        context = self._context
        with context.store.read() as tx:
            unsettled = tx.intents.open_anywhere().keys()
        reads = {run.uid for run in sources}
        runs = [
            run
            for run in context.runs
            if run.registered and not run.failed and (run.uid in reads or run.uid in unsettled)
        ]
        theirs = self._theirs(runs)
        own = [run for run in runs if run.uid not in theirs]
        with context.phase(Phase.PULL):  # and recovering, each worker by itself
            await self._errand(Errand.READ, [run for run in runs if run.uid in theirs], reads=reads)
        if own:
            await self._here.read([run for run in own if run.uid in reads])

    async def deliver(self, runs: Sequence[SpokeRun]) -> Sequence[Candidate]:
        theirs = self._theirs(runs)
        shared = [run for run in runs if run.uid in theirs]
        await self._errand(Errand.DELIVER, shared)
        due = await self._here.deliver([run for run in runs if run.uid not in theirs])
        return [
            *due,
            *(one for run in shared if not run.failed for one in self._told(run.uid).due),
        ]

    async def delete(self, verdict: Verdict) -> None:
        left = {uid for uid, state in self._states.items() if state.due or state.unsure}
        runs = [run for run in self._context.runs if run.uid in left and not run.failed]
        await self._errand(Errand.DELETE, runs, verdict=verdict)
        await self._here.delete(verdict)

    def _theirs(self, runs: Sequence[SpokeRun]) -> Collection[str]:
        """A Spoke that may take the place of a member of a set is the coordinator's, which alone
        knows who is one of those in this pass."""
        members = self._context.members
        return {
            run.uid
            for run in runs
            if not members or run.uid in members or run.row.target is not None
        }

    def _told(self, uid: str) -> SpokeState:
        return self._states[uid]

    async def _errand(
        self,
        errand: Errand,
        runs: Sequence[SpokeRun],
        *,
        reads: Collection[str] = (),
        verdict: Verdict | None = None,
    ) -> None:
        if not runs:
            return
        context = self._context
        number = context.store.number
        shards = in_shards(runs, self._crew.shard_size)
        with context.store.write() as tx:
            if not self._begun:
                tx.shards.clear()  # of passes whose coordinator died
                self._begun = True
            tx.shards.add(
                [
                    Shard(
                        key=ShardKey(number, errand, part),
                        connection=shard[0].config.connection.uid,
                        handed=_encode(self._handed(shard, reads, verdict)),
                    )
                    for part, shard in enumerate(shards)
                ]
            )
        parts: dict[str, list[int]] = {}
        for part, shard in enumerate(shards):
            parts.setdefault(shard[0].config.connection.uid, []).append(part)
        settled = await self._settled(
            Call(hub=context.hub.uid, number=number, errand=errand, parts=parts)
        )
        self._take_in(number, errand, shards, settled)

    def _handed(
        self, shard: Sequence[SpokeRun], reads: Collection[str], verdict: Verdict | None
    ) -> Handed:
        context = self._context
        spokes: list[SpokeState] = []
        for run in shard:
            state = state_of(context, run)
            state.reads = run.uid in reads
            state.joins = run.uid in context.members and run.row.target is None
            if verdict is not None:
                state.due, state.unsure = self._told(run.uid).due, self._told(run.uid).unsure
            spokes.append(state)
        here = {run.uid for run in shard}
        return Handed(
            started=context.report.started,
            began=context.began,
            approved=sorted(context.approved),
            asking=[run.uid for run in context.asking_for_spokes if run.registered],
            spokes=spokes,
            verdict=None if verdict is None else _about(verdict, here),
        )

    async def _settled(self, call: Call) -> Sequence[ShardProgress]:
        """Wait until every part is done, or has failed for good."""
        working = asyncio.ensure_future(self._crew.work(call))
        pause, said = FIRST_LOOK, ""
        try:
            while True:
                over = working.done()
                progress = self._progress(call)
                ended = sum(one.state.value not in UNSETTLED for one in progress)
                under_way = sum(one.state is ShardState.RUNNING for one in progress)
                line = f"{call.errand}: {ended} of {len(progress)} shards, {under_way} under way"
                if line != said:
                    said = line
                    self._context.say(line)
                if ended == len(progress):
                    return progress
                if over:
                    self._give_up(call, progress, working)
                    return self._progress(call)
                await asyncio.wait([working], timeout=pause)
                pause = min(LATEST_LOOK, pause * _LATER)
        finally:
            working.cancel()
            await asyncio.wait([working])

    def _progress(self, call: Call) -> Sequence[ShardProgress]:
        with self._context.store.read() as tx:
            return tx.shards.progress(call.number, call.errand)

    def _give_up(
        self, call: Call, progress: Sequence[ShardProgress], working: asyncio.Future[None]
    ) -> None:
        why = "its workers have ended without it"
        error = working.exception()
        if isinstance(error, CirahubError):
            why = str(error)
        elif error is not None:
            raise error
        with self._context.store.write() as tx:
            for one in progress:
                if one.state.value in UNSETTLED:
                    key = ShardKey(call.number, call.errand, one.part)
                    tx.shards.fail(key, one.error or why)

    def _take_in(
        self,
        number: int,
        errand: Errand,
        shards: Sequence[Sequence[SpokeRun]],
        progress: Sequence[ShardProgress],
    ) -> None:
        context = self._context
        with context.store.read() as tx:
            rows = tx.spokes()
            for shard, one in zip(shards, progress, strict=True):
                states: Mapping[str, SpokeState] = {}
                if one.state is ShardState.DONE:
                    outcome = _outcome(tx.shards.outcome(ShardKey(number, errand, one.part)))
                    states = {state.report.uid: state for state in outcome.spokes}
                    context.report.conflicts += outcome.conflicts
                    context.report.froze += outcome.froze
                    context.report.add_traffic(outcome.traffic)
                for run in shard:
                    run.row = rows[run.uid]
                    if run.uid in states:
                        take_in(context, run, states[run.uid])
                    else:
                        run.settled = False
                        run.fail(_failed(run, errand, one))
                self._states.update(states)


def in_shards(runs: Sequence[SpokeRun], most: int) -> list[list[SpokeRun]]:
    """Spokes of one connection each, those of a connection one after the other."""
    by_connection: dict[str, list[SpokeRun]] = {}
    for run in runs:
        by_connection.setdefault(run.config.connection.uid, []).append(run)
    return [
        of_one[start : start + most]
        for of_one in by_connection.values()
        for start in range(0, len(of_one), most)
    ]


def _about(verdict: Verdict, spokes: Collection[str]) -> Verdict:
    """What of it concerns these spokes."""
    return Verdict(
        allowed=frozenset(one for one in verdict.allowed if one[0] in spokes),
        counted=frozenset(one for one in verdict.counted if one[0] in spokes),
        held={},
        approval="",
    )


def _failed(run: SpokeRun, errand: Errand, one: ShardProgress) -> Problem:
    return Problem(
        "ShardFailed",
        f"spoke {run.config.name}: the workers did not get through the shard that it is in "
        f"(errand {errand}, part {one.part}, {one.attempts} attempts): "
        f"{one.error or 'none of them said why; see their logs'}; it is tried again at the next "
        "pass",
    )
