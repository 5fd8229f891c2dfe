"""A worker that does as a test tells it, in the engine's place behind the runner."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, SetReport, SpokeReport
from cirahub_sync.engine.shared import Crew
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import CirahubError, ConfigurationError
from cirahub_sync.identity.base import Credential, SignIn
from cirahub_sync.needs import READS_CONTACTS, Needs
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.worker import Progress

SIGNED_IN = SignIn(credential=Credential("workloadIdentity"), missing=())
ERASED = ErasureReport(copies_deleted=3, items_erased=2, items_changed=1, copies_remaining=0)


@dataclass(frozen=True)
class Pass:
    hub: HubConfig
    spokes: Sequence[SpokeConfig]
    approved: frozenset[str]
    absent: int
    sets: Sequence[SpokeSetConfig] = ()
    crew: Crew | None = None
    notified_only: bool = False

    @property
    def names(self) -> list[str]:
        """Of the spokes, without their namespace."""
        return [spoke.name.rpartition("/")[2] for spoke in self.spokes]


@dataclass(frozen=True)
class EraseCall:
    job: str
    spokes: Sequence[SpokeConfig] | None
    connections: Sequence[ConnectionConfig]


@dataclass
class ScriptedEngine:
    """Everything succeeds and changes nothing, but for what a test sets."""

    passes: list[Pass] = field(default_factory=list)
    checked: list[ConnectionConfig] = field(default_factory=list)
    needs: list[Needs] = field(default_factory=list)
    """What each check was told about it."""
    erased: list[str] = field(default_factory=list)
    """Names of what was erased or retained, an entry for every attempt: `erase spoke NAME`."""
    jobs: dict[str, Erasure] = field(default_factory=dict)
    """Open ones. Like the store, they outlive an operator."""
    known: dict[str, tuple[str, SpokeConfig]] = field(default_factory=dict)
    """Spokes that took part in a pass and are not erased, by uid, with their hub's uid."""
    hubs: set[str] = field(default_factory=set)
    """Those that had a pass and were not destroyed, by uid. Of one that it does not know, a store
    can't say whether it lost it."""
    sets: dict[str, SpokeSetConfig] = field(default_factory=dict)
    """The same of sets, by uid; each has one member that leaves with it."""
    erase_calls: list[EraseCall] = field(default_factory=list)
    store_error: CirahubError | None = None
    """Of whatever needs the store but passes."""
    shape: Callable[[PassReport], None] = lambda report: None
    """Changes the report of a pass before it is returned."""
    check_error: CirahubError | None = None
    signed_in: SignIn = SIGNED_IN
    pass_error: CirahubError | None = None
    erasure: ErasureReport | CirahubError = ERASED
    hanging: bool = False
    """Passes don't end by themselves."""
    erasing_hangs: bool = False
    """The same of erasures."""
    stopped: int = 0
    """Passes and erasures that were cancelled."""
    closed: bool = False
    begun: threading.Event = field(default_factory=threading.Event)
    """Set once a pass has begun."""

    async def check(self, connection: ConnectionConfig, *, needs: Needs = READS_CONTACTS) -> SignIn:
        self.checked.append(connection)
        self.needs.append(needs)
        if self.check_error is not None:
            raise self.check_error
        return self.signed_in

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        approved: frozenset[str] = frozenset(),
        absent: int = 0,
        progress: Progress | None = None,
        crew: Crew | None = None,
        notified_only: bool = False,
    ) -> PassReport:
        self.passes.append(Pass(hub, spokes, approved, absent, sets, crew, notified_only))
        self.begun.set()
        if progress is not None:
            progress("pulled 100 changes")
        try:
            if self.hanging:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.pass_error is not None:
            raise self.pass_error
        report = PassReport(hub.name, started=time.time() - 1, finished=time.time(), items=7)
        report.spokes = {one.uid: SpokeReport(one.uid, one.name) for one in spokes}
        report.sets = {
            one.uid: SetReport(uid=one.uid, name=one.name, states={"Ready": 3}) for one in sets
        }
        self.shape(report)
        self._resume(hub, spokes)
        self.sets |= {one.uid: one for one in sets}
        return report

    async def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None = None
    ) -> bool:
        if self.store_error is not None:
            raise self.store_error
        lost = hub.uid not in self.hubs
        if uid not in self.known and not (lost and spoke):
            return False
        config = spoke or self.known[uid][1]
        self._leave(hub, uid, config.name, [config], erase_at)
        return True

    async def leave_set(
        self, hub: HubConfig, uid: str, *, erase_at: float, retain: bool = False
    ) -> Sequence[str]:
        if self.store_error is not None:
            raise self.store_error
        one = self.sets.pop(uid, None)
        if retain:
            self.erased.append(f"retain set {uid if one is None else one.name}")
        elif one is not None:
            self._leave(hub, "member", f"{one.name}/member", [one.template], erase_at)
            self.jobs["member"] = msgspec.structs.replace(self.jobs["member"], set=uid)
        return [job.id for job in self.jobs.values() if job.set == uid]

    async def leave_hub(
        self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig] = ()
    ) -> bool:
        if self.store_error is not None:
            raise self.store_error
        configs = [config for of, config in self.known.values() if of == hub.uid]
        configs = configs or ([] if hub.uid in self.hubs else list(spokes))
        if not configs:
            return False
        self._leave(hub, hub.uid, hub.name, configs, erase_at, whole=True)
        for job in [one for one in self.jobs.values() if one.hub == hub.uid and not one.whole_hub]:
            del self.jobs[job.id]
        return True

    async def erasures(self) -> Sequence[Erasure]:
        if self.store_error is not None:
            raise self.store_error
        return sorted(self.jobs.values(), key=lambda job: job.requested_at)

    async def erase(
        self,
        job: str,
        *,
        spokes: Sequence[SpokeConfig] | None = None,
        connections: Sequence[ConnectionConfig] = (),
        progress: Progress | None = None,
    ) -> ErasureReport:
        self.erase_calls.append(EraseCall(job, spokes, connections))
        found = self.jobs.get(job)
        if found is None:
            raise ConfigurationError(f"there is no open erasure {job}")
        kind = "hub" if found.whole_hub else "spoke"
        self.erased.append(f"erase {kind} {found.name.rpartition('/')[2]}")
        started = found.started_at or time.time()
        found = msgspec.structs.replace(found, started_at=started, attempts=found.attempts + 1)
        self.jobs[job] = found
        try:
            if self.erasing_hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if isinstance(self.erasure, CirahubError):
            raise self.erasure
        if self.erasure.complete:
            del self.jobs[job]
            self.hubs.discard(job)
            for uid, (hub, _) in list(self.known.items()):
                if job in {uid, hub}:
                    del self.known[uid]
        else:
            self.jobs[job] = msgspec.structs.replace(found, report=self.erasure)
        return self.erasure

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        self.erased.append(f"retain spoke {spoke.name.rpartition('/')[2]}")
        self.known.pop(spoke.uid, None)

    async def retain_hub(self, hub: HubConfig) -> None:
        self.erased.append(f"retain hub {hub.name.rpartition('/')[2]}")
        self.hubs.discard(hub.uid)
        self.known = {uid: one for uid, one in self.known.items() if one[0] != hub.uid}

    async def close(self) -> None:
        self.closed = True

    def _leave(
        self,
        hub: HubConfig,
        job: str,
        name: str,
        spokes: Sequence[SpokeConfig],
        erase_at: float,
        *,
        whole: bool = False,
    ) -> None:
        known = self.jobs.get(job)
        self.jobs[job] = (
            msgspec.structs.replace(known, erase_at=min(known.erase_at, erase_at))
            if known
            else Erasure(
                id=job,
                hub=hub.uid,
                hub_name=hub.name,
                name=name,
                whole_hub=whole,
                connections=tuple(sorted({one.connection.name for one in spokes})),
                requested_at=time.time(),
                erase_at=erase_at,
            )
        )

    def _resume(self, hub: HubConfig, spokes: Sequence[SpokeConfig]) -> None:
        """Who is back in time takes up their place."""
        targets = {one.target for one in spokes}
        for job in list(self.jobs.values()):
            if job.hub != hub.uid or job.started_at is not None:
                continue
            known = self.known.get(job.id)
            if job.whole_hub or (known and known[1].target in targets):
                del self.jobs[job.id]
                self.known.pop(job.id, None)
        self.hubs.add(hub.uid)
        self.known |= {one.uid: (hub.uid, one) for one in spokes}
