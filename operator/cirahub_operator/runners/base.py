"""The seam between reconcilers and whatever runs passes for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cirahub_sync.configuration import ConnectionConfig, HubConfig, SpokeConfig
from cirahub_sync.engine.report import PassReport
from cirahub_sync.engine.shared import Crew
from cirahub_sync.erasure import Erasure, ErasureReport
from cirahub_sync.identity.base import SignIn
from cirahub_sync.needs import READS_CONTACTS, Needs
from cirahub_sync.spoke_set import SpokeSetConfig
from cirahub_sync.worker import Progress


class Calls(Protocol):
    """The engine's calls, as `cirahub_sync.worker.Worker` describes them, but for a pass. All raise
    the engine's errors: KeyUnavailableError and StoreError when the store can't be opened, too.

    Cancelling a call stops the work at its next safe point, and returns after that.
    """

    async def check(
        self, connection: ConnectionConfig, *, needs: Needs = READS_CONTACTS
    ) -> SignIn: ...

    async def leave_spoke(
        self, hub: HubConfig, uid: str, *, erase_at: float, spoke: SpokeConfig | None = None
    ) -> bool: ...

    async def leave_set(
        self, hub: HubConfig, uid: str, *, erase_at: float, retain: bool = False
    ) -> Sequence[str]: ...

    async def leave_hub(
        self, hub: HubConfig, *, erase_at: float, spokes: Sequence[SpokeConfig] = ()
    ) -> bool: ...

    async def erasures(self) -> Sequence[Erasure]: ...

    async def erase(
        self,
        job: str,
        *,
        spokes: Sequence[SpokeConfig] | None = None,
        connections: Sequence[ConnectionConfig] = (),
        progress: Progress | None = None,
    ) -> ErasureReport: ...

    async def retain_spoke(self, hub: HubConfig, spoke: SpokeConfig) -> None: ...

    async def retain_hub(self, hub: HubConfig) -> None: ...


class Runner(Calls, Protocol):
    async def run_pass(
        self,
        hub: HubConfig,
        spokes: Sequence[SpokeConfig],
        *,
        sets: Sequence[SpokeSetConfig] = (),
        approved: frozenset[str] = frozenset(),
        absent: int = 0,
        progress: Progress | None = None,
        in_parts: bool = False,
        notified_only: bool = False,
    ) -> PassReport:
        """`in_parts`: by workers of other processes, which have to be available. `notified_only`:
        nobody is read but those of whom services told."""
        ...


class Engine(Calls, Protocol):
    """A worker that lives in one event loop; `cirahub_sync.worker.Worker` is one."""

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
    ) -> PassReport: ...

    async def close(self) -> None: ...


class Crews(Protocol):
    """Where the workers of passes come from. Lives in the engine's loop."""

    def of(self, hub: HubConfig) -> Crew: ...

    async def close(self) -> None: ...
