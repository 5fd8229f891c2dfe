"""What of a pass is done at places: reading, delivering, deleting; for its spokes or some of them.

The pass says what is to be done and when; `Errands` does it in this process,
`shared.SharedErrands` has others do it, each for a shard. What is decided over all of a hub (the
merge, the guard's verdict) is decided in between.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.deliver import CHUNK, Receiver
from cirahub_sync.engine.guard import Candidate, Verdict
from cirahub_sync.engine.lanes import each
from cirahub_sync.engine.plan import DELETIONS, Encoder
from cirahub_sync.engine.pull import pull
from cirahub_sync.engine.recover import recover
from cirahub_sync.engine.report import Phase
from cirahub_sync.throttle import IN_FLIGHT

CONCURRENT_RECEIVERS = 64
MOST_RECEIVERS = IN_FLIGHT
"""At a time, where it is the service that takes long."""
IN_HAND = 64_000
"""Items that are judged and sent at the same time, in all receivers together: they are what a pass
has in memory."""


def chunk_of(receivers: int) -> int:
    """How many items each of them has in hand."""
    return min(CHUNK, IN_HAND // max(1, min(receivers, MOST_RECEIVERS)))


class AtPlaces(Protocol):
    """In this order. What goes wrong with a spoke is in its report."""

    @property
    def reads_again(self) -> bool:
        """Whether `read` may be asked for more than once in a pass."""
        ...

    async def read(self, sources: Sequence[SpokeRun]) -> None:
        """Settle what an earlier run sent, at every spoke of the pass, and stage the changes of
        these."""

    async def deliver(self, runs: Sequence[SpokeRun]) -> Sequence[Candidate]:
        """Creates and updates to these; the deletions that are due there."""

    async def delete(self, verdict: Verdict) -> None:
        """The deletions that are allowed at those that were delivered to."""


class Errands:
    """Done here, by the context's own runs."""

    reads_again = True

    def __init__(self, context: PassContext) -> None:
        self._context = context
        self._receivers: Sequence[Receiver] = ()

    async def read(self, sources: Sequence[SpokeRun]) -> None:
        with self._context.phase(Phase.RECOVER):
            await recover(self._context, self._context.runs)
        with self._context.phase(Phase.PULL):
            await pull(self._context, sources)

    async def deliver(self, runs: Sequence[SpokeRun]) -> Sequence[Candidate]:
        self._receive(runs)
        await self._each(deletions=False)
        candidates: list[Candidate] = []
        with self._context.store.read() as tx:
            deleting = tx.pending.waiting(self._context.clock(), DELETIONS, ())
        for receiver in self._receivers:
            if receiver.run.failed or receiver.run.uid not in deleting:
                continue
            with self._context.isolate(receiver.run):
                candidates.extend(await receiver.deletions_due())
        return candidates

    async def take_up(
        self,
        runs: Sequence[SpokeRun],
        *,
        due: Mapping[str, Collection[str]],
        unsure: Collection[str],
    ) -> None:
        """Go on with what another process delivered: by spoke, the items that it found to be due
        for deletion, and where it lost an answer."""
        self._receive(runs)
        for receiver in self._receivers:
            receiver.unsure = receiver.run.uid in unsure
            with self._context.isolate(receiver.run):
                await receiver.deletions_due(among=due.get(receiver.run.uid, ()))

    async def delete(self, verdict: Verdict) -> None:
        for receiver in self._receivers:
            receiver.apply(verdict)
        await self._each(deletions=True)
        unsure = [
            receiver.run
            for receiver in self._receivers
            if (receiver.unsure or receiver.run.doubled) and not receiver.run.failed
        ]
        if unsure:
            await recover(self._context, unsure, give_up=False)

    @property
    def unsure(self) -> Collection[str]:
        """Where something is to be settled at the end, by their uids."""
        return {
            receiver.run.uid
            for receiver in self._receivers
            if receiver.unsure or receiver.run.doubled
        }

    def _receive(self, runs: Sequence[SpokeRun]) -> None:
        encoder = Encoder(self._context.fingerprint)
        chunk = chunk_of(len(runs))
        self._receivers = [
            Receiver(self._context, run, encoder, chunk) for run in runs if run.settled
        ]

    async def _each(self, *, deletions: bool) -> None:
        async def one(receiver: Receiver) -> None:
            with self._context.isolate(receiver.run):
                await (receiver.delete() if deletions else receiver.deliver())

        willing = [receiver for receiver in self._receivers if not receiver.run.failed]
        await each(willing, one, lanes=CONCURRENT_RECEIVERS, most=MOST_RECEIVERS)
