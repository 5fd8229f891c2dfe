"""One receiver: judging what it lacks, sending it, and noting what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import aclosing

import msgspec

from cirahub_sync.endpoints.base import (
    Endpoint,
    Outcome,
    Result,
)
from cirahub_sync.engine.acknowledge import Delivery, acknowledge
from cirahub_sync.engine.context import PassContext, SpokeRun
from cirahub_sync.engine.departure import forget, keep
from cirahub_sync.engine.first_sync import (
    STAGE,
    absent,
    conclude,
    foreseen,
    held_back,
    next_in,
    under_way,
)
from cirahub_sync.engine.guard import Candidate, Verdict
from cirahub_sync.engine.history import copy_gone
from cirahub_sync.engine.judging import Known, blended_in, judged, known_of
from cirahub_sync.engine.outgoing import Letter, delivery_of, letter_of
from cirahub_sync.engine.plan import DELETIONS, Encoder, Judgement, Planned
from cirahub_sync.engine.postpone import await_change, await_window, postpone
from cirahub_sync.engine.refold import refold
from cirahub_sync.engine.report import PendingReason, Phase
from cirahub_sync.engine.verify import verify
from cirahub_sync.errors import CirahubError, LeaseLostError, StoreError
from cirahub_sync.store.hub import Transaction
from cirahub_sync.store.rows import (
    Action,
    Item,
    Pending,
    Replica,
    ReplicaState,
)

CHUNK = 400
TRIES = 3
"""Of an operation in one pass that surely had no effect (throttled, say)."""
RETRIED = (
    PendingReason.FAILED.value,
    PendingReason.STALE.value,
    PendingReason.REJECTED.value,
    PendingReason.WINDOW.value,
)
APPROVAL = (PendingReason.APPROVAL.value,)


class Receiver:
    def __init__(self, context: PassContext, run: SpokeRun, encoder: Encoder, chunk: int) -> None:
        """`chunk`: how many items are judged and sent at a time."""
        self.run = run
        self.unsure = False
        """Whether an outcome was lost in this pass."""
        self._context = context
        self._encoder = encoder
        self._chunk = chunk
        self._now = context.clock()
        self._deletions: list[Judgement] = []
        self._counted: frozenset[str] = frozenset()
        """Items whose deletion uses up the guard's allowance of the day."""
        self._left = True
        """Whether anything was above the mark, or due again, when the mark moved."""

    async def deliver(self) -> None:
        """Creates and updates: what waited for approval, everything above the mark, then what is
        pending and due."""
        staged = under_way(self.run.config, self.run.row)
        asked_about = APPROVAL if staged else (*APPROVAL, STAGE)
        with self._context.store.read() as tx:
            waiting = tx.pending.due(self.run.uid, float("inf"), asked_about, 1_000_000)
            ahead = None if waiting or staged else self._ahead(tx)
        if self.run.row.allowed is not None and any(row.reason == STAGE for row in waiting):
            with self._context.store.write() as tx:
                conclude(tx, self.run.row)  # there are stages no more
        for start in range(0, len(waiting), self._chunk):
            await self._again([row.item for row in waiting[start : start + self._chunk]])
            if self.run.failed:
                return
        while staged:
            with self._context.store.read() as tx:
                ids = next_in(tx, self.run, self._chunk)
            if not ids:
                break
            await self._again(ids)
            if self.run.failed:
                return
        while self._left:
            if ahead is None:
                with self._context.store.read() as tx:
                    ahead = self._ahead(tx)
            (items, known), ahead = ahead, None
            if items:
                judgements = await self._judged(items, known)
                if self.run.failed:
                    return  # its verification did: nothing was considered
                await self._send(judgements, upto=items[-1].seq)
                continue
            with self._context.store.read() as tx:
                due = tx.pending.due(self.run.uid, self._now, RETRIED, self._chunk)
            if not due:
                return
            await self._again([row.item for row in due])
            if self.run.failed:
                return

    def _ahead(self, tx: Transaction) -> tuple[Sequence[Item], Known]:
        """What is above the mark, with what is known of it there."""
        items = tx.items.after(self.run.row.mark, self._chunk)
        return items, known_of(self._context, self.run, tx, items)

    async def _again(self, ids: Sequence[str]) -> None:
        """Look again at what is pending."""
        with self._context.store.read() as tx:
            found = tx.items.get(ids)
            known = known_of(self._context, self.run, tx, list(found.values()))
        gone = [item for item in ids if item not in found]
        if gone:
            with self._context.store.write() as tx:
                tx.pending.remove(self.run.uid, gone)
        if found:
            judgements = await self._judged(list(found.values()), known)
            if not self.run.failed:
                await self._send(judgements)

    async def plan(self) -> list[Planned]:
        """What `deliver` and `delete` would look at, without sending or noting anything."""
        planned: dict[str, Planned] = {}
        mark = self.run.row.mark
        while True:
            with self._context.store.read() as tx:
                items = tx.items.after(mark, self._chunk)
            if not items:
                break
            mark = items[-1].seq
            for judgement in await self._judged(items):
                waits = (judgement.wait_until or 0.0) > self._now
                planned[judgement.item] = Planned(
                    judgement, PendingReason.GRACE.value if waits else ""
                )
            if self.run.failed:
                return []
        for reasons in (RETRIED, APPROVAL, (STAGE,), DELETIONS):
            with self._context.store.read() as tx:
                due = tx.pending.due(self.run.uid, float("inf"), reasons, 1_000_000)
                found = tx.items.get([row.item for row in due])
            later = {row.item: row.reason for row in due if row.due_at > self._now}
            for judgement in await self._judged(list(found.values())):
                held = later.get(judgement.item, "")
                planned.setdefault(judgement.item, Planned(judgement, held))
        acting = [one for one in planned.values() if one.judgement.action is not None]
        with self._context.store.read() as tx:
            return list(foreseen(tx, self.run, acting))

    async def deletions_due(self, *, among: Collection[str] | None = None) -> list[Candidate]:
        """Judge the deletions again whose grace is over; what came back to life is dropped.
        `among`: of these items only."""
        with self._context.store.read() as tx:
            due = tx.pending.due(self.run.uid, self._now, DELETIONS, 1_000_000)
            if among is not None:
                due = [row for row in due if row.item in among]
            found = tx.items.get([row.item for row in due])
        if not due:
            return []
        judgements = {j.item: j for j in await self._judged(list(found.values()))}
        self._deletions = [j for j in judgements.values() if j.action is Action.DELETE]
        standing = {judgement.item for judgement in self._deletions}
        dropped = [row.item for row in due if row.item not in standing]
        if dropped:
            with self._context.store.write() as tx:
                tx.pending.remove(self.run.uid, dropped)
                tx.pending.reconsider(self.run.uid, [item for item in dropped if item in found])
        return [Candidate(self.run.uid, j.item, j.unguarded, j.native) for j in self._deletions]

    def apply(self, verdict: Verdict) -> None:
        """Keep the deletions that the guard allows; note the others as guarded."""
        held = [j for j in self._deletions if (self.run.uid, j.item) not in verdict.allowed]
        self._deletions = [j for j in self._deletions if (self.run.uid, j.item) in verdict.allowed]
        if self._context.gate is not None:
            # What the guard asked about and a person approved, they have seen.
            gate, seen = self._context.gate, verdict.allowed - verdict.counted
            self._deletions = [
                j
                for j in self._deletions
                if (self.run.uid, j.item) in seen or gate.lets(self.run.uid, j)
            ]
        self._counted = frozenset(item for spoke, item in verdict.counted if spoke == self.run.uid)
        if held:
            with self._context.store.write() as tx:
                known = tx.pending.by_item(self.run.uid, [judgement.item for judgement in held])
                tx.pending.put(
                    [
                        msgspec.structs.replace(row, reason=PendingReason.GUARDED.value)
                        for row in known.values()
                    ]
                )

    async def delete(self) -> None:
        for start in range(0, len(self._deletions), self._chunk):
            await self._send(self._deletions[start : start + self._chunk], deletions=True)

    async def _judged(self, items: Sequence[Item], held: Known | None = None) -> list[Judgement]:
        """Judgements of these items, by what was `held` about them when they were read. Before the
        first create that this process makes in a spoke, the spoke is verified: the store may have
        been restored, or lost."""
        endpoint = await self.run.endpoint(self._context)
        judgements = self._judge(items, endpoint, held)
        known = self._context.verified
        while not (self.run.pristine or self.run.uid in known) and any(
            judgement.action is Action.CREATE for judgement in judgements
        ):
            # Twice at most: what an earlier run left staged is merged first, then read afresh.
            await verify(self._context, [self.run])
            if self.run.failed:
                return []
            judgements = self._judge(items, endpoint)
        if self.run.receives.blends:
            return await blended_in(self._context, self.run, judgements, endpoint, self._encoder)
        return judgements

    def _judge(
        self, items: Sequence[Item], endpoint: Endpoint, held: Known | None = None
    ) -> list[Judgement]:
        with self._context.phase(Phase.PLAN):
            if held is None:
                with self._context.store.read() as tx:
                    items = list(tx.items.get([item.id for item in items]).values())
                    held = known_of(self._context, self.run, tx, items)
            return judged(
                self._context,
                self.run,
                items,
                held,
                endpoint=endpoint,
                encoder=self._encoder,
                now=self._now,
            )

    def _advance(self, tx: Transaction, seq: int) -> None:
        self.run.row.mark = seq
        tx.update_spoke(self.run.uid, mark=seq)
        due = tx.pending.due(self.run.uid, self._now, RETRIED, 1)
        self._left = bool(due) or tx.items.last_seq() > seq
        if not (self.run.config.stages or self.run.row.allowed is None):
            conclude(tx, self.run.row)

    async def _send(
        self, judgements: Sequence[Judgement], *, deletions: bool = False, upto: int | None = None
    ) -> None:
        """Note what needs no request, send the rest. Deletions wait for their own turn. `upto`: the
        mark that all of these stand for. It moves with the last that is noted of them."""
        acting = {
            j.item: j
            for j in judgements
            if j.action is not None and (deletions or j.action is not Action.DELETE)
        }
        letters = await self._letters(list(acting.values()))
        gate = self._context.gate
        with self._context.store.write() as tx:
            if not deletions:
                self._hold(tx, held_back(tx, self.run, acting.values()), acting, STAGE)
            if gate is not None and not deletions:
                held = [j for j in acting.values() if not gate.lets(self.run.uid, j)]
                self._hold(tx, held, acting, PendingReason.APPROVAL.value)
            self._note(tx, judgements, acting)
            letters = [one for one in letters if one.judgement.item in acting]
            self._intend(tx, letters)
            if upto is not None and not letters:
                self._advance(tx, upto)
        for attempt in range(TRIES):
            if not letters:
                break
            again = await self._attempt(letters, last=attempt == TRIES - 1, upto=upto)
            letters = await self._letters(again)
            if letters:
                with self._context.store.write() as tx:
                    self._intend(tx, letters)
        if upto is not None and self.run.row.mark < upto:
            # Something has no outcome although all went well: its intent is open, and nothing of it
            # is sent again before recovery has looked for it.
            with self._context.store.write() as tx:
                self._advance(tx, upto)

    async def _letters(self, judgements: Sequence[Judgement]) -> list[Letter]:
        """Attempts of their own, each time."""
        if not judgements:
            return []
        endpoint = await self.run.endpoint(self._context)
        return [
            letter_of(self._context, self.run, judgement, endpoint, self._encoder)
            for judgement in judgements
        ]

    def _intend(self, tx: Transaction, letters: Sequence[Letter]) -> None:
        """Durable before anything of it leaves."""
        tx.intents.put([one.intent for one in letters])
        tx.removals.put(self.run.uid, self._removed(letters), self._context.clock())

    def _hold(
        self,
        tx: Transaction,
        held: Sequence[Judgement],
        acting: dict[str, Judgement],
        reason: str,
    ) -> None:
        """Have these wait for a person instead."""
        known = tx.pending.by_item(self.run.uid, [judgement.item for judgement in held])
        for judgement in held:
            del acting[judgement.item]
        tx.pending.put(
            [
                Pending(spoke=self.run.uid, item=one.item, reason=reason, due_at=self._now)
                for one in held
                if one.item not in known or known[one.item].reason != reason
            ]
        )

    def _note(
        self, tx: Transaction, judgements: Sequence[Judgement], acting: dict[str, Judgement]
    ) -> None:
        run = self.run
        settled = [j.item for j in judgements if j.action is None]
        tx.pending.remove(run.uid, settled)
        absent(tx, run, judgements)
        await_window(self._context, run, tx, judgements)
        await_change(self._context, run, tx, judgements)
        if self._context.gate is not None:
            tx.plans.consume(run.uid, settled)
        noted = [j for j in judgements if j.note]
        known = tx.replicas.by_item(run.uid, [j.item for j in noted])
        tx.replicas.delivered(run.uid, [(j.item, j.seq) for j in noted if j.item in known])
        tx.replicas.put(
            [
                msgspec.structs.replace(
                    known[j.item], fingerprint=j.fingerprint, delivered_seq=j.seq
                )
                for j in noted
                if j.item in known and j.before is not None
            ]
        )
        tx.replicas.put(
            [
                Replica(
                    spoke=run.uid,
                    item=j.item,
                    remote=j.remote,
                    native=j.native,
                    state=ReplicaState.LIVE,
                    etag=j.etag,
                    fingerprint=j.fingerprint,
                    acknowledged=j.fingerprint,
                    delivered_seq=j.seq,
                )
                for j in noted
                if j.item not in known
            ]
        )
        waiting = [j for j in judgements if j.action is Action.DELETE and j.item not in acting]
        tx.pending.put(
            [
                Pending(
                    spoke=run.uid,
                    item=j.item,
                    reason=PendingReason.GRACE.value,
                    due_at=j.wait_until or 0.0,
                )
                for j in waiting
            ]
        )

    async def _attempt(
        self, letters: Sequence[Letter], *, last: bool, upto: int | None
    ) -> list[Judgement]:
        """Send once; returns what may be sent again in this pass."""
        context, run = self._context, self.run
        endpoint = await run.endpoint(context)
        again: list[Judgement] = []
        answered: set[int] = set()
        try:
            # Closed at once when a commit is refused, lest batches that wait for their turn leave.
            async with aclosing(endpoint.push([one.operation for one in letters])) as sent:
                async for outcomes in sent:
                    answered.update(outcome.index for outcome in outcomes)
                    before = run.report.counts.written
                    with context.store.write() as tx:
                        again += self._record(tx, letters, outcomes, last=last)
                        if upto is not None and len(answered) == len(letters) and not again:
                            self._advance(tx, upto)
                    written = run.report.counts.written
                    if written // 1000 > before // 1000:
                        context.say(f"{run.config.name}: {written} written so far")
        except (LeaseLostError, StoreError):
            raise
        except CirahubError:
            # By the endpoint's contract, what has no outcome now was not sent.
            unsent = [one for at, one in enumerate(letters) if at not in answered]
            with context.store.write() as tx:
                tx.intents.remove([one.intent.key for one in unsent])
                tx.removals.remove(run.uid, self._removed(unsent))
            raise
        return again

    def _removed(self, letters: Sequence[Letter]) -> list[str]:
        """The items whose deletion counts."""
        return [
            one.judgement.item
            for one in letters
            if one.judgement.action is Action.DELETE and one.judgement.item in self._counted
        ]

    def _record(
        self,
        tx: Transaction,
        letters: Sequence[Letter],
        outcomes: Sequence[Outcome],
        *,
        last: bool,
    ) -> list[Judgement]:
        """Write down what became of the operations; returns those to send again."""
        counts = self.run.report.counts
        deliveries: list[Delivery] = []
        settled: list[str] = []
        closed: list[str] = []
        again: list[Judgement] = []
        for outcome in outcomes:
            letter = letters[outcome.index]
            judgement, intent = letter.judgement, letter.intent
            if judgement.action is Action.DELETE and outcome.result in (Result.DONE, Result.GONE):
                self._deleted(tx, judgement)
                settled.append(judgement.item)
                closed.append(intent.key)
                counts.deleted += 1
            elif outcome.result is Result.DONE and outcome.item is not None:
                whole = outcome.missing is None
                deliveries.append(delivery_of(judgement, intent, outcome.item, whole=whole))
                if outcome.missing is None:
                    settled.append(judgement.item)
                else:
                    rest = msgspec.structs.replace(outcome, result=outcome.missing)
                    postpone(self._context, self.run, tx, judgement, rest)
                closed.append(intent.key)
                if judgement.action is Action.CREATE:
                    counts.created += 1
                else:
                    counts.updated += 1
            elif outcome.result is Result.RETRY and not last:
                closed.append(intent.key)
                again.append(judgement)
            else:
                counts.failed += 1
                if outcome.result in (Result.UNKNOWN, Result.DONE):
                    self.unsure = True  # the intent stays open: recovery settles it
                else:
                    closed.append(intent.key)
                    tx.removals.remove(self.run.uid, self._removed([letter]))
                if outcome.result is Result.GONE and not self.run.config.direction.contributes:
                    self._user_removed(tx, judgement)
                else:
                    postpone(self._context, self.run, tx, judgement, outcome)
        acknowledge(self._context, self.run, tx, deliveries)
        tx.pending.remove(self.run.uid, settled)
        if self._context.gate is not None:
            tx.plans.consume(self.run.uid, settled)
        tx.intents.remove(closed)
        return again

    def _deleted(self, tx: Transaction, judgement: Judgement) -> None:
        tx.replicas.remove(self.run.uid, [judgement.item])
        if self.run.config.direction.contributes:
            for shadow in tx.shadows.by_remote(self.run.uid, [judgement.remote]).values():
                if judgement.native:
                    keep(self._context, tx, shadow)
                else:
                    copy_gone(tx, self.run.uid, judgement.item, shadow, user=False)
            tx.shadows.remove(self.run.uid, [judgement.remote])
            refold(self._context, tx, [judgement.item])

    def _user_removed(self, tx: Transaction, judgement: Judgement) -> None:
        replica = tx.replicas.by_item(self.run.uid, [judgement.item]).get(judgement.item)
        tx.pending.remove(self.run.uid, [judgement.item])  # before it may be made again
        forget(self._context, self.run, tx, None, replica, touched={})
