"""A worker that does as a test tells it, in the engine's place behind the runner."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport, SpokeReport
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.errors import CirahubError
from cirahub_sync.identity.base import Credential, SignIn
from cirahub_sync.worker import Progress

SIGNED_IN = SignIn(credential=Credential("workloadIdentity"), missing=())
ERASED = ErasureReport(copies_deleted=3, items_erased=2, items_changed=1, copies_remaining=0)


@dataclass(frozen=True)
class Pass:
    hub: HubConfig
    spokes: Sequence[SpokeConfig]
    approved: frozenset[str]

    @property
    def names(self) -> list[str]:
        """Of the spokes, without their namespace."""
        return [spoke.name.rpartition("/")[2] for spoke in self.spokes]


@dataclass
class ScriptedEngine:
    """Everything succeeds and changes nothing, but for what a test sets."""

    passes: list[Pass] = field(default_factory=list)
    checked: list[ConnectionConfig] = field(default_factory=list)
    writes: list[bool] = field(default_factory=list)
    """What each check was told about it."""
    erased: list[str] = field(default_factory=list)
    """Names of what was erased or retained: `erase spoke NAME`."""
    leaving: dict[str, str] = field(default_factory=dict)
    """What left, by uid."""
    shape: Callable[[PassReport], None] = lambda report: None
    """Changes the report of a pass before it is returned."""
    check_error: CirahubError | None = None
    signed_in: SignIn = SIGNED_IN
    pass_error: CirahubError | None = None
    erasure: ErasureReport | CirahubError = ERASED
    hanging: bool = False
    """Passes don't end by themselves."""
    stopped: int = 0
    """Passes that were cancelled."""
    closed: bool = False
    begun: threading.Event = field(default_factory=threading.Event)
    """Set once a pass has begun."""

    async def check(self, connection: ConnectionConfig, *, writes: bool = False) -> SignIn:
        self.checked.append(connection)
        self.writes.append(writes)
        if self.check_error is not None:
            raise self.check_error
        return self.signed_in

    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        approved: frozenset[str] = frozenset(),
        progress: Progress | None = None,
    ) -> PassReport:
        self.passes.append(Pass(hub, spokes, approved))
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
        self.shape(report)
        return report

    async def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None = None
    ) -> bool:
        self.leaving[uid] = f"spoke {spoke.name.rpartition('/')[2] if spoke else uid}"
        return True

    async def leave_hub(
        self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig] = ()
    ) -> bool:
        self.leaving[hub.uid] = f"hub {hub.name.rpartition('/')[2]}"
        return True

    async def erasures(self) -> Sequence[Erasure]:
        return ()

    async def erase(
        self,
        job: str,
        *,
        spokes: Sequence[SpokeConfig] | None = None,
        connections: Sequence[ConnectionConfig] = (),
        progress: Progress | None = None,
    ) -> ErasureReport:
        return self._erase(f"erase {self.leaving[job]}")

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None:
        self.erased.append(f"retain spoke {spoke.name.rpartition('/')[2]}")

    async def retain_hub(self, hub: HubConfig) -> None:
        self.erased.append(f"retain hub {hub.name.rpartition('/')[2]}")

    async def close(self) -> None:
        self.closed = True

    def _erase(self, what: str) -> ErasureReport:
        self.erased.append(what)
        if isinstance(self.erasure, CirahubError):
            raise self.erasure
        return self.erasure
