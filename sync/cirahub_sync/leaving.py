"""Erasures as durable jobs: noted, attempted until complete, closed with a receipt in numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from cirahub_sync.configuration import ConnectionConfig, Flow, HubConfig, SpokeConfig
from cirahub_sync.engine import sync_pass
from cirahub_sync.engine.context import PassContext, SpokeRun, problem_of
from cirahub_sync.engine.leave import clear, clear_all, look, withdraw
from cirahub_sync.engine.leaver import Content, content_of, encoded, note
from cirahub_sync.engine.registration import enrol
from cirahub_sync.engine.report import Problem, SpokeReport
from cirahub_sync.engine.subscriptions import unsubscribe
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import ConfigurationError, StoreError, TargetNotFoundError
from cirahub_sync.store.departure import forget_content, forget_reports, forget_rows
from cirahub_sync.store.hub import HubStore, Transaction
from cirahub_sync.store.lease import LeaseHeldError
from cirahub_sync.store.opening import Store
from cirahub_sync.store.rows import Job

Progress = Callable[[str], None]

_PROBLEMS = 5
"""That are remembered of an attempt."""


class Contexts(Protocol):
    def __call__(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        progress: Progress | None = None,
        erasing: bool = False,
    ) -> PassContext: ...


_hub = msgspec.msgpack.Decoder(HubConfig).decode
_spoke = msgspec.msgpack.Decoder(SpokeConfig).decode


class Leaving:
    def __init__(
        self,
        store: Store,
        contexts: Contexts,
        after: Callable[[PassContext], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        """`after` is called with each context when its work is done."""
        self._store = store
        self.contexts = contexts
        self.after = after
        self.now = clock

    def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None
    ) -> bool:
        store = self._store.find(hub.uid)
        if store is None:
            if spoke is None:
                return False
            store = self._store.hub(hub.uid)
        with store.unleased() as tx:
            rows = tx.spokes()
            if uid not in rows and (rows or spoke is None):
                return False
            kept = tx.configurations.get(uid)
            known = spoke or (_spoke(kept) if kept is not None else None)
            content = Content(
                hub=hub,
                name=known.name if known is not None else uid,
                spokes=(known,) if known is not None else (),
            )
            self._note(tx, uid, content, erase_at=erase_at, whole_hub=False)
        return True

    def leave_hub(self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig]) -> bool:
        store = self._store.find(hub.uid)
        if store is None:
            if not spokes:
                return False
            store = self._store.hub(hub.uid)
        with store.unleased() as tx:
            content = Content(hub=hub, name=hub.name, spokes=tuple(spokes))
            self._note(tx, hub.uid, content, erase_at=erase_at, whole_hub=True)
        return True

    def _note(
        self, tx: Transaction, uid: str, content: Content, *, erase_at: float, whole_hub: bool
    ) -> None:
        known = tx.erasures.open().get(uid)
        note(
            tx,
            uid,
            content,
            now=self.now(),
            erase_at=erase_at,
            whole_hub=whole_hub,
            known=known,
        )

    def open(self) -> list[Erasure]:
        found: list[Erasure] = []
        jobs: dict[str, dict[str, Job]] = {}
        sets: dict[str, dict[str, str]] = {}
        for uid, hub in self._store.leavers():
            if hub not in jobs:
                store = self._store.find(hub)
                if store is None:
                    continue
                with store.read() as tx:
                    jobs[hub] = tx.erasures.open()
                    sets[hub] = tx.members.uids()
            whole = any(job.whole_hub for job in jobs[hub].values())
            job = jobs[hub].get(uid)
            if job is not None and (job.whole_hub or not whole):
                found.append(_erasure(job, self._leavers_of(job), sets[hub].get(uid, "")))
        return found

    def _leavers_of(self, job: Job) -> list[SpokeConfig]:
        content = content_of(job.content)
        if not job.whole_hub:
            return list(content.spokes)
        store = self._store.hub(job.hub)
        with store.read() as tx:
            return list(_stored(tx, content_of(job.content).spokes).values())

    async def erase(
        self,
        uid: str,
        *,
        spokes: Sequence[SpokeConfig] | None,
        connections: Sequence[ConnectionConfig],
        progress: Progress | None,
    ) -> ErasureReport:
        store, job = self._find(uid)
        attempt = _Attempt(self, store, job, connections=connections, progress=progress)
        return await (attempt.hub(spokes) if job.whole_hub else attempt.spoke(spokes))

    async def abandon(self, uid: str) -> ErasureReport:
        store, job = self._find(uid)
        attempt = _Attempt(self, store, job, connections=(), progress=None)
        return await attempt.abandon()

    def _find(self, uid: str) -> tuple[HubStore, Job]:
        for job, hub in self._store.leavers():
            store = self._store.find(hub) if job == uid else None
            if store is not None:
                with store.read() as tx:
                    found = tx.erasures.open()
                # A spoke's job is part of its hub's, once that leaves too.
                whole = next((one for one in found.values() if one.whole_hub), None)
                if uid in found:
                    return store, whole if whole is not None and whole.started else found[uid]
        raise ConfigurationError(
            f"no erasure of {uid} is open: it is complete, or its owner came back; "
            "cirahub erase --list shows those that are"
        )


class _Attempt:
    """One attempt at one job."""

    def __init__(
        self,
        leaving: Leaving,
        store: HubStore,
        job: Job,
        *,
        connections: Sequence[ConnectionConfig],
        progress: Progress | None,
    ) -> None:
        self._leaving = leaving
        self._store = store
        self._job = job
        self._content = content_of(job.content)
        self._connections = {connection.name: connection for connection in connections}
        self._progress = progress
        self._problems: list[Problem] = []
        self._deleted = 0
        """Copies at others, not written down yet."""
        self._spokes: dict[str, SpokeReport] = {}

    async def spoke(self, others: Sequence[SpokeConfig] | None) -> ErasureReport:
        job = self._job
        gone: set[str] = set()
        if not await self._at_leaver():
            return await self._conclude(gone)
        with self._store.read() as tx:
            remaining = tx.withdrawals.remaining(job.job)
            known = self._holders(tx, remaining, others)
        if known:
            context = self._context(list(known.values()))
            await sync_pass.deliver_withdrawals(context, job)
            await self._after(context)
            self._note(context.report.problem)
            with self._store.read() as tx:
                remaining = tx.withdrawals.remaining(job.job)
            for run in context.runs:
                problem = run.report.problem
                if problem is not None and problem.reason == TargetNotFoundError.reason:
                    gone.add(run.uid)  # and our copies with it
                elif run.uid in remaining:
                    self._note(problem)
                if run.config.direction.receives:
                    self._deleted += run.report.counts.deleted
        return await self._conclude(gone, known=known)

    async def _at_leaver(self) -> bool:
        """The local part, then our copies in the leaver's mailbox; False if there was no way in."""
        job = self._job
        context = self._context(self._content.spokes)

        async def stages(context: PassContext) -> None:
            self._begin(context)
            await withdraw(context, job)
            for run in context.runs:
                await look(context, run)
                await clear(context, run, job)
            await unsubscribe(context, context.runs)

        await sync_pass.leased(context, stages)
        await self._after(context)
        self._note(context.report.problem)
        for run in context.runs:
            self._note(run.report.problem)
        return context.report.problem is None

    def _begin(self, context: PassContext) -> None:
        job = self._job
        context.leaves_folders = True
        enrol(context)
        with context.store.write() as tx:
            now = self._leaving.now()
            tx.erasures.update(
                job.number, started_at=job.started_at or now, attempts=job.attempts + 1
            )
            if job.whole_hub and not job.started:
                # Jobs of its spokes become part of it; nothing is kept that is not needed to find
                # the copies.
                mine = tx.erasures.open()
                others = [one for one in mine.values() if not one.whole_hub]
                leavers = [spoke for one in others for spoke in content_of(one.content).spokes]
                spokes = _stored(tx, [*leavers, *self._content.spokes])
                self._content = msgspec.structs.replace(
                    self._content, spokes=tuple(spokes.values())
                )
                tx.erasures.write_content(job, encoded(self._content))
                for one in others:
                    tx.erasures.cancel(one.number)
                tx.erasures.count(job.number, items_erased=forget_content(tx))
            else:
                forget_reports(tx)

    def _holders(
        self, tx: Transaction, holders: Iterable[str], others: Sequence[SpokeConfig] | None
    ) -> dict[str, SpokeConfig]:
        """How to reach those who hold something that was withdrawn. One that leaves itself is
        reached too: it need not come back to be rid of it."""
        leaving = {
            spoke.uid: spoke
            for job in tx.erasures.open().values()
            for spoke in content_of(job.content).spokes
        }
        stored = _stored(tx, ())
        if others is None:
            known = stored
        else:
            known = {uid: stored[uid] for uid in tx.members.uids() if uid in stored}
            known |= {spoke.uid: spoke for spoke in others}
            known |= {uid: stored[uid] for uid in leaving if uid in stored and uid not in known}
        return {uid: known[uid] for uid in holders if uid in known}

    async def hub(self, spokes: Sequence[SpokeConfig] | None) -> ErasureReport:
        job = self._job
        with self._store.read() as tx:
            known = _stored(tx, [*self._content.spokes, *(spokes or ())])
        context = self._context(list(known.values()))
        gone: set[str] = set()

        async def stages(context: PassContext) -> None:
            self._begin(context)
            await clear_all(context, job)
            await unsubscribe(context, context.runs)

        await sync_pass.leased(context, stages)
        await self._after(context)
        self._note(context.report.problem)
        for run in context.runs:
            if run.report.problem is not None:
                self._note(run.report.problem)
        return await self._conclude(gone, known=known)

    async def abandon(self) -> ErasureReport:
        job = self._job
        context = self._context(())

        async def stages(context: PassContext) -> None:
            self._begin(context)
            if not job.whole_hub:
                await withdraw(context, job)

        await sync_pass.leased(context, stages)
        await self._after(context)
        if context.report.problem is not None:
            self._note(context.report.problem)
            return self._counted()
        return await self._conclude(set(), abandoned=True)

    async def _conclude(
        self,
        gone: set[str],
        *,
        known: Mapping[str, SpokeConfig] | None = None,
        abandoned: bool = False,
    ) -> ErasureReport:
        """Count what remains, and close the job if nothing does."""
        job = self._job
        try:
            self._store.acquire()
        except LeaseHeldError as error:
            self._note(problem_of(error))
            return self._counted()
        try:
            with self._store.write() as tx:
                remaining = self._remaining(tx, gone, known or {}, tell=not abandoned)
                tx.erasures.update(job.number, copies_remaining=remaining)
                tx.erasures.count(job.number, copies_deleted=self._deleted)
                content = msgspec.structs.replace(
                    self._content, problems=tuple(self._problems[:_PROBLEMS])
                )
                tx.erasures.write_content(job, encoded(content))
            report = self._counted()
            if abandoned or report.complete:
                self._close(abandoned=abandoned)
        except StoreError as error:
            self._note(problem_of(error))
            return self._counted()
        finally:
            self._store.release()
        return report

    def _remaining(
        self,
        tx: Transaction,
        gone: set[str],
        known: Mapping[str, SpokeConfig],
        *,
        tell: bool,
    ) -> int:
        job = self._job
        found = {uid: tx.replicas.count(uid) for uid in tx.spokes()} if job.whole_hub else {}
        if not job.whole_hub:
            for uid, held in tx.withdrawals.remaining(job.job).items():
                spoke = known.get(uid)
                own = spoke is None or spoke.direction.receives
                found[uid] = held.copies + (held.own if own else 0)
            found[job.job] = tx.replicas.count(job.job)
        reached = {spoke.uid for spoke in self._content.spokes} | set(known)
        found = {uid: count for uid, count in found.items() if count and uid not in gone}
        for uid, count in found.items():
            if uid not in reached and tell:
                self._note(
                    Problem(
                        "SpokeNotReady",
                        f"spoke {uid} holds {count} copies and takes part in no pass now; mend it "
                        "or delete it, or give up on them with cirahub erase --abandon",
                        stalled=True,
                    )
                )
        return sum(found.values())

    def _close(self, *, abandoned: bool) -> None:
        """Rows first, then what is left of them in the file, then names; the receipt says it when
        it is so. Of a hub, the key goes with that. Raises StoreError: then it is done again."""
        job = self._job
        with self._store.write() as tx:
            if job.whole_hub:
                forget_rows(tx)
            else:
                tx.withdrawals.remove(job.job)
                tx.remove_spoke(job.job)
                forget_reports(tx)
                tx.items.purge(0.0)
        self._store.rewrite()
        if job.whole_hub:
            self._store.destroy(job=job.number, abandoned=abandoned)
            return
        nameless = Content(hub=HubConfig(uid=job.hub, name=self._content.hub.name), name=job.job)
        with self._store.write() as tx:
            tx.erasures.write_content(job, encoded(nameless))
        self._store.shed()
        with self._store.write() as tx:
            tx.erasures.finish(job.number, self._leaving.now(), abandoned=abandoned)

    def _counted(self) -> ErasureReport:
        with self._store.read() as tx:
            job = tx.erasures.open().get(self._job.job, self._job)
        return msgspec.structs.replace(_report(job, self._problems), spokes=self._spokes)

    async def _after(self, context: PassContext) -> None:
        self._spokes |= context.report.spokes
        await self._leaving.after(context)

    def _context(self, spokes: Sequence[SpokeConfig]) -> PassContext:
        with self._store.read() as tx:
            kept = tx.configurations.get(self._store.hub)
        hub = _hub(kept) if kept is not None else self._content.hub
        return self._leaving.contexts(
            hub,
            [self._reachable(spoke) for spoke in spokes],
            progress=self._progress,
            erasing=True,
        )

    def _reachable(self, spoke: SpokeConfig) -> SpokeConfig:
        """With the Connection as it is now; and one goes although its filter can't be read."""
        connection = self._connections.get(spoke.connection.name, spoke.connection)
        spoke = msgspec.structs.replace(spoke, connection=connection)
        try:
            SpokeRun(spoke)
        except ConfigurationError:
            return msgspec.structs.replace(spoke, contributes=Flow(), receives=Flow())
        return spoke

    def _note(self, problem: Problem | None) -> None:
        told = {(one.reason, one.message) for one in self._problems}
        if problem is not None and (problem.reason, problem.message) not in told:
            self._problems.append(problem)


def _stored(tx: Transaction, more: Iterable[SpokeConfig]) -> dict[str, SpokeConfig]:
    """The hub's spokes by uid, as of their last passes; `more` counts for more."""
    found = {
        uid: _spoke(content) for uid, content in tx.configurations.all().items() if uid != tx.hub
    }
    return found | {spoke.uid: spoke for spoke in more}


def _report(job: Job, problems: Sequence[Problem]) -> ErasureReport:
    return ErasureReport(
        copies_deleted=job.copies_deleted,
        items_erased=job.items_erased,
        items_changed=job.items_changed,
        copies_remaining=job.copies_remaining,
        problems=list(problems),
    )


def _erasure(job: Job, leavers: Sequence[SpokeConfig], set_uid: str) -> Erasure:
    content = content_of(job.content)
    return Erasure(
        id=job.job,
        hub=job.hub,
        hub_name=content.hub.name,
        name=content.name,
        whole_hub=job.whole_hub,
        set=set_uid,
        connections=tuple(sorted({spoke.connection.name for spoke in leavers})),
        requested_at=job.requested_at,
        erase_at=job.erase_at,
        started_at=job.started_at,
        attempts=job.attempts,
        report=_report(job, content.problems) if job.attempts else None,
    )
